import { KeywayError } from "../cli/errors.ts";
import type { Progress } from "../cli/progress.ts";
import { isOwned } from "../kube/apply.ts";
import type { Cluster } from "../kube/cluster.ts";
import { editsOf } from "../kube/edits.ts";
import { filterRef, type KubeObject, pluginRef, refOf, title } from "../kube/object.ts";
import type { ProxyAdmin } from "../kube/proxy.ts";
import { lateError, settle } from "../kube/settle.ts";
import type { SelectedPod } from "../kube/workloads.ts";

export interface Removing {
  cluster: Cluster;
  namespace: string;
  name: string;
  pods: SelectedPod[];
  /** Delete also what others have edited since. */
  edited: boolean;
  dryRun: boolean;
  wait: boolean;
  timeoutSeconds: number;
  signal: AbortSignal;
  steps: Progress;
}

export interface Removed {
  object: KubeObject;
  outcome: string;
}

/** Takes an installation off: the filter first, and the route when no proxy selects any more. All of it or nothing. */
export async function remove(removing: Removing): Promise<Removed[]> {
  const { cluster, namespace, name, steps, dryRun } = removing;
  const plugin = await owned(cluster, pluginRef(namespace, name));
  const route = await owned(cluster, filterRef(namespace, name));
  const objects = [plugin, route].filter((object) => object !== undefined);
  if (!removing.edited) refuseEdited(objects);
  const removed: Removed[] = [];
  for (const object of objects) {
    await cluster.remove(refOf(object), object.metadata?.resourceVersion, dryRun);
    removed.push({ object, outcome: dryRun ? "would be deleted" : "deleted" });
    if (dryRun) continue;
    steps.done(`${title(object)} deleted`);
    if (object === plugin && removing.wait) await gone(removing);
  }
  return removed;
}

async function owned(cluster: Cluster, ref: Parameters<Cluster["get"]>[0]): Promise<KubeObject | undefined> {
  const object = await cluster.get(ref);
  return object !== undefined && isOwned(object) ? object : undefined;
}

function refuseEdited(objects: KubeObject[]): void {
  const edited = objects.flatMap((object) =>
    editsOf(object).map(({ manager, fields }) => `\n  ${title(object)}: ${manager} wrote ${fields.join(", ")}`),
  );
  if (edited.length === 0) return;
  throw new KeywayError(`nothing was deleted, because others have edited what keyway made:${edited.join("")}`, {
    next: "save what you want to keep (`kubectl get -o yaml`), then run it again with --include-edited",
  });
}

async function gone(removing: Removing): Promise<void> {
  const { namespace, name, pods } = removing;
  const what = `no filter of ${namespace}/${name} any more`;
  const judge = async (proxy: ProxyAdmin) => {
    const left = (await proxy.extensions()).some((extension) => extension.name.endsWith(`${namespace}.${name}`));
    return left ? "it still has the filter" : undefined;
  };
  const late = await settle({ ...removing, what, judge });
  if (late.length === 0) return;
  throw lateError(late, pods.length, what, "run the same command again: the route stays until the filter is gone");
}
