import type { Edge } from "./edge.ts";

/** Parts of a request that a condition may compare beside headers, cookies and query parameters. */
export const REQUEST_PARTS = ["path", "method", "host", "caller"] as const;
export type RequestPart = (typeof REQUEST_PARTS)[number];

/** What the proxy does where a route's target is missing: answer 424, or send the request to the baseline. */
export const MISSING = ["fail", "baseline"] as const;
export type Missing = (typeof MISSING)[number];

/** Who adds the hop mark to a routed request: the filter, or Envoy's own route. */
export const HOP_MARKS = ["filter", "route"] as const;
export type HopMark = (typeof HOP_MARKS)[number];

/** A comparison of one value of the request; the shape says which: `{header: "x-user", exact: "alice"}`. */
export interface Condition {
  header?: string;
  cookie?: string;
  query?: string;
  /** `path` is without the query, `host` without the port; `caller` is the SPIFFE id that mutual TLS proved. */
  request?: RequestPart;
  exact?: string;
  prefix?: string;
  suffix?: string;
  contains?: string;
  present?: boolean;
  /** True turns the condition round. */
  not?: boolean;
}

/** Where a route starts or ends, as people write it. */
export type Reference = string | { service: string; subset?: string } | { cluster: string };

export interface Share<To> {
  to: To;
  /** Percent of the baseline's requests, in steps of 1/10,000; what is finer is cut off. */
  weight: number;
}

interface Common<From> {
  from: From;
  /** RFC 3339; past it the proxy ignores the route. */
  expires?: string;
  /** What happens where the target is missing; `baseline` unless said. */
  missing?: Missing;
}

/** For a routing key, and only where all conditions hold, if there are any. */
export interface KeyRoute<From = string, To = string> extends Common<From> {
  key: string;
  when?: Condition[];
  to: To;
}

/** For requests for which all conditions hold, whatever their key. */
export interface WhenRoute<From = string, To = string> extends Common<From> {
  when: Condition[];
  to: To;
}

/** For shares of the baseline's requests, or of those for which all conditions hold. */
export interface SplitRoute<From = string, To = string> extends Common<From> {
  when?: Condition[];
  split: Share<To>[];
  /** The source whose value fixes the choice. */
  sticky?: string;
}

/** In a plugin configuration From and To are the names of clusters, in a route file those of services. */
export type Route<From = string, To = string> = KeyRoute<From, To> | WhenRoute<From, To> | SplitRoute<From, To>;

/** What a plugin configuration and a route file have in common, with the defaults filled in. */
export interface Configuration<From = string, To = string> {
  /** Sources of keys, in the order in which they are tried. */
  keys: string[];
  routes: Route<From, To>[];
  /** The character between the parts of a key; without it a key has no parents. */
  hierarchy?: string;
  /** How the source `trace` remembers keys. */
  trace?: TraceOptions;
  /** Links that name a key in their query, which sticks by a cookie; true for the defaults. */
  link?: boolean | LinkOptions;
  /** Which keys are taken from outside; any, unless said. */
  edge?: Edge;
  /** The forms in which a key leaves; without them it leaves as it came. */
  emit?: string[];
  explain: boolean;
  strict: boolean;
  hopMark?: HopMark;
  table?: LiveTable;
}

export const SAME_SITES = ["Lax", "Strict", "None"] as const;

export interface LinkOptions {
  /** The query parameter. */
  query?: string;
  cookie?: string;
  /** That the cookie is kept. */
  seconds?: number;
  sameSite?: (typeof SAME_SITES)[number];
  /** `auto`: where the request came over https. */
  secure?: boolean | "auto";
  path?: string;
}

/** Where a proxy's live table comes from. */
export interface LiveTable {
  /** The proxy's own cluster of route servers. */
  cluster: string;
  /** The host that requests name; the cluster's name unless said. */
  authority?: string;
  path?: string;
  /** Which part of the routes the proxy holds; all of them unless said. */
  scope?: string;
  /** Sent as a bearer token. */
  token?: string;
}

/** Headers of trace ids, in the order in which they are looked at unless a configuration says another one. */
export const TRACE_HEADERS = [
  "traceparent",
  "b3",
  "x-b3-traceid",
  "x-datadog-trace-id",
  "x-amzn-trace-id",
  "x-cloud-trace-context",
  "uber-trace-id",
  "sw8",
  "x-request-id",
] as const;

export const DIRECTIONS = ["inbound", "outbound"] as const;

export interface TraceOptions {
  ids?: string[];
  /** That a trace's key is remembered. */
  seconds?: number;
  /** That a proxy remembers at most. */
  entries?: number;
  /** Which requests this filter sees, where the listener does not say it. */
  direction?: (typeof DIRECTIONS)[number];
}
