// What a route is to clients of Signadot's routes API: a part of the rule that a workload has for a key.
import type { StoredRoute } from "../../../routes/model/live-route.ts";
import type { Reference } from "../../../routes/model/model.ts";
import { ANY_BASELINE } from "../../../routes/model/names.ts";
import { SANDBOX_LABEL } from "../../../routes/model/sandbox.ts";
import { parseHostName, parseServiceName, type ServiceName } from "../../../routes/model/service.ts";
import { containerPort, type PlacedPort, type Places } from "./places.ts";

/** A rule in the form that the REST API shows. One is known by its key and its baseline; it never changes, another one takes its place. */
export interface Rule {
  readonly routingKey: string;
  readonly baseline: Baseline;
  readonly destinationSandbox: { readonly name: string };
  readonly mappings: readonly Mapping[];
}

/** A workload. */
export interface Baseline {
  /** `Deployment`, `StatefulSet`, `ArgoRollout`, or what a route says. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface Mapping {
  /** Where the containers of the baseline listen. */
  readonly workloadPort: number;
  /** Each of them will do, and clients take the first one. */
  readonly destinations: readonly Location[];
}

export interface Location {
  readonly host: string;
  readonly port: number;
}

/** What one route gives to the rule of one workload. */
export interface Part {
  baseline: Baseline;
  sandbox: string;
  ports: { workloadPort: number; destination: Location }[];
}

/** Why a route is in no rule. */
export const LEFT_OUT = {
  conditions: "it is not for a key alone: it has conditions, or shares",
  any_baseline: "it is from any baseline",
  cluster: "it names a cluster, whose host and port nobody knows",
  subset: "it names a subset, which has no host of its own",
  workload: "no workload is known for its baseline",
  target: "no host and port are known for its target",
} as const;
export type LeftOut = keyof typeof LEFT_OUT;

export interface Surroundings {
  /** The mesh's DNS domain. */
  domain: string;
  /** What the cluster has; undefined outside of one, where routes have to name workloads. */
  places?: Places;
}

/** The parts of a route, at least one, or why it has none. */
export function partsOf(route: StoredRoute, surroundings: Surroundings): Part[] | LeftOut {
  const { key, when, service, from, to, workload } = route;
  if (key === undefined || when !== undefined) return "conditions";
  if ((service ?? from) === ANY_BASELINE) return "any_baseline";
  const [baseline, target] = [serviceIn(service), serviceIn(from === undefined ? to : undefined)];
  if (!("text" in baseline)) return baseline.why;
  if (!("text" in target)) return target.why;
  const name = meshService(baseline.text, surroundings);
  if (workload !== undefined) {
    const { port, ...known } = workload;
    const usual = { port: typeof name?.port === "number" ? name.port : port };
    const location = locate(
      route,
      target.text,
      { namespace: name?.namespace ?? workload.namespace, usual },
      surroundings,
    );
    if (typeof location === "string") return location;
    return [{ baseline: known, sandbox: location.sandbox, ports: [{ workloadPort: port, destination: location.at }] }];
  }
  return name === undefined ? "workload" : clusterParts(route, name, target.text, surroundings);
}

/** Every workload behind the baseline, in each namespace that has a Service of this name where the route says none. */
function clusterParts(
  route: StoredRoute,
  name: ServiceName,
  target: string,
  surroundings: Surroundings,
): Part[] | LeftOut {
  const { places } = surroundings;
  let why: LeftOut = "workload";
  const parts: Part[] = [];
  for (const service of places?.services(name.name, name.namespace) ?? []) {
    const ports = service.ports.filter(
      ({ port, name: own }) => name.port === undefined || [port, own].includes(name.port),
    );
    const located = ports.map((usual) => {
      return { usual, location: locate(route, target, { namespace: service.namespace, usual }, surroundings) };
    });
    for (const workload of places?.workloads(service) ?? []) {
      let sandbox = "";
      const mapped = located.flatMap(({ usual, location }) => {
        const workloadPort = containerPort(usual, workload);
        if (workloadPort === undefined) return [];
        if (typeof location === "string") {
          why = location;
          return [];
        }
        sandbox ||= location.sandbox;
        return [{ workloadPort, destination: location.at }];
      });
      const { kind, namespace, name: own } = workload;
      if (mapped.length > 0) parts.push({ baseline: { kind, namespace, name: own }, sandbox, ports: mapped });
    }
  }
  return parts.length > 0 ? parts : why;
}

interface Meant {
  /** Of a target that says none. */
  namespace: string;
  /** The baseline's port, which is that of a target that says none. */
  usual: PlacedPort;
}

/** Host and port of a target, and the sandbox that it belongs to. */
function locate(
  route: StoredRoute,
  text: string,
  { namespace, usual }: Meant,
  surroundings: Surroundings,
): { at: Location; sandbox: string } | LeftOut {
  const name = meshService(text, surroundings);
  if (name === undefined) {
    const host = parseHostName(text);
    if (host === undefined || typeof host.port === "string") return "target";
    return { at: { host: host.host, port: host.port ?? usual.port }, sandbox: sandboxOf(route) };
  }
  const home = name.namespace ?? namespace;
  const [service] = surroundings.places?.services(name.name, home) ?? [];
  if (surroundings.places && service === undefined) return "target";
  const port = service ? portIn(service.ports, name.port, usual) : (name.port ?? usual.port);
  if (typeof port !== "number") return "target";
  const host = `${name.name}.${home}.svc${name.domain === undefined ? "" : `.${name.domain}`}`;
  return { at: { host, port }, sandbox: service?.sandbox ?? sandboxOf(route) };
}

/** The port that is asked for, or else the baseline's, by its number or by its name. */
function portIn(
  ports: readonly PlacedPort[],
  said: number | string | undefined,
  usual: PlacedPort,
): number | undefined {
  const byNumber = ports.find(({ port }) => port === (said ?? usual.port));
  return (byNumber ?? ports.find(({ name }) => name !== undefined && name === (said ?? usual.name)))?.port;
}

/** The Sandbox that made the route, or else its key: what clients compare with a name of their own is never empty. */
function sandboxOf({ labels, owner, key }: StoredRoute): string {
  const [, owning] = /^Sandbox [^/]+\/(.+)$/.exec(owner ?? "") ?? [];
  return labels?.[SANDBOX_LABEL] || owning || (key ?? "");
}

/** The name of the service that is meant, or why none is. */
function serviceIn(reference: Reference | undefined): { text: string } | { why: LeftOut } {
  if (typeof reference === "string") return { text: reference };
  if (reference === undefined || "cluster" in reference) return { why: "cluster" };
  return reference.subset === undefined ? { text: reference.service } : { why: "subset" };
}

/** Undefined for what is not a service of this mesh. */
function meshService(text: string, { domain }: Surroundings): ServiceName | undefined {
  const name = parseServiceName(text);
  return name?.domain === undefined || name.domain === domain ? name : undefined;
}

/** One rule out of the parts of several routes, in the order of the routes' ids. */
export function mergeParts(routingKey: string, parts: readonly Part[]): Rule | undefined {
  const [first] = parts;
  if (first === undefined) return undefined;
  const mappings = new Map<number, Location[]>();
  for (const { workloadPort, destination } of parts.flatMap(({ ports }) => ports)) {
    const destinations = mappings.get(workloadPort) ?? [];
    mappings.set(workloadPort, destinations);
    if (!destinations.some((one) => isSameLocation(one, destination))) destinations.push(destination);
  }
  return {
    routingKey,
    baseline: first.baseline,
    destinationSandbox: { name: first.sandbox },
    mappings: [...mappings]
      .sort(([a], [b]) => a - b)
      .map(([workloadPort, destinations]) => ({ workloadPort, destinations })),
  };
}

/** Whether two rules of one key and baseline say the same. */
export function isSameRule(one: Rule | undefined, other: Rule | undefined): boolean {
  if (one === other) return true;
  if (one?.destinationSandbox.name !== other?.destinationSandbox.name) return false;
  const [ours = [], theirs = []] = [one?.mappings, other?.mappings];
  return (
    ours.length === theirs.length &&
    ours.every(({ workloadPort, destinations }, at) => {
      const there = theirs[at];
      return (
        there?.workloadPort === workloadPort &&
        there.destinations.length === destinations.length &&
        destinations.every((location, place) => isSameLocation(location, there.destinations[place]))
      );
    })
  );
}

const isSameLocation = (one: Location, other: Location | undefined) =>
  one.host === other?.host && one.port === other.port;
