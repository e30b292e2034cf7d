// Waits until all pods of a server are there, and says why one is not.
import { setTimeout as sleep } from "node:timers/promises";
import type { V1ContainerStatus, V1Deployment, V1Pod } from "@kubernetes/client-node";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { KeywayError } from "../../shared/errors.ts";
import type { Progress } from "../cli/progress.ts";
import { SERVER_NAME, selector } from "../manifests/server/server.ts";
import { installedDeployment } from "./installed.ts";

const EVERY_MS = 500;

export interface Replicas {
  wanted: number;
  /** Of the present version, and answering. */
  ready: number;
}

export function replicasOf({ metadata, spec, status }: V1Deployment): Replicas {
  const isSeen = (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
  const updated = Math.min(status?.updatedReplicas ?? 0, status?.availableReplicas ?? 0);
  return { wanted: spec?.replicas ?? 1, ready: isSeen ? updated : 0 };
}

/** Rejects with what keeps the pods when the signal ends the waiting. */
export async function waitForServer(
  cluster: Cluster,
  namespace: string,
  { signal, steps }: { signal: AbortSignal; steps: Progress },
): Promise<void> {
  for (;;) {
    const there = await installedDeployment(cluster, namespace);
    const { wanted, ready } = there ? replicasOf(there) : { wanted: 0, ready: 0 };
    if (there !== undefined && ready >= wanted) return steps.done(`${ready} of ${wanted} servers answer`);
    steps.update(`${ready} of ${wanted} servers answer`);
    await sleep(EVERY_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) throw await whyNot(cluster, namespace, { wanted, ready }, signal);
  }
}

/** Asked on another's time, as the command's own is over. */
async function whyNot(cluster: Cluster, namespace: string, { wanted, ready }: Replicas, signal: AbortSignal) {
  const asked = cluster.withSignal(AbortSignal.timeout(5000));
  const reasons = await podReasons(asked, namespace).catch(() => []);
  return new KeywayError(
    `${ready} of ${wanted} servers answer after the time that they had${reasons.map((one) => `\n  ${one}`).join("")}`,
    {
      where: `Deployment ${namespace}/${SERVER_NAME}`,
      next: `\`kubectl -n ${namespace} describe pods -l app.kubernetes.io/name=${SERVER_NAME}\` says more; \`keyway server status\` looks again`,
      cause: signal.reason,
    },
  );
}

/** One line for each pod that does not answer. */
export async function podReasons(cluster: Cluster, namespace: string): Promise<string[]> {
  const labelSelector = Object.entries(selector)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
  const pods = await cluster.list<V1Pod>("v1", "Pod", { namespace, labelSelector });
  return pods.flatMap(({ metadata, status }) => {
    const isReady = status?.conditions?.some((one) => one.type === "Ready" && one.status === "True");
    if (isReady) return [];
    const why = status?.containerStatuses?.map(containerReason).find((one) => one !== undefined);
    const pending = status?.conditions?.find((one) => one.status === "False" && one.message)?.message;
    return [`pod ${metadata?.name}: ${why ?? pending ?? status?.phase ?? "unknown"}`];
  });
}

function containerReason({ state, lastState }: V1ContainerStatus): string | undefined {
  const { waiting } = state ?? {};
  const ended = state?.terminated ?? lastState?.terminated;
  if (waiting?.reason) return `${waiting.reason}${waiting.message ? `: ${waiting.message}` : ""}`;
  return ended ? `ended with ${ended.exitCode}${ended.message ? `: ${ended.message}` : ""}` : undefined;
}
