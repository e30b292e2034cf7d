import type { Condition, Missing, Reference, Share } from "./model.ts";

/** A route of the live table: an entry of the route file with a name, an owner and labels. Exactly one of `service` and `from` is
 * there, and as in a route file `key`, `when` and `split` say which kind of route it is. */
export interface LiveRoute {
  /** Unique in the table; see `isRouteId`. */
  id: string;
  /** The baseline as a service; then targets are services, too. */
  service?: Reference;
  /** The baseline as a cluster, or `*`; then targets are names of clusters. */
  from?: string;
  key?: string;
  when?: Condition[];
  split?: Share<Reference>[];
  sticky?: string;
  to?: Reference;
  /** RFC 3339, in UTC and whole seconds once the route is stored. */
  expires?: string;
  missing?: Missing;
  /** For clients of Signadot's routes API, which know baselines by workload; proxies are told nothing of it. */
  workload?: RoutedWorkload;
  owner?: string;
  labels?: Record<string, string>;
}

/** The workload behind a baseline. */
export interface RoutedWorkload {
  /** `Deployment`, `StatefulSet`, `ArgoRollout` or whatever clients call it. */
  kind: string;
  namespace: string;
  name: string;
  /** Where its containers listen. */
  port: number;
}

/** A route as a store has it. */
export interface StoredRoute extends LiveRoute {
  /** The revision of the table with which the route became what it is. */
  revision: number;
}

/** The order in which a route's fields stand wherever it is written down, so that equal routes are equal texts. */
const FIELDS = [
  "id",
  "service",
  "from",
  "key",
  "when",
  "split",
  "sticky",
  "to",
  "expires",
  "missing",
  "workload",
  "owner",
  "labels",
] as const satisfies (keyof LiveRoute)[];

/** The same route with its fields, labels among them, in their order, and nothing else. */
export function inOrder(route: LiveRoute): LiveRoute {
  const { labels } = route;
  const entries = FIELDS.flatMap((field) => (route[field] === undefined ? [] : [[field, route[field]]]));
  const ordered = Object.fromEntries(entries) as LiveRoute;
  if (labels !== undefined) {
    ordered.labels = Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  return ordered;
}

export const MAX_ID = 253; // characters
const PART = "(?!\\.{1,2}(?:/|$))[A-Za-z0-9._~-]+";
const ID = new RegExp(`^(?=.{1,${MAX_ID}}$)${PART}(?:/${PART})*$`);

/** 1 to MAX_ID of letters, digits and `. _ ~ -`, in parts between slashes, none of which is empty, `.` or `..`. */
export function isRouteId(text: string): boolean {
  return ID.test(text);
}
