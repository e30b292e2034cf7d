import { versionText, whyNotLoaded } from "../check/loaded.ts";
import type { Progress } from "../cli/progress.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { type IWasmPlugin, type KubeObject, refOf, title } from "../cluster/object.ts";
import { envoyFilter, routeName } from "../manifests/envoyfilter.ts";
import type { Installation } from "../manifests/installation.ts";
import type { ProxyAdmin } from "../proxies/proxy-admin.ts";
import type { SelectedPod } from "../proxies/selected-pods.ts";
import { Hopeless, lateError, settle, type Waiting } from "../proxies/wait.ts";
import { type Applied, applyOwned } from "./apply.ts";

export interface Putting {
  cluster: Cluster;
  installation: Installation;
  plugin: IWasmPlugin;
  pods: SelectedPod[];
  force: boolean;
  wait: boolean;
  timeoutSeconds: number;
  signal: AbortSignal;
  steps: Progress;
  /** What to do when the proxies do not get the version in time. */
  otherwise: string;
}

/** Puts an installation into the cluster: the route first, since alone it matches no request, whereas a filter that selects
 * before its route is there would let the selection header through to the baseline. */
export async function putIn(putting: Putting): Promise<Applied[]> {
  const { installation, plugin } = putting;
  const route = await apply(putting, envoyFilter(installation));
  if (putting.wait) {
    const judge = (proxy: ProxyAdmin) => whyNotGuarded(proxy, installation);
    const late = await waitFor(putting, "the route", judge).catch(async (thrown: unknown) => {
      if (route.outcome === "created") await putting.cluster.remove(refOf(route.object));
      throw thrown;
    });
    if (late.length > 0) throw lateError(late, putting.pods.length, "the route", putting.otherwise);
  }
  const filter = await apply(putting, plugin);
  if (putting.wait) {
    const what = `version ${versionText(installation.version)}`;
    const late = await waitFor(putting, what, (proxy) => whyNotLoaded(proxy, installation));
    if (late.length > 0) throw lateError(late, putting.pods.length, what, putting.otherwise);
    putting.steps.done(`${what} runs in ${count(putting.pods.length, "proxy", "proxies")}`);
  }
  return [route, filter];
}

async function apply({ cluster, force, steps }: Putting, object: KubeObject): Promise<Applied> {
  steps.update(`applying ${title(object)}`);
  const applied = await applyOwned(cluster, object, { force });
  steps.done(`${title(object)} ${applied.outcome}`);
  return applied;
}

function waitFor(putting: Putting, what: string, judge: Waiting["judge"]) {
  return settle({ ...putting, what, judge });
}

/** A route without the guard lets any client choose its cluster: no matter of waiting. */
async function whyNotGuarded(proxy: ProxyAdmin, { namespace, name, mode }: Installation): Promise<string | undefined> {
  const own = routeName(namespace, name);
  const routes = (await proxy.guardedRoutes(mode)).filter((route) => route.name === own);
  if (routes.length === 0) return "it has not got the route from istiod";
  if (routes.every(({ match }) => (match?.filter_state?.length ?? 0) > 0)) return undefined;
  throw new Hopeless("the route has lost its guard on the way: this istiod does not know filter_state", {
    where: `pod ${proxy.pod.namespace}/${proxy.pod.name}`,
    next: "upgrade Istio; the route is taken off again if this command made it, else `keyway uninstall` does it",
  });
}

export function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
