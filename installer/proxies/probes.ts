import { METRIC_CONFIG_REJECTED } from "../../routes/model/names.ts";
import { routeName } from "../manifests/envoyfilter.ts";
import { type Mode, versionText, ways, waysOf } from "../manifests/installation.ts";
import { whyNotTwinned } from "../manifests/installed-twins.ts";
import { ownerOf, type TwinPatch } from "../manifests/twin-patches.ts";
import { WATCHER_NAME } from "../manifests/watcher.ts";
import { isFilterOf, type ProxyAdmin } from "./proxy-admin.ts";
import { FatalNotReady } from "./wait.ts";

/** The installation that a proxy is asked about. */
export interface Named {
  name: string;
  namespace: string;
}

/** Why a proxy does not have the guard route; undefined when it has. A route without its guard lets any client choose its
 * cluster, so that is no matter of waiting. */
export async function whyNotGuarded(proxy: ProxyAdmin, named: Named, mode: Mode): Promise<string | undefined> {
  await refuseBrokenWatcher(proxy);
  const own = routeName(named.namespace, named.name);
  // Nothing comes into a gateway on the way that sidecars call inbound.
  const looked = waysOf(mode).filter((way) => way === "outbound" || !proxy.pod.gateway);
  const found = await Promise.all(
    looked.map(async (way) => (await proxy.guardedRoutes(way)).filter((route) => route.name === own)),
  );
  if (found.some((routes) => routes.length === 0)) return "it has not got the route from istiod";
  if (found.flat().every(({ match }) => (match?.filter_state?.length ?? 0) > 0)) return undefined;
  throw new FatalNotReady("the route has lost its guard on the way: this istiod does not know filter_state", {
    where: `pod ${proxy.pod.namespace}/${proxy.pod.name}`,
    next: "upgrade Istio; the route is taken off again if this command made it, else `keyway uninstall` does it",
  });
}

/** A running proxy keeps the listener that it had, but one that starts would have none: no matter of waiting either. */
async function refuseBrokenWatcher(proxy: ProxyAdmin): Promise<void> {
  const refused = (await proxy.refusedListeners()).find(({ configuration }) => configuration.includes(WATCHER_NAME));
  if (refused === undefined) return;
  throw new FatalNotReady(`the proxy refuses listener ${refused.name} with the watcher in it: ${refused.why}`, {
    where: `pod ${proxy.pod.namespace}/${proxy.pod.name}`,
    next: "build the watcher with `keyway build`, or name another with --watch-module, and run it again",
  });
}

/** Why a proxy does not have the routes that take what the filter selects: the guard, unless it is a gateway with twins, and the twins. */
export async function whyNotRouted(
  proxy: ProxyAdmin,
  named: Named,
  mode: Mode,
  twins: readonly TwinPatch[] | undefined,
): Promise<string | undefined> {
  const { gateway } = proxy.pod;
  const unguarded = gateway && twins !== undefined ? undefined : await whyNotGuarded(proxy, named, mode);
  if (unguarded !== undefined || twins === undefined) return unguarded;
  return whyNotTwinned({ gateway, routeConfigurations: await proxy.routeConfigurations() }, twins);
}

/** Why a proxy does not run exactly this version; undefined when it does. */
export async function whyNotLoaded(
  proxy: ProxyAdmin,
  { name, namespace, version }: Named & { version: number },
): Promise<string | undefined> {
  const extensions = (await proxy.extensions()).filter((one) => isFilterOf(one.name, namespace, name));
  if (extensions.length === 0) return "it has not got the filter from istiod";
  if (extensions.some(({ replaced }) => replaced)) {
    return `its agent could not pull the module and put a stand-in; ${standInHint(namespace)}`;
  }
  if (!extensions.some((one) => one.version === version)) {
    const others = extensions.map((one) => versionText(one.version ?? 0)).join(", ");
    return `it still runs version ${others}`;
  }
  const rejected = (await proxy.metrics())[METRIC_CONFIG_REJECTED];
  return rejected
    ? "the filter refuses its configuration (`kubectl logs POD -c istio-proxy` says which line)"
    : undefined;
}

/** The agent asks the registry once for each push of istiod's, and not again by itself. */
function standInHint(namespace: string): string {
  return `once the registry answers, \`keyway upgrade -n ${namespace}\` makes it ask again (\`kubectl logs POD -c istio-proxy\` says why it could not)`;
}

/** A connection that began before keeps its filter until Envoy has drained it (45 s, unless Istio is told otherwise), and the
 * proxy keeps what the filter was made of as long. */
export async function whyNotUnfiltered(proxy: ProxyAdmin, { namespace, name }: Named): Promise<string | undefined> {
  const left = (await proxy.extensions()).some((extension) => isFilterOf(extension.name, namespace, name));
  return left ? "its old connections are not drained yet" : undefined;
}

export async function whyNotUnrouted(proxy: ProxyAdmin, { namespace, name }: Named): Promise<string | undefined> {
  const routes = await Promise.all(ways.map((way) => proxy.guardedRoutes(way)));
  const own = [routeName(namespace, name), `${namespace}/${name}`];
  return routes.flat().some((route) => own.includes(route.name ?? "") || own.includes(ownerOf(route) ?? ""))
    ? "it still has the route"
    : undefined;
}
