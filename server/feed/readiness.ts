// A target of which no pod is ready is in no table, so that requests take the baseline before one of them meets it.
import { parseOutboundCluster, parseServiceHost } from "../../routes/model/istio-cluster.ts";
import type { StoredRoute } from "../../routes/model/live-route.ts";
import type { Reference, Route } from "../../routes/model/model.ts";
import { serviceText } from "../../routes/model/qualify.ts";
import { targetsOf } from "../../routes/model/targets.ts";
import { meshService, type Surroundings } from "./services.ts";

/** Whether a target may be in a table. What nobody knows anything of may. */
type IsReady<Target> = (to: Target) => boolean;

interface Leading<Target> {
  to?: Target | undefined;
  split?: readonly { to: Target }[] | undefined;
  missing?: string | undefined;
}

/** The route without the targets that are not ready; undefined where none is left. */
export function readyPart<Own extends Leading<Target>, Target>(route: Own, isReady: IsReady<Target>): Own | undefined {
  // Who wants an error in place of the baseline leaves it to the proxy to find the target missing.
  if (route.missing === "fail") return route;
  const { to, split } = route;
  if (split === undefined) return to === undefined || isReady(to) ? route : undefined;
  const left = split.filter((share) => isReady(share.to));
  if (left.length === split.length) return route;
  return left.length === 0 ? undefined : { ...route, split: left };
}

/** Of clusters that are named as Istio names them: a service of the mesh that is not there, or has no such port, is no target either. */
export function clusterReadiness({ services, domain }: Surroundings): IsReady<string> {
  return (cluster) => {
    const service = serviceIn(cluster, domain);
    return service === undefined || (services?.isReady?.(service.name, service.namespace, service.port) ?? true);
  };
}

/** Of a route's targets in the table of an Envoy without a mesh, whose clusters may have the names of Services without being any. */
export function serviceReadiness(
  route: StoredRoute,
  home: string | undefined,
  surroundings: Surroundings,
): IsReady<Reference> {
  return (to) => {
    const target = targetOf(to, route, surroundings);
    const namespace = target?.namespace ?? home;
    const { services } = surroundings;
    if (target === undefined || namespace === undefined) return true;
    if (services?.find(target.name, namespace) === undefined) return true;
    return services.isReady?.(target.name, namespace, target.port) ?? true;
  };
}

/** The services that the route has for targets, as `NAME.NAMESPACE`, or `NAME` for those of the caller's namespace. */
export function targetNames(route: StoredRoute, surroundings: Surroundings): string[] {
  const names = targetsOf(route as Route<Reference, Reference>).flatMap((to) => {
    const target = targetOf(to, route, surroundings);
    return target ? [target.namespace === undefined ? target.name : `${target.name}.${target.namespace}`] : [];
  });
  return [...new Set(names)];
}

/** A service that a route has for a target. */
interface Target {
  name: string;
  /** Unknown where neither the target nor the baseline says it: it is the caller's. */
  namespace: string | undefined;
  /** Number or name. */
  port: number | string | undefined;
}

/** Undefined for what is no service of this mesh. */
function targetOf(to: Reference, route: StoredRoute, surroundings: Surroundings): Target | undefined {
  const cluster = clusterIn(to, route);
  if (cluster !== undefined) return serviceIn(cluster, surroundings.domain);
  const name = meshService(serviceText(to) ?? "", surroundings);
  if (name === undefined) return undefined;
  const baseline = meshService(serviceText(route.service) ?? "", surroundings);
  return { name: name.name, namespace: name.namespace ?? baseline?.namespace, port: name.port };
}

/** A route that names its baseline as a cluster names its targets so, too. */
function clusterIn(to: Reference, { from }: StoredRoute): string | undefined {
  if (typeof to === "object") return "cluster" in to ? to.cluster : undefined;
  return from === undefined ? undefined : to;
}

/** Of an outbound cluster, as Istio names them. */
function serviceIn(cluster: string, domain: string): (Target & { namespace: string }) | undefined {
  const { host = "", port } = parseOutboundCluster(cluster) ?? {};
  const service = host.endsWith(`.svc.${domain}`) ? parseServiceHost(host) : undefined;
  return service && { ...service, port };
}
