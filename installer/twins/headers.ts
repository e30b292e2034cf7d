// What a route that obeys the selection does to headers, and how it is recognised.
import {
  HEADER_CLUSTER,
  HEADER_ROUTED,
  HEADER_SERVED,
  STATE_LINK_CACHE_KEY,
  STATE_LINK_KEY,
} from "../../routes/model/names.ts";
import { field, isMessage, type Message, messages, respelled, type Spelling, withField } from "./spelling.ts";

/** What a routed answer says of itself. */
export interface Proof {
  /** `x-keyway-served: TARGET`. */
  served: boolean;
  /** `cache-control: no-store`, so that no shared cache serves a sandbox's answer to others. */
  noStore: boolean;
  /** What the filter left for the answer to a link: the cookie, and `cache-control: no-store`. */
  links?: boolean;
}

/** Inside a mesh or a cluster a routed answer names its target; at its edge it only keeps out of caches. */
export function proofFor(place: "inside" | "edge"): Proof {
  return place === "edge" ? { served: false, noStore: true } : { served: true, noStore: false };
}

/** Each header replaces one of the same name, whoever sent it. */
export function setHeader(key: string, value: string) {
  return { header: { key, value }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" };
}

/**
 * The hop mark, `x-keyway-routed: TARGET`. The route takes the name from the selection header, which the route configuration removes
 * only afterwards, unless it says `most_specific_header_mutations_wins`: then the name is that of the cluster that was resolved.
 */
export function hopMark(routeConfiguration: Message = {}) {
  const gone = field(routeConfiguration, "most_specific_header_mutations_wins") === true;
  return setHeader(HEADER_ROUTED, gone ? "%UPSTREAM_CLUSTER_RAW%" : `%REQ(${HEADER_CLUSTER})%`);
}

export function proofHeaders({ served, noStore, links = false }: Proof) {
  const cacheOfLinks = links ? [setHeader("cache-control", filterState(STATE_LINK_CACHE_KEY))] : [];
  return [
    ...(served ? [setHeader(HEADER_SERVED, `%REQ(${HEADER_ROUTED})%`)] : []),
    ...(noStore ? [setHeader("cache-control", "no-store")] : cacheOfLinks),
    ...(links ? [addHeader("set-cookie", filterState(STATE_LINK_KEY))] : []),
  ];
}

/** Envoy leaves a header out whose text is empty, as it is where there is no such filter state. */
function filterState(key: string): string {
  return `%FILTER_STATE(${key}:PLAIN)%`;
}

/** The header stands beside others of the same name. */
function addHeader(key: string, value: string) {
  return { header: { key, value }, append_action: "APPEND_IF_EXISTS_OR_ADD" };
}

/**
 * The route configuration with the selection header taken off every request that it forwards, whichever route took it: a
 * selection that no route obeyed is then invisible to the baseline.
 */
export function withRemoval(routeConfiguration: Message, spelling: Spelling): Message {
  if (removes(routeConfiguration)) return routeConfiguration;
  const before = field<readonly unknown[]>(routeConfiguration, "request_headers_to_remove") ?? [];
  return withField(routeConfiguration, "request_headers_to_remove", [...before, HEADER_CLUSTER], spelling);
}

export function removes(routeConfiguration: Message): boolean {
  const names = field<readonly unknown[]>(routeConfiguration, "request_headers_to_remove") ?? [];
  return names.some((name) => typeof name === "string" && name.toLowerCase() === HEADER_CLUSTER);
}

/** Whether a route is Keyway's own, a twin or a guard: no other route has a reason to look at the selection header. */
export function isGuarded(route: Message): boolean {
  const match = field(route, "match");
  return isMessage(match) && messages(match, "headers").some(({ name }) => name === HEADER_CLUSTER);
}

/** The list with Keyway's headers behind the route's own, which run first. */
export function withHeaders(message: Message, name: string, added: readonly object[], spelling: Spelling): Message {
  if (added.length === 0) return message;
  return withField(message, name, [...messages(message, name), ...respelled(added, spelling)], spelling);
}
