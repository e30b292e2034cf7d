// Which routes a scope has, with the names that clusters have there.
import { compileRoute } from "../../routes/compiling/compile.ts";
import type { Surroundings as Compiling } from "../../routes/compiling/resolve.ts";
import { inboundCluster, serviceHost } from "../../routes/model/istio-cluster.ts";
import type { StoredRoute } from "../../routes/model/live-route.ts";
import type { Reference, Route } from "../../routes/model/model.ts";
import { ANY_BASELINE } from "../../routes/model/names.ts";
import type { ServiceName, ServicePort } from "../../routes/model/service.ts";
import { clusterOf } from "../state/filter.ts";
import { clusterReadiness, readyPart, serviceReadiness, targetNames } from "./readiness.ts";
import type { InboundPort, Scope } from "./scope.ts";
import { type Baseline, meshService, portOf, type Surroundings, servicesOf } from "./services.ts";

/** What a route is in a scope: nothing, or a route for each port that its baseline has there. */
export type Naming = (route: StoredRoute) => Route[];

export function namingFor(scope: Scope, surroundings: Surroundings): Naming {
  if (scope.kind === "plain") {
    const names = plainNames(scope, surroundings);
    return (route) => {
      const ready = readyPart(route, serviceReadiness(route, scope.namespace, surroundings));
      return ready ? plainRoutes(ready, names) : [];
    };
  }
  const isReady = clusterReadiness(surroundings);
  const ready = (routes: Route[]) => routes.flatMap((route) => readyPart(route, isReady) ?? []);
  const called = (route: StoredRoute, namespace: string) => outboundRoutes(route, namespace, surroundings).routes;
  if (scope.kind === "outbound") return (route) => ready(called(route, scope.namespace));
  if (scope.kind === "inbound") return (route) => ready(inboundRoutes(route, scope.ports, surroundings));
  // As a route file is compiled for both ways (compileBothWays): shares are cut by the caller alone, and what is from any baseline is there once.
  const isOnce = (route: StoredRoute) => route.split !== undefined || isFromAny(route);
  return (route) =>
    ready([
      ...called(route, scope.namespace),
      ...(isOnce(route) ? [] : inboundRoutes(route, scope.ports, surroundings)),
    ]);
}

/** Why a route that names services is in no table of proxies that call clusters as Istio does; undefined when nothing keeps it out. */
export function leftOut(route: StoredRoute, surroundings: Surroundings): string | undefined {
  if (clusterOf(route) !== undefined) return undefined;
  const { routes, why } = outboundRoutes(route, "default", surroundings);
  if (routes.length === 0 || why !== undefined) return why;
  const names = targetNames(route, surroundings);
  // Those of the caller's namespace may be ready there.
  if (names.some((name) => !name.includes("."))) return undefined;
  if (routes.some((one) => readyPart(one, clusterReadiness(surroundings)))) return undefined;
  return `no pod of ${names.join(", ")} is ready; until one is, requests take the baseline`;
}

/** The services and the clusters that a scope may have routes from, by the names that routes give them; undefined for any. */
export function interestOf(
  scope: Scope,
  surroundings: Surroundings,
): { services: string[]; clusters: string[] } | undefined {
  if (scope.kind === "outbound" || scope.kind === "both") return undefined;
  if (scope.kind === "plain") {
    const names = plainNames(scope, surroundings);
    return names && { services: [...names], clusters: [...names] };
  }
  const services = scope.ports.flatMap(({ service, namespace }) => namesOf(service, namespace, surroundings));
  const clusters = scope.ports.map(({ containerPort }) => inboundCluster(containerPort));
  return { services: [...new Set([ANY_BASELINE, ...services])], clusters: [...new Set([ANY_BASELINE, ...clusters])] };
}

/** All names of a service. One without a namespace is meant in each. */
export function namesOf(name: string, namespace: string, { domain }: Surroundings): string[] {
  return [name, `${name}.${namespace}`, `${name}.${namespace}.svc`, serviceHost({ name, namespace }, domain)];
}

/** Undefined for any. */
function plainNames({ service, namespace }: Scope & { kind: "plain" }, own: Surroundings): Set<string> | undefined {
  if (service === undefined || namespace === undefined) return undefined;
  return new Set([ANY_BASELINE, ...namesOf(service, namespace, own)]);
}

function plainRoutes(route: StoredRoute, names: ReadonlySet<string> | undefined): Route[] {
  const cluster = clusterOf(route) ?? serviceText(route).replace(/:.*/, "");
  if (names && !names.has(cluster)) return [];
  return compiled(route, baselineOf(route), { mode: "plain", namespace: "", domain: "", services: [] }).routes;
}

interface Compiled {
  routes: Route[];
  why?: string;
}

function outboundRoutes(route: StoredRoute, namespace: string, surroundings: Surroundings): Compiled {
  const cluster = clusterOf(route);
  if (cluster !== undefined && cluster !== ANY_BASELINE && !cluster.startsWith("outbound|")) return { routes: [] };
  const text = serviceText(route);
  const name = cluster === undefined ? meshService(text, surroundings) : undefined;
  if (!name) return compiledIn("outbound", route, namespace, undefined, surroundings);
  const home = name.namespace ?? namespace;
  const all = portsOf(name, home, surroundings).map((port) =>
    compiledIn("outbound", route, namespace, { name: name.name, namespace: home, port }, surroundings),
  );
  if (all.length === 0) return { routes: [], why: noPort(name, surroundings) };
  const why = all.find((one) => one.why !== undefined)?.why;
  return { routes: all.flatMap(({ routes }) => routes), ...(why !== undefined && { why }) };
}

/** The port that a name says, or else all that the service is known to have. */
function portsOf(name: ServiceName, namespace: string, surroundings: Surroundings): readonly ServicePort[] {
  const said = portOf(name, namespace, surroundings);
  if (said) return [said];
  return name.port === undefined ? (surroundings.services?.find(name.name, namespace)?.ports ?? []) : [];
}

function noPort({ name, namespace, port }: ServiceName, { services }: Surroundings): string {
  const service = namespace === undefined ? name : `${name}.${namespace}`;
  if (port !== undefined) return `nobody says which number port ${port} of ${service} has; write the number`;
  return services
    ? `no service ${service} is known, so its port isn't, either; write ${service}:PORT`
    : `which port of ${service}? Write ${service}:PORT`;
}

function inboundRoutes(route: StoredRoute, ports: readonly InboundPort[], surroundings: Surroundings): Route[] {
  const cluster = clusterOf(route);
  const home = ports[0]?.namespace ?? "";
  if (cluster !== undefined || isFromAny(route)) {
    const fits = ports.some(({ containerPort }) => inboundCluster(containerPort) === cluster);
    const isOurs = fits || (cluster ?? ANY_BASELINE) === ANY_BASELINE;
    return isOurs ? compiledIn("inbound", route, home, undefined, surroundings).routes : [];
  }
  const name = meshService(serviceText(route), surroundings);
  if (!name) return [];
  return ports
    .filter((own) => isPortOf(own, name, surroundings))
    .flatMap(({ namespace, port, containerPort }) => {
      const baseline = { name: name.name, namespace, port: { port, targetPort: containerPort } };
      return compiledIn("inbound", route, namespace, baseline, surroundings).routes;
    });
}

function isPortOf(own: InboundPort, name: ServiceName, surroundings: Surroundings): boolean {
  if (own.service !== name.name || (name.namespace ?? own.namespace) !== own.namespace) return false;
  return name.port === undefined || portOf(name, own.namespace, surroundings)?.port === own.port;
}

export const isFromAny = (route: StoredRoute): boolean => (clusterOf(route) ?? serviceText(route)) === ANY_BASELINE;

/** The baseline's service as the route names it; `*` for any. */
function serviceText({ service }: StoredRoute): string {
  if (typeof service === "object") return "service" in service ? service.service : "";
  return service ?? "";
}

function baselineOf({ service, from }: StoredRoute): Reference {
  return service ?? { cluster: from ?? "" };
}

function compiledIn(
  mode: "inbound" | "outbound",
  route: StoredRoute,
  namespace: string,
  baseline: Baseline | undefined,
  surroundings: Surroundings,
): Compiled {
  const services = servicesOf(route, namespace, baseline, surroundings);
  return compiled(route, at(baselineOf(route), baseline), { mode, namespace, domain: surroundings.domain, services });
}

/** A reference to a service with its namespace and port said. */
function at(reference: Reference, baseline: Baseline | undefined): Reference {
  if (!baseline) return reference;
  const service = `${baseline.name}.${baseline.namespace}:${baseline.port.port}`;
  return typeof reference === "object" && "service" in reference ? { ...reference, service } : service;
}

/** Where a route names its baseline as a cluster it names its targets so, too. */
function compiled(route: StoredRoute, from: Reference, surroundings: Compiling): Compiled {
  if (route.from !== undefined) return { routes: [route as unknown as Route] };
  const result = compileRoute({ ...route, from } as Route<Reference, Reference>, surroundings);
  return Array.isArray(result) ? { routes: [], why: result[0]?.message ?? "" } : { routes: [result.route] };
}
