import type { StoredRoute } from "../../routes/model/live-route.ts";
import type { Change, Loaded } from "../store/store.ts";
import { clusterOf, type Filter, fits, labelsOf, serviceOf } from "./filter.ts";
import { ChangeLog } from "./log.ts";
import { Ordered } from "./ordered.ts";
import { byId, RouteIndex } from "./route-index.ts";

/** A change together with what was there before. */
export interface Applied {
  revision: number;
  set: readonly { before: StoredRoute | undefined; after: StoredRoute }[];
  delete: readonly StoredRoute[];
}

export type Listener = (change: Applied) => void;

/** Routes that the changes kept for watching set and delete, at most. */
const MOST_LOGGED = 100_000;

/** The routes in memory, as the store has them. Only what the store tells changes them. */
export class State {
  readonly #routes = new Ordered<StoredRoute>(byId);
  readonly #byService = new RouteIndex((route) => some(serviceOf(route)));
  readonly #byCluster = new RouteIndex((route) => some(clusterOf(route)));
  readonly #byKey = new RouteIndex((route) => some(route.key));
  readonly #byOwner = new RouteIndex((route) => some(route.owner));
  readonly #byLabel = new RouteIndex(labelsOf);
  readonly #unkeyed = new Ordered<StoredRoute>(byId);
  readonly #expiring = new Ordered<StoredRoute>(byExpiry);
  readonly #listeners = new Set<Listener>();
  readonly #log: ChangeLog;
  readonly history: bigint;
  #revision: number;

  constructor(history: bigint, { revision, routes, since, changes }: Loaded, mostLogged = MOST_LOGGED) {
    this.history = history;
    this.#revision = revision;
    for (const route of routes) this.#put(route);
    this.#log = new ChangeLog(since, mostLogged);
    for (const change of changes) this.#log.add({ ...change, delete: change.delete.map((id) => ({ id })) });
  }

  get revision(): number {
    return this.#revision;
  }

  get size(): number {
    return this.#routes.size;
  }

  /** The latest changes. */
  get log(): Pick<ChangeLog, "since" | "after"> {
    return this.#log;
  }

  get(id: string): StoredRoute | undefined {
    return this.#routes.get({ id } as StoredRoute);
  }

  /** All routes, by id. Nothing may change meanwhile. */
  routes(): Iterable<StoredRoute> {
    return this.#routes;
  }

  /** Routes of a key, by id. */
  ofKey(key: string): Iterable<StoredRoute> {
    return this.#byKey.of(key);
  }

  /** Routes without a key, by id. */
  unkeyed(): Iterable<StoredRoute> {
    return this.#unkeyed;
  }

  /** Routes that expire, the first first. */
  expiring(): Iterable<StoredRoute> {
    return this.#expiring;
  }

  /** At most `limit` routes that the filter fits, by id, from the one after the id `after` on. */
  list(filter: Filter, limit: number, after = ""): StoredRoute[] {
    const found: StoredRoute[] = [];
    if (limit <= 0) return found;
    for (const route of this.#candidates(filter, after)) {
      if (!fits(route, filter)) continue;
      found.push(route);
      if (found.length >= limit) break;
    }
    return found;
  }

  /** Tells every change once it is made. The result ends it. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  apply({ revision, set, delete: gone }: Change): void {
    const applied = {
      revision,
      set: set.map((route) => this.#put(route)),
      delete: gone.flatMap((id) => this.#remove(id) ?? []),
    };
    this.#revision = revision;
    this.#log.add({ revision, set: applied.set.map(({ after }) => after), delete: applied.delete });
    for (const listener of this.#listeners) listener(applied);
  }

  /** Those that the filter may fit: from the index that leaves the fewest. */
  #candidates({ service, from, key, owner, labels = [] }: Filter, after: string): Iterable<StoredRoute> {
    const ways = [
      ...(service === undefined ? [] : [{ index: this.#byService, value: service.replace(/:[^:]*$/, "") }]),
      ...(from === undefined ? [] : [{ index: this.#byCluster, value: from }]),
      ...(key === undefined ? [] : [{ index: this.#byKey, value: key }]),
      ...(owner === undefined ? [] : [{ index: this.#byOwner, value: owner }]),
      ...labels.map((value) => ({ index: this.#byLabel, value })),
    ].map(({ index, value }) => ({ index, value, count: index.count(value) }));
    const [best] = ways.sort((a, b) => a.count - b.count);
    return best ? best.index.of(best.value, after) : this.#routes.after({ id: after } as StoredRoute);
  }

  #put(given: StoredRoute): { before: StoredRoute | undefined; after: StoredRoute } {
    const after = this.#share(given);
    const before = this.#routes.put(after);
    if (before) this.#unindex(before);
    for (const index of this.#indices()) index.add(after);
    if (after.key === undefined) this.#unkeyed.put(after);
    if (after.expires !== undefined) this.#expiring.put(after);
    return { before, after };
  }

  #remove(id: string): StoredRoute | undefined {
    const route = this.#routes.remove({ id } as StoredRoute);
    if (route) this.#unindex(route);
    return route;
  }

  #unindex(route: StoredRoute): void {
    for (const index of this.#indices()) index.remove(route);
    if (route.key === undefined) this.#unkeyed.remove(route);
    if (route.expires !== undefined) this.#expiring.remove(route);
  }

  #indices(): RouteIndex[] {
    return [this.#byService, this.#byCluster, this.#byKey, this.#byOwner, this.#byLabel];
  }

  /** Gives the route the copies that another route has of the texts that many routes share. */
  #share(route: StoredRoute): StoredRoute {
    const { service, from, owner } = route;
    const neighbour = typeof service === "string" ? this.#byService.one(serviceOf(route) ?? "")?.service : undefined;
    if (neighbour === service && neighbour !== undefined) route.service = neighbour;
    if (from !== undefined) route.from = this.#byCluster.one(from)?.from ?? from;
    if (owner !== undefined) route.owner = this.#byOwner.one(owner)?.owner ?? owner;
    return route;
  }
}

const some = (value: string | undefined): string[] => (value === undefined ? [] : [value]);

/** Dates in UTC and whole seconds are in order as texts. */
function byExpiry(a: StoredRoute, b: StoredRoute): number {
  const [one = "", other = ""] = [a.expires, b.expires];
  return one < other ? -1 : one > other ? 1 : byId(a, b);
}
