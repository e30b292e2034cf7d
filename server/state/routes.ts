import type { StoredRoute } from "../../routes/model/live-route.ts";
import { clusterOf, type Filter, fits, labelsOf, serviceOf } from "./filter.ts";
import { Ordered } from "./ordered.ts";
import { byId, RouteIndex } from "./route-index.ts";
import type { Owner } from "./shards.ts";

const some = (value: string | undefined): string[] => (value === undefined ? [] : [value]);

/** Sorted lists of routes: all, those without a key, and those that expire, the first first. */
const ORDERS = { all: byId, unkeyed: byId, expiring: byExpiry };

/** What routes are found by. */
const VALUES = {
  service: (route: StoredRoute) => some(serviceOf(route)),
  cluster: (route: StoredRoute) => some(clusterOf(route)),
  key: (route: StoredRoute) => some(route.key),
  owner: (route: StoredRoute) => some(route.owner),
  label: labelsOf,
};

type Lists = Record<keyof typeof ORDERS, Ordered<StoredRoute>>;
type Indices = Record<keyof typeof VALUES, RouteIndex>;

/** The routes that there are at one moment, and what they are found by. */
export class Routes {
  readonly #lists: Lists;
  readonly #indices: Indices;
  readonly #each: readonly RouteIndex[];

  /** None, or a copy of others, which must not change any more. */
  constructor(others?: Routes) {
    const owner: Owner = {};
    this.#lists = others
      ? mapped(others.#lists, (list) => list.fork(owner))
      : mapped(ORDERS, (compare) => new Ordered(compare, owner));
    this.#indices = others
      ? mapped(others.#indices, (index) => index.fork(owner))
      : mapped(VALUES, (valuesOf) => new RouteIndex(valuesOf, owner));
    this.#each = Object.values(this.#indices);
  }

  get size(): number {
    return this.#lists.all.size;
  }

  get(id: string): StoredRoute | undefined {
    return this.#lists.all.get({ id } as StoredRoute);
  }

  /** All of them, by id. Nothing may change meanwhile. */
  all(): Iterable<StoredRoute> {
    return this.#lists.all;
  }

  /** Those of a key, by id. */
  ofKey(key: string): Iterable<StoredRoute> {
    return this.#indices.key.of(key);
  }

  countOfKey(key: string): number {
    return this.#indices.key.count(key);
  }

  /** Those without a key, by id. */
  unkeyed(): Iterable<StoredRoute> {
    return this.#lists.unkeyed;
  }

  /** Those that expire, the first first. */
  expiring(): Iterable<StoredRoute> {
    return this.#lists.expiring;
  }

  /** At most `limit` of them that the filter fits, by id, from the one after the id `after` on. */
  list(filter: Filter, limit: number, after: string): StoredRoute[] {
    const found: StoredRoute[] = [];
    if (limit <= 0) return found;
    for (const route of this.#candidates(filter, after)) {
      if (!fits(route, filter)) continue;
      found.push(route);
      if (found.length >= limit) break;
    }
    return found;
  }

  /** Puts a route in, in place of the one with its id. */
  put(given: StoredRoute): { before: StoredRoute | undefined; after: StoredRoute } {
    const after = this.#share(given);
    const before = this.#lists.all.put(after);
    if (before) this.#unindex(before);
    for (const index of this.#each) index.add(after);
    if (after.key === undefined) this.#lists.unkeyed.put(after);
    if (after.expires !== undefined) this.#lists.expiring.put(after);
    return { before, after };
  }

  /** Takes out the route with an id, and returns it. */
  remove(id: string): StoredRoute | undefined {
    const route = this.#lists.all.remove({ id } as StoredRoute);
    if (route) this.#unindex(route);
    return route;
  }

  /** Those that the filter may fit: from the index that leaves the fewest. */
  #candidates({ service, from, key, owner, labels = [] }: Filter, after: string): Iterable<StoredRoute> {
    const ways = [
      ...(service === undefined ? [] : [{ index: this.#indices.service, value: service.replace(/:[^:]*$/, "") }]),
      ...(from === undefined ? [] : [{ index: this.#indices.cluster, value: from }]),
      ...(key === undefined ? [] : [{ index: this.#indices.key, value: key }]),
      ...(owner === undefined ? [] : [{ index: this.#indices.owner, value: owner }]),
      ...labels.map((value) => ({ index: this.#indices.label, value })),
    ].map(({ index, value }) => ({ index, value, count: index.count(value) }));
    const [best] = ways.sort((a, b) => a.count - b.count);
    return best ? best.index.of(best.value, after) : this.#lists.all.after({ id: after } as StoredRoute);
  }

  #unindex(route: StoredRoute): void {
    for (const index of this.#each) index.remove(route);
    if (route.key === undefined) this.#lists.unkeyed.remove(route);
    if (route.expires !== undefined) this.#lists.expiring.remove(route);
  }

  /** Gives the route the copies that another route has of the texts that many routes share. */
  #share(route: StoredRoute): StoredRoute {
    const { service, from, owner } = route;
    const neighbour =
      typeof service === "string" ? this.#indices.service.one(serviceOf(route) ?? "")?.service : undefined;
    if (neighbour === service && neighbour !== undefined) route.service = neighbour;
    if (from !== undefined) route.from = this.#indices.cluster.one(from)?.from ?? from;
    if (owner !== undefined) route.owner = this.#indices.owner.one(owner)?.owner ?? owner;
    return route;
  }
}

/** Dates in UTC and whole seconds are in order as texts. */
function byExpiry(a: StoredRoute, b: StoredRoute): number {
  const [one = "", other = ""] = [a.expires, b.expires];
  return one < other ? -1 : one > other ? 1 : byId(a, b);
}

function mapped<Name extends string, From, To>(from: Record<Name, From>, to: (one: From) => To): Record<Name, To> {
  return Object.fromEntries(Object.entries<From>(from).map(([name, one]) => [name, to(one)])) as Record<Name, To>;
}
