import { formatDate } from "../../routes/model/date.ts";
import { parseDuration } from "../../routes/model/duration.ts";
import { inOrder, type LiveRoute } from "../../routes/model/live-route.ts";
import type { ListFilter, ProxyCounts } from "../server-client/client.ts";

/** A route as a table has it; the revision is there where the table counts. */
export interface TableRoute extends LiveRoute {
  revision?: number;
}

/** A route to put into a table. `ttl` says how long it lives from then on, in place of `expires`. */
export interface WantedRoute extends LiveRoute {
  ttl?: string;
}

export interface Changes {
  set: readonly WantedRoute[];
  /** Ids of routes that are there. */
  delete: readonly string[];
}

export interface Listed {
  /** By id. */
  routes: TableRoute[];
  revision?: number;
}

/** Where routes are kept: a route server, a route file, or the Route resources of a namespace. */
export interface RouteTable {
  /** For messages: `routes.yaml`, `the route server at http://…`. */
  readonly name: string;
  list(filter: ListFilter, told?: (routes: number) => void): Promise<Listed>;
  /** Those of the routes that are there. */
  get(ids: readonly string[]): Promise<TableRoute[]>;
  /** All of it happens, or nothing. The answer is the table's revision, where it counts. */
  commit(changes: Changes, told?: (text: string) => void): Promise<number | undefined>;
  /** Lets routes that are there live for so long from now on. */
  renew(ids: readonly string[], ttl: string): Promise<void>;
  /** How many proxies have the table in force as of a revision, else as it is now; absent where nobody knows. */
  proxies?(revision: number | undefined): Promise<ProxyCounts>;
}

/** The route with the date at which its ttl is over, by this machine's clock. */
export function withExpiry({ ttl, ...route }: WantedRoute): LiveRoute {
  const expires = ttl === undefined ? undefined : expiryOf(ttl);
  return inOrder({ ...route, ...(expires !== undefined && { expires }) });
}

function expiryOf(ttl: string): string | undefined {
  return formatDate(Math.floor(Date.now() / 1000) + (parseDuration(ttl) ?? 0));
}
