import type { StoredRoute } from "../../routes/model/live-route.ts";
import type { Change, Loaded } from "./store.ts";

/** The routes of a store whose backend tells what happens, as far as that is known here. */
export class Followed {
  readonly #routes = new Map<string, StoredRoute>();
  #revision = 0;
  /** Changes that came before the routes were handed over; undefined once all goes to the listener. */
  #early: Change[] | undefined = [];
  #onChange: (change: Change) => void = () => {};
  #progress = Promise.withResolvers<void>();

  get routes(): ReadonlyMap<string, StoredRoute> {
    return this.#routes;
  }

  /** The table's: that of the newest change. */
  get revision(): number {
    return this.#revision;
  }

  /** Takes routes over that were there from the start. */
  load(revision: number, routes: Iterable<StoredRoute>): void {
    for (const route of routes) this.#routes.set(route.id, route);
    this.#revision = revision;
  }

  /** What the store's start answers. Changes are told in a later turn, so that none is told before the routes are returned. */
  handOver(onChange: (change: Change) => void): Loaded {
    this.#early = [];
    this.#onChange = onChange;
    setImmediate(() => {
      const early = this.#early ?? [];
      this.#early = undefined;
      for (const change of early) onChange(change);
    });
    const revision = this.#revision;
    return { revision, routes: [...this.#routes.values()], since: revision, changes: [] };
  }

  /** Takes a change over, which may be empty, and tells it. */
  apply(change: Change): void {
    for (const route of change.set) this.#routes.set(route.id, route);
    for (const id of change.delete) this.#routes.delete(id);
    this.#revision = Math.max(this.#revision, change.revision);
    if (change.set.length > 0 || change.delete.length > 0 || change.services) {
      if (this.#early) this.#early.push(change);
      else this.#onChange(change);
    }
    this.moved();
  }

  /** Something is known that was not: lets those look again who wait for it. */
  moved(): void {
    this.#progress.resolve();
    this.#progress = Promise.withResolvers();
  }

  /** Waits until it holds; false where it does not until the limit is over. */
  async until(holds: () => boolean, limit: AbortSignal): Promise<boolean> {
    const over = new Promise<void>((resolve) => {
      limit.addEventListener("abort", () => resolve(), { once: true });
    });
    while (!holds()) {
      if (limit.aborted) return false;
      await Promise.race([this.#progress.promise, over]);
    }
    return true;
  }
}
