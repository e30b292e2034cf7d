import { KeywayError } from "../cli/errors.ts";
import type { Progress } from "../cli/progress.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { editsOf } from "../cluster/managed-fields.ts";
import { filterRef, type KubeObject, pluginRef, refOf, title } from "../cluster/object.ts";
import { routeName } from "../manifests/envoyfilter.ts";
import { modes } from "../manifests/installation.ts";
import { isFilterOf, type ProxyAdmin } from "../proxies/proxy-admin.ts";
import type { SelectedPod } from "../proxies/selected-pods.ts";
import { type Judge, lateError, settle } from "../proxies/wait.ts";
import { isOwned } from "./apply.ts";

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
    if (!removing.wait) continue;
    if (object === plugin)
      await gone(removing, "connections without the filter", (proxy) => filterLeft(proxy, removing));
    else await gone(removing, "routes as before", (proxy) => routeLeft(proxy, removing));
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

/** Waits until the proxies are rid of what was deleted, as long as there is somebody to ask. */
async function gone(removing: Removing, what: string, judge: Judge): Promise<void> {
  const late = await settle({ ...removing, what, judge });
  if (late.length === 0) return;
  throw lateError(late, removing.pods.length, what, "run the same command again: it goes on where this one ended");
}

/** A connection that began before keeps its filter until Envoy has drained it (45 s, unless Istio is told otherwise), and the
 * proxy keeps what the filter was made of as long. */
async function filterLeft(proxy: ProxyAdmin, { namespace, name }: Removing): Promise<string | undefined> {
  const left = (await proxy.extensions()).some((extension) => isFilterOf(extension.name, namespace, name));
  return left ? "its old connections are not drained yet" : undefined;
}

async function routeLeft(proxy: ProxyAdmin, { namespace, name }: Removing): Promise<string | undefined> {
  const routes = await Promise.all(modes.map((mode) => proxy.guardedRoutes(mode)));
  return routes.flat().some((route) => route.name === routeName(namespace, name))
    ? "it still has the route"
    : undefined;
}
