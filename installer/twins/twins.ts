// The twins of a whole route configuration. A request that the filter selected takes the twin of the route that it would have
// taken, so it keeps all that the route says and differs only in where it goes.
import { hopMark, isGuarded, type Proof, proofFor, proofHeaders, withRemoval } from "./headers.ts";
import { field, isMessage, keyOf, type Message, messages, type Spelling, withField } from "./spelling.ts";
import { twinOf } from "./twin.ts";

export interface TwinOptions {
  /** What routed answers say of themselves; inside a cluster, their target. */
  proof?: Proof;
  /** Which virtual hosts get twins, by name; all when it is left out. */
  includes?: (virtualHost: string) => boolean;
}

export interface Twins {
  virtualHosts: readonly HostTwins[];
  remarks: readonly TwinRemark[];
}

export interface HostTwins {
  name: string;
  /** The place among the route configuration's virtual hosts. */
  index: number;
  /** Each with the place, among the virtual host's routes as given, of the route before which it stands. */
  twins: readonly { before: number; twin: Message }[];
}

/** Something that is not kept, or not known, for a person to read. */
export interface TwinRemark {
  /** `no-twin`: keyed requests of this route go to the baseline. `own-bucket`: see OWN_BUCKET. `elsewhere`: its routes are not here. */
  kind: "no-twin" | "own-bucket" | "elsewhere";
  /** The keys that lead to it in the route configuration. */
  path: readonly (string | number)[];
  /** The virtual host and route in words. */
  what: string;
  /** For `own-bucket`, the filter's name. */
  why: string;
}

/** How a route configuration spells its fields: `virtual_hosts` as in a configuration dump, or `virtualHosts`. */
export function spellingOf(routeConfiguration: Message): Spelling {
  return "virtualHosts" in routeConfiguration ? "camel" : "snake";
}

/** What has to stand before which routes. Twins and guards that are there already are looked past, so that it can be asked again. */
export function twinsOf(routeConfiguration: Message, options: TwinOptions = {}): Twins {
  const { proof = proofFor("inside"), includes = () => true } = options;
  const spelling = spellingOf(routeConfiguration);
  const mutations = { request: [hopMark(routeConfiguration)], response: proofHeaders(proof) };
  const remarks = discovered(routeConfiguration);
  const key = keyOf(routeConfiguration, "virtual_hosts") ?? "virtual_hosts";
  const virtualHosts = listed(routeConfiguration, "virtual_hosts").flatMap(({ item: host, index }): HostTwins[] => {
    const name = field<string>(host, "name") ?? "";
    if (!includes(name)) return [];
    const path = [key, index];
    remarks.push(...inMatcher(host, name, path));
    const twins = listed(host, "routes").flatMap(({ item: route, index: before }) => {
      const made = isGuarded(route) ? undefined : twinOf(route, mutations, spelling);
      if (made === undefined) return [];
      const place = { path: [...path, keyOf(host, "routes") ?? "routes", before], what: wordsFor(name, route, before) };
      remarks.push(
        ...("why" in made ? [{ kind: "no-twin" as const, ...place, why: made.why }] : ownBucket(route, place)),
      );
      return "why" in made ? [] : [{ before, twin: made.twin }];
    });
    return [{ name, index, twins }];
  });
  return { virtualHosts, remarks };
}

/** The route configuration with its twins in place of those that it had, and with the selection header taken off behind them. */
export function withTwins(routeConfiguration: Message, options: TwinOptions = {}): Message {
  const spelling = spellingOf(routeConfiguration);
  const { virtualHosts } = twinsOf(routeConfiguration, options);
  const twinsAt = new Map(
    virtualHosts.map(({ index, twins }) => [index, new Map(twins.map((one) => [one.before, one.twin]))]),
  );
  const hosts = (field<readonly unknown[]>(routeConfiguration, "virtual_hosts") ?? []).map((host, index) => {
    const twins = twinsAt.get(index);
    if (!isMessage(host) || twins === undefined) return host;
    const routes = (field<readonly unknown[]>(host, "routes") ?? []).flatMap((route, at) => {
      if (isMessage(route) && isGuarded(route)) return [];
      return twins.has(at) ? [twins.get(at), route] : [route];
    });
    return withField(host, "routes", routes, spelling);
  });
  return withRemoval(withField(routeConfiguration, "virtual_hosts", hosts, spelling), spelling);
}

function discovered(routeConfiguration: Message): TwinRemark[] {
  const key = keyOf(routeConfiguration, "vhds");
  const why = "they come from a control plane, so their twins have to be made there";
  return key === undefined ? [] : [{ kind: "elsewhere", path: [key], what: "virtual hosts by VHDS", why }];
}

function inMatcher(host: Message, name: string, path: TwinRemark["path"]): TwinRemark[] {
  const key = keyOf(host, "matcher");
  const why = "its routes stand in a matcher tree";
  return key === undefined ? [] : [{ kind: "no-twin", path: [...path, key], what: `virtual host ${name}`, why }];
}

/** The messages of a repeated field with their places. */
function listed(message: Message, name: string): { item: Message; index: number }[] {
  const list = field<readonly unknown[]>(message, name) ?? [];
  return list.flatMap((item, index) => (isMessage(item) ? [{ item, index }] : []));
}

function wordsFor(host: string, route: Message, index: number): string {
  const name = field<string>(route, "name");
  return `virtual host ${host}, route ${name ? name : `number ${index + 1}`}`;
}

/**
 * Filters whose settings for one route hold a bucket of their own. A twin has another bucket, so where such a filter stands behind
 * Keyway and sees the twin, a key would get a second allowance; where it stands before Keyway it sees the route itself.
 */
const OWN_BUCKET = /\.(LocalRateLimit|BandwidthLimit)$/;

function ownBucket(route: Message, place: Pick<TwinRemark, "path" | "what">): TwinRemark[] {
  const action = field<Message>(route, "route") ?? {};
  const weighted = field<Message>(action, "weighted_clusters") ?? {};
  const holders = [route, ...messages(weighted, "clusters")];
  const filters = holders.flatMap((holder) =>
    Object.entries(field<Message>(holder, "typed_per_filter_config") ?? {})
      .filter(([, config]) => isMessage(config) && OWN_BUCKET.test(typeOf(config)))
      .map(([filter]) => filter),
  );
  return filters.map((filter) => ({ kind: "own-bucket", ...place, why: filter }));
}

/** The type of a filter's settings, which may stand inside a FilterConfig or a TypedStruct. */
function typeOf(config: Message): string {
  const inner = field(config, "config");
  const type = field<string>(config, "type_url") ?? config["@type"];
  return isMessage(inner) && inner["@type"] ? typeOf(inner) : String(type ?? "");
}
