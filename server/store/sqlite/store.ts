import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { LiveRoute, StoredRoute } from "../../../routes/model/live-route.ts";
import type { KeywayError } from "../../../shared/errors.ts";
import { Slices } from "../../slices.ts";
import {
  type Change,
  type Committed,
  Damaged,
  type Loaded,
  type Outcome,
  type Store,
  type Transaction,
  Unavailable,
} from "../store.ts";
import { SqliteDocuments } from "./documents.ts";
import { damage, errorOf } from "./failures.ts";
import {
  type Answer,
  CREATED,
  type Request,
  type Row,
  UNCHANGED,
  type WorkerSettings,
  type Write,
  type Written,
} from "./messages.ts";

const DEFAULTS = { pollMs: 15, busyMs: 5000, mostChanges: 100_000, keepDeleted: 100_000, maxPages: 0 };

/** The bundled command has the worker as a file of its own, beside the piece that this is in. */
const WORKER = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./sqlite-worker.mjs", import.meta.url);

/** Routes that go to the other thread at once. */
const PART = 2000;

/** What has been written. */
type Told = Extract<Answer, { part: unknown } | { others: unknown }>;

interface Waiting {
  transaction: Transaction;
  resolve: (committed: Committed) => void;
  reject: (error: Error) => void;
}

/** The routes in one SQLite file, which several servers on one machine may share. */
export class SqliteStore implements Store {
  readonly documents = new SqliteDocuments((request) => this.#open.postMessage(request));
  readonly #settings: WorkerSettings;
  readonly #waiting = new Map<number, Waiting>();
  /** Writes that go to the other thread once it has done those that it has: they share the next sync, and waking it. */
  #next: Write[] = [];
  #isWriting = false;
  #worker: Worker | undefined;
  #history: bigint | undefined;
  #onChange: (change: Change) => void = () => {};
  #trouble: KeywayError | undefined;
  #number = 0;
  /** Answers that wait for the one that is being worked off. */
  readonly #answers: Told[] = [];
  #work: Promise<void> | undefined;
  /** What other processes have written, as far as it has come. */
  #others: Change[] = [];

  constructor(file: string, settings: Partial<WorkerSettings> = {}) {
    this.#settings = { ...DEFAULTS, ...settings, file };
  }

  get history(): bigint {
    if (this.#history === undefined) throw new Error("the store was not started");
    return this.#history;
  }

  trouble(): KeywayError | undefined {
    return this.#trouble;
  }

  start(onChange: (change: Change) => void, signal: AbortSignal): Promise<Loaded> {
    // Node.js 22 says of its SQLite that it may still change; what Keyway uses of it has not.
    const worker = new Worker(WORKER, {
      workerData: this.#settings,
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
    this.#worker = worker;
    signal.addEventListener("abort", () => void this.close(), { once: true });
    return new Promise((resolve, reject) => {
      const routes: StoredRoute[] = [];
      worker.on("error", (error) => {
        this.#end(error);
        reject(error);
      });
      worker.on("exit", async () => {
        await this.#work;
        const ended = new Unavailable("the store is closed", { where: this.#settings.file });
        this.#end(ended);
        reject(ended);
      });
      worker.on("message", (answer: Answer) => {
        try {
          if (answer === "closed") return;
          if ("documents" in answer) this.documents.take(answer);
          else if ("routes" in answer) this.#read(answer.routes, routes);
          else if ("failed" in answer) reject(errorOf(answer.failed));
          else if ("loaded" in answer) {
            const { history, changes, ...loaded } = answer.loaded;
            this.#history = history;
            // The changes come with messages of their own, so that none is told before the routes are returned.
            this.#onChange = onChange;
            this.#gather(changes);
            resolve({ ...loaded, routes, changes: this.#gathered() });
          } else if ("trouble" in answer) this.#setTrouble(answer.trouble && errorOf(answer.trouble));
          else {
            if ("done" in answer && this.#worker) this.#write(this.#worker);
            this.#answers.push(answer);
            this.#work ??= this.#workOff();
          }
        } catch (thrown) {
          this.#setTrouble(thrown);
          reject(thrown);
        }
      });
    });
  }

  async commit(transaction: Transaction, late?: AbortSignal): Promise<Committed> {
    const { set, delete: gone, require = [] } = transaction;
    const number = this.#number++;
    const written = (part: readonly LiveRoute[]) =>
      part.map((route): [string, string] => [route.id, JSON.stringify(route)]);
    // A large one goes over in parts, between which others have their turn.
    let at = 0;
    for (; set.length - at > PART && !late?.aborted; at += PART) {
      this.#open.postMessage({ number, part: written(set.slice(at, at + PART)) } satisfies Request);
      await setImmediate();
    }
    const worker = this.#open;
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        if (at > 0) worker.postMessage({ dropped: number } satisfies Request);
        reject(this.#tooLate());
      };
      if (late?.aborted) return giveUp();
      late?.addEventListener("abort", () => this.#withdraw(number) && giveUp(), { once: true });
      this.#waiting.set(number, { transaction, resolve, reject });
      this.#next.push({ number, set: written(set.slice(at)), delete: gone, require });
      if (!this.#isWriting) this.#write(worker);
    });
  }

  /** Takes a write back that the other thread does not have yet; false where it may have begun. */
  #withdraw(number: number): boolean {
    const left = this.#next.filter((write) => write.number !== number);
    if (left.length === this.#next.length) return false;
    this.#next = left;
    return this.#waiting.delete(number);
  }

  #tooLate(): Unavailable {
    return new Unavailable("writes that came before take long; nothing of this one was kept", {
      where: this.#settings.file,
      next: "write it again; a large transaction keeps others waiting until all of it is written",
    });
  }

  get #open(): Worker {
    if (this.#worker === undefined) throw new Unavailable("the store is closed", { where: this.#settings.file });
    return this.#worker;
  }

  #write(worker: Worker): void {
    this.#isWriting = this.#next.length > 0;
    if (this.#isWriting) worker.postMessage({ writes: this.#next } satisfies Request);
    this.#next = [];
  }

  /** Writes what was given before, then lets go of the file. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#worker = undefined;
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    this.#write(worker);
    worker.postMessage("close");
    await ended;
    await this.#work;
  }

  /** Tells what has come, in order and in slices. Whoever writes a single route is answered within the turn in which the answer comes. */
  async #workOff(): Promise<void> {
    const slices = new Slices();
    for (let answer = this.#answers.shift(); answer; answer = this.#answers.shift()) {
      try {
        await this.#follow(answer, slices);
      } catch (thrown) {
        this.#setTrouble(thrown);
      }
    }
    this.#work = undefined;
  }

  async #follow(answer: Told, slices: Slices): Promise<void> {
    const isPart = "part" in answer;
    this.#gather(this.#parse<Row[]>(isPart ? answer.part : answer.others, "its changes are"));
    if (slices.isOver) await slices.next();
    if (isPart) return;
    for (const change of this.#gathered()) this.#onChange(change);
    if (!("done" in answer)) return;
    for (const done of answer.done) {
      const waiting = this.#waiting.get(done.number);
      this.#waiting.delete(done.number);
      if (waiting === undefined) continue;
      if ("failure" in done) {
        const error = errorOf(done.failure);
        if (error instanceof Damaged) this.#setTrouble(error);
        waiting.reject(error);
        continue;
      }
      const { committed, change } = await outcomeOf(waiting.transaction, done, slices);
      if (change.set.length > 0 || change.delete.length > 0) this.#onChange(change);
      waiting.resolve(committed);
    }
  }

  #read(text: string, into: StoredRoute[]): void {
    for (const { revision, route } of this.#parse<{ revision: number; route: StoredRoute }[]>(text, "its routes are")) {
      route.revision = revision;
      into.push(route);
    }
  }

  /** The rows of each revision are a change. */
  #gather(rows: readonly Row[]): void {
    for (const { id, revision, gone, text } of rows) {
      let change = this.#others.at(-1);
      if (change?.revision !== revision) {
        change = { revision, set: [], delete: [] };
        this.#others.push(change);
      }
      if (gone) change.delete.push(id);
      else change.set.push({ ...this.#parse<LiveRoute>(text, `the route ${id} is`), revision });
    }
  }

  #gathered(): Change[] {
    const changes = this.#others;
    this.#others = [];
    return changes;
  }

  #parse<Parsed>(text: string, what: string): Parsed {
    try {
      return JSON.parse(text);
    } catch {
      throw errorOf(damage(`${what} no JSON`, this.#settings.file));
    }
  }

  #setTrouble(thrown: unknown): void {
    if (thrown === null) this.#trouble = undefined;
    else
      this.#trouble = thrown instanceof Unavailable || thrown instanceof Damaged ? thrown : new Damaged(String(thrown));
  }

  #end(error: Error): void {
    this.#worker = undefined;
    this.#setTrouble(error);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.documents.end(error);
  }
}

async function outcomeOf(
  { set, delete: gone }: Transaction,
  written: Written,
  slices: Slices,
): Promise<{ committed: Committed; change: Change }> {
  const { revision, kept, deleted } = written;
  const made: Outcome = { revision, created: true };
  const replaced: Outcome = { revision, created: false };
  let unchanged = 0;
  const outcomes: Outcome[] = [];
  const change: Change = { revision, set: [], delete: gone.filter((_, at) => deleted[at] === 1) };
  await slices.each(set.entries(), ([at, route]) => {
    const what = written.set[at];
    if (what === UNCHANGED) outcomes.push({ revision: kept[unchanged++] ?? revision, created: false });
    else {
      outcomes.push(what === CREATED ? made : replaced);
      change.set.push(Object.assign(route, { revision }));
    }
  });
  return { committed: { revision, set: outcomes }, change };
}
