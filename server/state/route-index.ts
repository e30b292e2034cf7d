import type { StoredRoute } from "../../routes/model/live-route.ts";
import { Ordered } from "./ordered.ts";
import { type Owner, Shards } from "./shards.ts";

export const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** Routes by values of theirs, those of one value by id. A value that one route alone has, as most keys are, takes no list. */
export class RouteIndex {
  readonly #valuesOf: (route: StoredRoute) => readonly string[];
  readonly #owner: Owner;
  readonly #routes: Shards<StoredRoute | Ordered<StoredRoute>>;

  constructor(
    valuesOf: (route: StoredRoute) => readonly string[],
    owner: Owner,
    routes: Shards<StoredRoute | Ordered<StoredRoute>> = new Shards(owner),
  ) {
    this.#valuesOf = valuesOf;
    this.#owner = owner;
    this.#routes = routes;
  }

  /** A copy for another owner. This one must not change any more. */
  fork(owner: Owner): RouteIndex {
    return new RouteIndex(this.#valuesOf, owner, this.#routes.fork(owner));
  }

  add(route: StoredRoute): void {
    for (const value of this.#valuesOf(route)) {
      const there = this.#routes.get(value);
      if (there === undefined) this.#routes.set(value, route);
      else if (there instanceof Ordered) this.#own(value, there).put(route);
      else {
        const list = new Ordered<StoredRoute>(byId, this.#owner);
        list.put(there);
        list.put(route);
        this.#routes.set(value, list);
      }
    }
  }

  remove(route: StoredRoute): void {
    for (const value of this.#valuesOf(route)) {
      const there = this.#routes.get(value);
      if (!(there instanceof Ordered)) this.#routes.delete(value);
      else {
        const list = this.#own(value, there);
        list.remove(route);
        if (list.size === 0) this.#routes.delete(value);
      }
    }
  }

  /** How many routes have the value. */
  count(value: string): number {
    const there = this.#routes.get(value);
    return there instanceof Ordered ? there.size : there === undefined ? 0 : 1;
  }

  /** The routes of a value whose ids are greater than `after`. */
  *of(value: string, after = ""): Generator<StoredRoute, void> {
    const there = this.#routes.get(value);
    if (there instanceof Ordered) yield* there.after({ id: after } as StoredRoute);
    else if (there !== undefined && there.id > after) yield there;
  }

  /** One of the routes of a value. */
  one(value: string): StoredRoute | undefined {
    const there = this.#routes.get(value);
    return there instanceof Ordered ? there.first() : there;
  }

  /** The list of a value, to be changed. */
  #own(value: string, list: Ordered<StoredRoute>): Ordered<StoredRoute> {
    if (list.owner === this.#owner) return list;
    const own = list.fork(this.#owner);
    this.#routes.set(value, own);
    return own;
  }
}
