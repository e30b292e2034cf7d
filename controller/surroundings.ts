// What the controller takes from the route server beside it, as little as it needs.
import type { LiveRoute, StoredRoute } from "../routes/model/live-route.ts";
import type { Service } from "../routes/model/service.ts";

/** The Services of the cluster. */
export interface Services {
  find(name: string, namespace: string): Service | undefined;
  /** All of them, to find the nearest name. */
  values?(): Iterable<Service>;
  /** Whether a pod takes requests; undefined where nobody can say. */
  isReady?(name: string, namespace: string): boolean | undefined;
  /** How many pods take requests; undefined where nobody can say. */
  endpoints?(name: string, namespace: string): number | undefined;
}

/** How many proxies may route for something, and how many of them have it. */
export interface Count {
  total: number;
  inForce: number;
}

/** The live table that proxies are given. */
export interface LiveTable {
  readonly revision: number;
  get(id: string): StoredRoute | undefined;
  /** The proxies that have the table as it was at a revision, of those whose tables have one of the routes; undefined while not all servers
   * can be asked. */
  count(revision: number, routes: readonly LiveRoute[]): Promise<Count | undefined>;
}
