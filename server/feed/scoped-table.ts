import { setImmediate as turn } from "node:timers/promises";
import type { StoredRoute } from "../../routes/model/live-route.ts";
import { Batch } from "../../routes/table/batch.ts";
import type { BucketPool } from "../../routes/table/pool.ts";
import { type Changed, RouteTable } from "../../routes/table/table.ts";
import type { Filter } from "../state/filter.ts";
import type { Applied, State } from "../state/state.ts";
import { BucketLog } from "./bucket-log.ts";
import type { Naming } from "./naming.ts";

/** What a table is made from. */
export type RouteSource = Pick<State, "revision" | "list">;

/** Routes that are compiled before others have their turn. */
export const ROUTES_A_TURN = 2000;

/**
 * The table of one scope, kept up with the state. It is made in turns while the state goes on changing, and so is a change of many routes;
 * meanwhile it is not settled, and neither its content nor its log may be read.
 */
export class ScopedTable {
  readonly #source: RouteSource;
  readonly #naming: Naming;
  readonly #filters: readonly Filter[];
  readonly #onChange: () => void;
  readonly #pool: BucketPool;
  #table = new RouteTable();
  #log: BucketLog | undefined;
  /** Changes that wait until the work at hand is done. */
  #pending: (Applied | Promise<Applied | undefined>)[] = [];
  #work: Promise<void> | undefined;

  /** Each route that the table may have is found by one of the filters. `onChange` is called when the content has changed. */
  constructor(source: RouteSource, naming: Naming, filters: readonly Filter[], pool: BucketPool, onChange: () => void) {
    this.#source = source;
    this.#naming = naming;
    this.#filters = filters;
    this.#pool = pool;
    this.#onChange = onChange;
    this.#begin(this.#build());
  }

  get content(): RouteTable {
    return this.#table;
  }

  get log(): BucketLog {
    return this.#log as BucketLog;
  }

  /** The content is what the routes were at this revision of the state. */
  get revision(): number {
    return this.#source.revision;
  }

  get isSettled(): boolean {
    return this.#work === undefined;
  }

  async settled(): Promise<void> {
    while (this.#work) await this.#work;
  }

  /** A change that is a promise may turn out to be none. */
  apply(change: Applied | Promise<Applied | undefined>): void {
    if (this.#work || change instanceof Promise || change.set.length + change.delete.length > ROUTES_A_TURN) {
      this.#pending.push(change);
      if (!this.#work) this.#begin();
      return;
    }
    const steps = this.#applying(change);
    while (!steps.next().done);
  }

  #begin(first?: Promise<void>): void {
    this.#work = this.#doWork(first);
  }

  async #doWork(first: Promise<void> | undefined): Promise<void> {
    await (first ?? turn());
    for (let next = this.#pending.shift(); next; next = this.#pending.shift()) {
      const change = await next;
      if (change) for (const _ of this.#applying(change)) await turn();
    }
    this.#log ??= new BucketLog({ revision: this.revision, digest: this.#table.digest });
    this.#work = undefined;
    this.#onChange();
  }

  /** Reads the routes in turns. What changes meanwhile is in `pending`, and may or may not be read here already: it is the same afterwards. */
  async #build(): Promise<void> {
    const batch = new Batch();
    for (const filter of this.#filters) {
      for (let after = ""; ; ) {
        const routes = this.#source.list(filter, ROUTES_A_TURN, after);
        for (const route of routes) this.#put(batch, route);
        await turn();
        if (routes.length < ROUTES_A_TURN) break;
        after = routes.at(-1)?.id ?? "";
      }
    }
    this.#table = new RouteTable(this.#pool);
    for (const _ of this.#table.applying(batch)) await turn();
  }

  *#applying(change: Applied): Generator<void, void> {
    const batch = new Batch();
    let read = 0;
    for (const { before, after } of change.set) {
      if (before) batch.delete(before.id, before.key);
      this.#put(batch, after);
      if (++read % ROUTES_A_TURN === 0) yield;
    }
    for (const { id, key } of change.delete) {
      batch.delete(id, key);
      if (++read % ROUTES_A_TURN === 0) yield;
    }
    const changed = yield* this.#table.applying(batch);
    this.#logChange(changed, change.revision);
  }

  #put(batch: Batch, route: StoredRoute): void {
    for (const named of this.#naming(route)) batch.set(route.id, named);
  }

  #logChange(changed: Changed, revision: number): void {
    if (!this.#log || (changed.buckets.length === 0 && !changed.rules)) return;
    this.#log.add({ ...changed, revision, digest: this.#table.digest });
    if (!this.#work) this.#onChange();
  }
}
