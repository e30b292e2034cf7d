// Routes and Sandboxes, deleted before what understands them.
import { ROUTE_API, ROUTE_KIND } from "../../routes/model/route-resource.ts";
import { SANDBOX_API, SANDBOX_KIND } from "../../routes/model/sandbox.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { type KubeObject, refOf, title } from "../../shared/cluster/object.ts";
import { pause } from "../../shared/net/limit.ts";
import type { Progress } from "../cli/progress.ts";

/** Sandboxes first: they have forks. */
export const CUSTOM_RESOURCES = [
  { apiVersion: SANDBOX_API, kind: SANDBOX_KIND },
  { apiVersion: ROUTE_API, kind: ROUTE_KIND },
];

/** How long the controller has to take forks away. */
const CONTROLLER_MS = 20_000;

interface Finalized extends KubeObject {
  metadata: NonNullable<KubeObject["metadata"]> & { finalizers?: string[] };
}

/** Deletes them and waits until they are gone. Where no controller takes a Sandbox's forks away in time, its finalizers are taken off: its
 * owner references leave the forks to Kubernetes. */
export async function removeResources(
  cluster: Cluster,
  resources: readonly KubeObject[],
  { signal, steps }: { signal: AbortSignal; steps: Progress },
): Promise<void> {
  if (resources.length === 0) return;
  for (const one of resources) await cluster.remove(refOf(one));
  for (const until = Date.now() + CONTROLLER_MS; ; ) {
    const left = (await Promise.all(resources.map((one) => cluster.get<Finalized>(refOf(one))))).filter(
      (one) => one !== undefined,
    );
    const [first] = left;
    if (first === undefined) break;
    steps.update(`${left.length} of ${resources.length} resources are being deleted`);
    if (Date.now() >= until) {
      for (const one of left) await release(cluster, one, steps);
      break;
    }
    await pause(250, signal, `${title(first)} is still there`);
  }
  steps.done(`${resources.length} Sandboxes and Routes deleted`);
}

async function release(cluster: Cluster, object: Finalized, steps: Progress): Promise<void> {
  const { managedFields: _, ...metadata } = object.metadata;
  await cluster.replace({ ...object, metadata: { ...metadata, finalizers: [] } });
  steps.warn(`${title(object)}: no controller took its forks away, and they are left to Kubernetes' garbage collector`);
}
