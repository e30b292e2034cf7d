import { WORKLOAD_KINDS, type WorkloadKind } from "../../routes/model/sandbox.ts";
import { didYouMean } from "../../routes/reading/diagnostic.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { KeywayError } from "../../shared/errors.ts";
import type { Workload } from "./baseline.ts";
import { Refused } from "./refused.ts";

export const WORKLOAD_API: Record<WorkloadKind, string> = {
  Deployment: "apps/v1",
  StatefulSet: "apps/v1",
  Rollout: "argoproj.io/v1alpha1",
};

/** `Deployment/reviews`, taken apart. */
export function readWorkloadName(title: string): { kind: WorkloadKind; name: string } {
  const [word = "", name = "", ...more] = title.split("/");
  const kind = WORKLOAD_KINDS.find((one) => one === word);
  if (kind !== undefined && name !== "" && more.length === 0) return { kind, name };
  throw new Refused(
    "Invalid",
    `${title} can't be copied: name a workload as KIND/NAME, where KIND is one of ${WORKLOAD_KINDS.join(", ")}`,
  );
}

/** The workload as it is; a Rollout that refers to a Deployment has that one's pod template. */
export async function findWorkload(cluster: Cluster, title: string, namespace: string): Promise<Workload> {
  const { kind, name } = readWorkloadName(title);
  const workload = await find(cluster, kind, name, namespace);
  const reference = workload.spec?.workloadRef;
  if (workload.spec?.template !== undefined || reference === undefined) return workload;
  if (reference.kind !== "Deployment" || reference.name === undefined) {
    throw new Refused(
      "Invalid",
      `${title} takes its pods from a ${reference.kind}, of which no copy can be made; only Deployments are followed`,
    );
  }
  const { spec } = await find(cluster, "Deployment", reference.name, namespace);
  const selector = workload.spec?.selector ?? spec?.selector;
  return {
    ...workload,
    spec: { ...workload.spec, ...(spec?.template && { template: spec.template }), ...(selector && { selector }) },
  };
}

async function find(cluster: Cluster, kind: WorkloadKind, name: string, namespace: string): Promise<Workload> {
  const apiVersion = WORKLOAD_API[kind];
  const found = await cluster.get<Workload>({ apiVersion, kind, metadata: { name, namespace } });
  if (found !== undefined) return found;
  if (!(await isServed(cluster, apiVersion, kind))) {
    throw new Refused(
      "KindNotFound",
      `the cluster has no kind ${kind} of ${apiVersion}; install what brings it, or fork a Deployment`,
    );
  }
  const others = await cluster.list(apiVersion, kind, { namespace }).catch((thrown) => {
    if (thrown instanceof KeywayError) return [];
    throw thrown;
  });
  const guess = didYouMean(
    name,
    others.map(({ metadata }) => metadata?.name ?? ""),
  );
  throw new Refused(
    "WorkloadNotFound",
    `there is no ${kind}/${name} in namespace ${namespace}${guess || "; name one that is there"}`,
  );
}

async function isServed(cluster: Cluster, apiVersion: string, kind: string): Promise<boolean> {
  const [group = "", version = ""] = apiVersion.split("/");
  return (await cluster.resources(group, version)).some((one) => one.kind === kind);
}
