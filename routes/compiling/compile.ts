import { inboundCluster, isInboundCluster, outboundCluster } from "../model/istio-cluster.ts";
import type { Configuration, Reference, Route } from "../model/model.ts";
import { ANY_BASELINE } from "../model/names.ts";
import { podPort, portText, type ServicePort } from "../model/service.ts";
import { cutOff } from "../model/weight.ts";
import { ConfigurationError, type Diagnostic, type Path } from "../reading/diagnostic.ts";
import { repeats } from "../reading/duplicates.ts";
import type { RouteFile } from "../reading/route-file.ts";
import { type OwnService, resolve, type Surroundings, type Use } from "./resolve.ts";

export interface Compiled {
  configuration: Configuration;
  /** The services that were named, for whoever checks them further; none in mode plain. */
  uses: Use[];
}

/** Turns the services of a route file into the names of clusters; throws a ConfigurationError with lines and columns. */
export function compileRoutes(file: RouteFile, surroundings: Surroundings): Compiled {
  const compile = surroundings.mode === "both" ? compileBothWays : compileOneWay;
  const compiled = file.routes.flatMap((route, index) => {
    return compile(route, surroundings, ["routes", index]).map((result) => ({ result, index }));
  });
  const diagnostics = compiled.flatMap(({ result }) => (Array.isArray(result) ? result : []));
  const done = compiled.flatMap(({ result, index }) => (Array.isArray(result) ? [] : [{ ...result, index }]));
  const all = diagnostics.length > 0 ? diagnostics : repeated(done, surroundings);
  if (all.length > 0) throw new ConfigurationError(file.locate(all));
  const { locate: _, ...rest } = file;
  return {
    configuration: { ...rest, routes: done.map(({ route }) => route) },
    uses: done.flatMap(({ uses }) => uses),
  };
}

type Compiling = (
  route: Route<Reference, Reference>,
  surroundings: Surroundings,
  path: Path,
) => ReturnType<typeof compileRoute>[];

const compileOneWay: Compiling = (route, surroundings, path) => [compileRoute(route, surroundings, path)];

/**
 * A route as callers see it, and, where all workloads with the filter answer for its baseline, as their own proxies see it, too: for callers
 * without the filter. Shares are cut by the caller alone, since the called proxy would cut them again from what the caller leaves.
 */
const compileBothWays: Compiling = (route, surroundings, path) => {
  const outbound = compileRoute(route, { ...surroundings, mode: "outbound" }, path);
  if (Array.isArray(outbound) || "split" in route) return [outbound];
  const baseline = outbound.uses.find(({ role }) => role === "baseline");
  if (!baseline || !answersFor(surroundings.own ?? [], baseline)) return [outbound];
  return [outbound, compileRoute(route, { ...surroundings, mode: "inbound" }, path)];
};

function answersFor(own: readonly OwnService[], { service, subset, port }: Use): boolean {
  if (!service || subset !== undefined || podPort(port) === undefined) return false;
  return own.some(({ name, namespace }) => name === service.name && namespace === service.namespace);
}

/** Turns the services of one route into the names of clusters; diagnostics say why that can't be done. */
export function compileRoute(
  route: Route<Reference, Reference>,
  surroundings: Surroundings,
  path: Path = [],
): { route: Route; uses: Use[] } | Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const uses: Use[] = [];

  const name = (reference: Reference, at: Path, role: Use["role"], baseline?: Use) => {
    const named = nameOf(reference, at, role, surroundings, baseline);
    if (named instanceof Error) diagnostics.push({ path: at, message: named.message });
    else if (named.use) uses.push(named.use);
    return named instanceof Error ? undefined : named;
  };

  const from = name(route.from, [...path, "service"], "baseline");
  // A target has its baseline's namespace and port unless said: without a baseline nothing true can be said about it.
  const target = (reference: Reference, ...more: (string | number)[]) =>
    from === undefined ? "" : (name(reference, [...path, ...more], "target", from.use)?.cluster ?? "");
  const start = { ...route, from: from?.cluster ?? "" };
  const compiled =
    "split" in route
      ? {
          ...start,
          split: route.split.map(({ to, weight }, share) => {
            return { to: target(to, "split", share, "to"), weight: cutOff(weight) };
          }),
        }
      : { ...start, to: target(route.to, "to") };
  return diagnostics.length > 0 ? diagnostics : { route: compiled as Route, uses };
}

/** The cluster of one service, as a baseline; an Error's message says why there is none. */
export function baselineCluster(text: string, surroundings: Surroundings): string | Error {
  const named = nameOf(text, [], "baseline", surroundings, undefined);
  return named instanceof Error ? named : named.cluster;
}

/** Two services can be one baseline: the called proxy knows them by the port alone. What repeats a route on both ways is told once. */
function repeated(compiled: { route: Route; index: number }[], { mode }: Surroundings): Diagnostic[] {
  const why = "; inbound, a proxy tells services apart by their port alone, so give each workload a file of its own";
  const told = new Map<number, Diagnostic>();
  for (const { at, earlier, what } of repeats(compiled.map(({ route }) => route))) {
    const [index = 0, first = 0] = [compiled[at]?.index, compiled[earlier]?.index];
    const inbound = mode === "inbound" || (mode === "both" && isInboundCluster(compiled[at]?.route.from));
    if (told.has(index)) continue;
    told.set(index, { path: ["routes", index], message: `same ${what} as routes[${first}]${inbound ? why : ""}` });
  }
  return [...told.values()];
}

interface Named {
  cluster: string;
  use?: Use;
}

function nameOf(
  reference: Reference,
  path: Path,
  role: Use["role"],
  surroundings: Surroundings,
  baseline: Use | undefined,
): Named | Error {
  if (reference === ANY_BASELINE) return { cluster: ANY_BASELINE };
  if (typeof reference === "object" && "cluster" in reference) return reference;
  const { service: text, subset } = typeof reference === "string" ? { service: reference } : reference;
  if (surroundings.mode === "plain") {
    if (subset !== undefined) return new Error("a plain Envoy knows no subsets; name the cluster: {cluster: NAME}");
    return { cluster: text.replace(/:.*/, "") };
  }
  const found = resolve(text, surroundings, baseline);
  if (found instanceof Error) return found;
  const { subsets, service, host } = found;
  if (subset !== undefined && subsets && !subsets.includes(subset)) {
    return new Error(`${service?.name ?? host} has no subset ${subset}; it has ${subsets.join(", ") || "none"}`);
  }
  const use: Use = { path, role, ...found, ...(subset !== undefined && { subset }) };
  if (role === "baseline" && surroundings.mode === "inbound") {
    const cluster = ownCluster(use);
    return cluster instanceof Error ? cluster : { cluster, use };
  }
  return { cluster: outboundCluster({ port: use.port.port, subset: subset ?? "", host }), use };
}

/** The cluster of the workload itself that the filter's proxy stands before. */
function ownCluster({ host, service, port, subset }: Use): string | Error {
  if (!service) {
    return new Error(`inbound, the baseline is a service of the selected workload itself; ${host} is a host outside`);
  }
  if (subset !== undefined) {
    return new Error(
      "inbound, a proxy does not know as which subset it was called; leave the subset out and select its workload",
    );
  }
  const number = podPort(port);
  if (number !== undefined) return inboundCluster(number);
  return new Error(
    `port ${portText(port)} of ${service.name}.${service.namespace} leads to the pods' port ${unresolved(port)}; ` +
      'name the cluster of the right one instead: {cluster: "inbound|NUMBER||"}',
  );
}

function unresolved({ targetPort }: ServicePort): string {
  if (typeof targetPort !== "object") return "";
  const { name, numbers } = targetPort;
  if (numbers === undefined) return `"${name}", whose number nobody looked up in that namespace`;
  if (numbers.length > 0) return `"${name}", which is ${numbers.join(" in some pods and ")} in others`;
  return `"${name}", and no pod that declares it is there to say its number`;
}
