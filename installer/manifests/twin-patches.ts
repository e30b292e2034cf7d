// The twins of Istio's own routes, as patches of an EnvoyFilter. They are made from what the selected proxies really have, after everything else that
// Istio and other EnvoyFilters do to a route. Every function here is pure.
import { matchOf } from "../../routes/deciding/match.ts";
import { PLUGIN_NAME } from "../../routes/model/names.ts";
import { isGuarded, type Proof } from "../twins/headers.ts";
import { field, type Message, messages } from "../twins/spelling.ts";
import { twinsOf } from "../twins/twins.ts";

/** The route configurations of one proxy, as its configuration dump has them. */
export interface ProxyRoutes {
  /** `NAMESPACE/POD`, for people. */
  pod: string;
  gateway: boolean;
  routeConfigurations: readonly Message[];
}

export interface TwinScope {
  /** `NAMESPACE/NAME` of the installation. */
  owner: string;
  /** A gateway gets twins of all its routes, a sidecar those of the routes to these baselines. */
  baselines: readonly string[];
  /** What routed answers say of themselves, at gateways and elsewhere. */
  proofFor: (gateway: boolean) => Proof;
}

export type TwinContext = "GATEWAY" | "SIDECAR_OUTBOUND";

export interface TwinPatch {
  applyTo: "HTTP_ROUTE";
  match: { context: TwinContext; routeConfiguration: { name: string; vhost: { name: string } } };
  patch: { operation: "INSERT_FIRST"; value: Message };
}

export interface TwinPatches {
  patches: readonly TwinPatch[];
  /** What gets no twin, and why, for people. */
  remarks: readonly string[];
}

/** The API server keeps objects of up to 1.5 MB; the rest of the EnvoyFilter and its managed fields need room, too. */
const MOST_BYTES = 1_000_000;

/**
 * The patches that put a twin before each route that the scope asks for. Each patch inserts at the front of its virtual host, so the last route comes
 * first. A virtual host that proxies have in different forms gets none, as one EnvoyFilter serves them all.
 */
export function twinPatches(proxies: readonly ProxyRoutes[], scope: TwinScope): TwinPatches {
  const remarks = new Set<string>();
  const hosts = new Map<string, HostPatches>();
  const disputed = new Set<string>();
  for (const { pod, gateway, routeConfigurations } of proxies) {
    for (const configuration of routeConfigurations) {
      for (const host of patchesOf(configuration, gateway, scope, remarks)) {
        const before = hosts.get(host.key);
        if (before === undefined) hosts.set(host.key, { ...host, pod });
        else if (before.text !== host.text && !disputed.has(host.key)) {
          disputed.add(host.key);
          remarks.add(
            `${host.what}: ${before.pod} and ${pod} have different routes, so there is no twin that fits both`,
          );
        }
      }
    }
  }
  const agreed = [...hosts.values()].filter(({ key }) => !disputed.has(key)).sort((a, b) => (a.key < b.key ? -1 : 1));
  let left = MOST_BYTES;
  const fitting = agreed.filter(({ text }) => {
    left -= text.length;
    return left >= 0;
  });
  const rest = agreed.length - fitting.length;
  if (rest > 0)
    remarks.add(`${rest} more virtual hosts: an EnvoyFilter has no room for their twins (${MOST_BYTES} bytes)`);
  return { patches: fitting.flatMap(({ patches }) => patches), remarks: [...remarks].sort() };
}

interface HostPatches {
  /** Names the virtual host among all proxies. */
  key: string;
  what: string;
  pod?: string;
  patches: TwinPatch[];
  /** The patches as JSON, to be compared and weighed. */
  text: string;
}

function patchesOf(
  configuration: Message,
  gateway: boolean,
  { owner, baselines, proofFor }: TwinScope,
  remarks: Set<string>,
): HostPatches[] {
  const name = field<string>(configuration, "name") ?? "";
  const context: TwinContext = gateway ? "GATEWAY" : "SIDECAR_OUTBOUND";
  const concerned = (route: Message | undefined) =>
    route !== undefined && (gateway || clustersOf(route).some((cluster) => isBaseline(cluster, baselines)));
  const all = messages(configuration, "virtual_hosts");
  const made = twinsOf(configuration, { proof: proofFor(gateway) });
  for (const { kind, path, what, why } of made.remarks) {
    const [, host, , route] = path;
    if (kind === "no-twin" && !concerned(routeAt(all, host, route))) continue;
    remarks.add(kind === "own-bucket" ? `${what}: ${ownBucketRemark(why)}` : `${what}: ${why}`);
  }
  return made.virtualHosts.flatMap(({ name: vhost, index, twins }) => {
    const own = twins.filter(({ before }) => concerned(routeAt(all, index, before)));
    if (own.length === 0) return [];
    const match = { context, routeConfiguration: { name, vhost: { name: vhost } } };
    const patches = own.reverse().map(({ twin }): TwinPatch => {
      return { applyTo: "HTTP_ROUTE", match, patch: { operation: "INSERT_FIRST", value: owned(twin, owner) } };
    });
    const what = `virtual host ${vhost} of ${name}`;
    return [{ key: `${context} ${name} ${vhost}`, what, patches, text: JSON.stringify(patches) }];
  });
}

function ownBucketRemark(filter: string): string {
  return `its ${filter} has a bucket of its own for routed requests, unless the filter stands before Keyway`;
}

function routeAt(hosts: readonly Message[], host: unknown, route: unknown): Message | undefined {
  if (typeof host !== "number" || typeof route !== "number") return undefined;
  return messages(hosts[host] ?? {}, "routes")[route];
}

/** The clusters that a route may send a request to. */
export function clustersOf(route: Message): string[] {
  const action = field<Message>(route, "route") ?? {};
  const weighted = messages(field<Message>(action, "weighted_clusters") ?? {}, "clusters");
  const names = [field(action, "cluster"), ...weighted.map((entry) => field(entry, "name"))];
  return names.filter((name) => typeof name === "string");
}

function isBaseline(cluster: string, baselines: readonly string[]): boolean {
  return baselines.some((from) => matchOf({ from }, cluster) !== undefined);
}

const OWNER = "installation";

/** The route with a note of whose it is, since a twin keeps the name of its route. */
function owned(twin: Message, owner: string): Message {
  const metadata = field<Message>(twin, "metadata") ?? {};
  const filters = field<Message>(metadata, "filter_metadata") ?? {};
  return { ...twin, metadata: { ...metadata, filter_metadata: { ...filters, [PLUGIN_NAME]: { [OWNER]: owner } } } };
}

/** Whose twin a route is; undefined for a route that is none. */
export function ownerOf(route: Message): string | undefined {
  if (!isGuarded(route)) return undefined;
  const filters = field<Message>(field<Message>(route, "metadata") ?? {}, "filter_metadata") ?? {};
  const own = filters[PLUGIN_NAME];
  return typeof own === "object" && own !== null ? (own as Record<string, string>)[OWNER] : undefined;
}
