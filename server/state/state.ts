import type { StoredRoute } from "../../routes/model/live-route.ts";
import { Slices } from "../slices.ts";
import type { Change, Loaded, ServiceChange } from "../store/store.ts";
import type { Filter } from "./filter.ts";
import { ChangeLog } from "./log.ts";
import { Routes } from "./routes.ts";

/** A change together with what was there before. */
export interface Applied {
  revision: number;
  set: readonly { before: StoredRoute | undefined; after: StoredRoute }[];
  delete: readonly StoredRoute[];
  services?: readonly ServiceChange[];
}

export type Listener = (change: Applied) => void;

/** Routes that the changes kept for watching set and delete, at most. */
const MOST_LOGGED = 100_000;

/** Routes of a change that is made at once: some milliseconds. */
const AT_ONCE = 1000;

/**
 * The routes in memory, as the store has them. Only what the store tells changes them. A change of many routes is made in a copy, in slices
 * between which others have their turn, and takes the place of what there was once it is whole: so nobody sees a part of it.
 */
export class State {
  #routes = new Routes();
  readonly #listeners = new Set<Listener>();
  readonly #log: ChangeLog;
  readonly history: bigint;
  #revision: number;
  /** Changes that wait for the one that is being made. */
  readonly #pending: Change[] = [];
  #work: Promise<void> | undefined;

  constructor(history: bigint, { revision, routes, since, changes }: Loaded, mostLogged = MOST_LOGGED) {
    this.history = history;
    this.#revision = revision;
    for (const route of routes) this.#routes.put(route);
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
    return this.#routes.get(id);
  }

  /** All routes, by id. Nothing may change meanwhile. */
  routes(): Iterable<StoredRoute> {
    return this.#routes.all();
  }

  /** Routes of a key, by id. */
  ofKey(key: string): Iterable<StoredRoute> {
    return this.#routes.ofKey(key);
  }

  countOfKey(key: string): number {
    return this.#routes.countOfKey(key);
  }

  /** Routes without a key, by id. */
  unkeyed(): Iterable<StoredRoute> {
    return this.#routes.unkeyed();
  }

  /** Routes that expire, the first first. */
  expiring(): Iterable<StoredRoute> {
    return this.#routes.expiring();
  }

  /** At most `limit` routes that the filter fits, by id, from the one after the id `after` on. */
  list(filter: Filter, limit: number, after = ""): StoredRoute[] {
    return this.#routes.list(filter, limit, after);
  }

  /** Tells every change once it is made. The result ends it. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Makes a change: at once, or where it has many routes, or another one is being made, some time later. */
  apply(change: Change): void {
    if (this.#work || change.set.length + change.delete.length > AT_ONCE) {
      this.#pending.push(change);
      this.#work ??= this.#makePending();
      return;
    }
    this.#make(change);
  }

  /** Resolves once a change that the store has told is made. */
  async reached(revision: number): Promise<void> {
    while (this.#revision < revision && this.#work) await this.#work;
  }

  #make({ revision, set, delete: gone, services }: Change): void {
    const applied = {
      ...(services && { services }),
      set: set.map((route) => this.#routes.put(route)),
      delete: gone.flatMap((id) => this.#routes.remove(id) ?? []),
    };
    const logged = { revision, set: applied.set.map(({ after }) => after), delete: applied.delete };
    this.#tell({ revision, ...applied }, logged);
  }

  async #makePending(): Promise<void> {
    const slices = new Slices();
    for (let change = this.#pending.shift(); change; change = this.#pending.shift()) {
      if (change.set.length + change.delete.length > AT_ONCE) await this.#makeInSlices(change, slices);
      else this.#make(change);
      if (slices.isOver) await slices.next();
    }
    this.#work = undefined;
  }

  async #makeInSlices({ revision, set, delete: gone, services }: Change, slices: Slices): Promise<void> {
    const routes = new Routes(this.#routes);
    const applied: Applied["set"][number][] = [];
    const after: StoredRoute[] = [];
    const removed: StoredRoute[] = [];
    await slices.each(set, (route) => {
      const one = routes.put(route);
      applied.push(one);
      after.push(one.after);
    });
    await slices.each(gone, (id) => {
      const route = routes.remove(id);
      if (route) removed.push(route);
    });
    this.#routes = routes;
    this.#tell(
      { revision, set: applied, delete: removed, ...(services && { services }) },
      { revision, set: after, delete: removed },
    );
  }

  #tell(applied: Applied, logged: Parameters<ChangeLog["add"]>[0]): void {
    this.#revision = applied.revision;
    if (logged.set.length > 0 || logged.delete.length > 0) this.#log.add(logged);
    for (const listener of this.#listeners) listener(applied);
  }
}
