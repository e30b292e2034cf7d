import { randomBytes } from "node:crypto";
import type { LiveRoute } from "../../../routes/model/live-route.ts";
import type { KeywayError } from "../../../shared/errors.ts";
import { within } from "../../../shared/within.ts";
import { type Difference, differenceOf, idsOf } from "../difference.ts";
import {
  type Change,
  type Committed,
  Full,
  type Loaded,
  type Outcome,
  type Store,
  type Transaction,
  Unavailable,
} from "../store.ts";
import { EtcdDocuments } from "./documents.ts";
import { EtcdFollower } from "./follower.ts";
import { Gateway, type GatewaySettings, Refused } from "./gateway.ts";
import { EtcdReader } from "./reader.ts";
import { EtcdWriter, MOST_OPERATIONS } from "./writer.ts";

const DEFAULTS = { answerMs: 3000, writeMs: 8000, silentMs: 30_000, retryMs: 200 };
export type EtcdSettings = Omit<GatewaySettings, "answerMs"> & Partial<typeof DEFAULTS>;

interface Waiting {
  transaction: Transaction;
  /** Aborted once its writer waits no longer. */
  late: AbortSignal | undefined;
  /** Whether etcd may have it already. */
  isBegun: boolean;
  resolve: (committed: Committed) => void;
  reject: (error: Error) => void;
}

/** The routes in etcd, for any number of servers. Revisions are etcd's own. */
export class EtcdStore implements Store {
  readonly documents: EtcdDocuments;
  readonly #settings: typeof DEFAULTS & EtcdSettings;
  readonly #gateway: Gateway;
  readonly #reader: EtcdReader;
  readonly #follower: EtcdFollower;
  readonly #writer: EtcdWriter;
  readonly #closed = new AbortController();
  readonly #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #history: bigint | undefined;

  constructor(settings: EtcdSettings) {
    this.#settings = { ...DEFAULTS, ...settings };
    this.#gateway = new Gateway(this.#settings);
    const { signal } = this.#closed;
    const call = <Answer>(path: string, body: object) => this.#gateway.call<Answer>(path, body, signal);
    this.#reader = new EtcdReader(call);
    const { silentMs, retryMs, writeMs } = this.#settings;
    this.documents = new EtcdDocuments({
      call: (path, body) =>
        call<never>(path, body).catch((thrown) => {
          throw errorOf(thrown);
        }),
      toldMs: writeMs,
    });
    const parts = { gateway: this.#gateway, reader: this.#reader, documents: this.documents };
    this.#follower = new EtcdFollower({ ...parts, signal, where: this.#where, silentMs, retryMs });
    this.#writer = new EtcdWriter(call, this.#reader, this.#follower);
  }

  get history(): bigint {
    if (this.#history === undefined) throw new Error("the store was not started");
    return this.#history;
  }

  trouble(): KeywayError | undefined {
    return this.#follower.trouble;
  }

  async start(onChange: (change: Change) => void, signal: AbortSignal): Promise<Loaded> {
    signal.addEventListener("abort", () => void this.close(), { once: true });
    this.#history = await this.#reader.history();
    await this.#follower.start();
    return this.#follower.followed.handOver(onChange);
  }

  commit(transaction: Transaction, late?: AbortSignal): Promise<Committed> {
    if (this.#closed.signal.aborted) return Promise.reject(this.#over());
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { transaction, late, isBegun: false, resolve, reject };
      // It is passed over when its turn comes.
      late?.addEventListener("abort", () => waiting.isBegun || reject(this.#tooLate()), { once: true });
      this.#waiting.push(waiting);
      this.#writing ??= this.#write();
    });
  }

  /** Writes what was given before, then lets go of etcd. */
  async close(limitMs?: number): Promise<void> {
    await within(limitMs, this.#writing);
    this.#closed.abort(this.#over());
    await this.#follower.ended();
    await this.#gateway.close();
  }

  get #where(): string {
    return this.#settings.endpoints.join(",");
  }

  #over(): Unavailable {
    return new Unavailable("the store is closed", { where: "etcd" });
  }

  #tooLate(): Unavailable {
    return new Unavailable("writes that came before take long; nothing of this one was kept", {
      where: this.#where,
      next: "write it again; a large transaction keeps others waiting until all of it is in its place",
    });
  }

  async #write(): Promise<void> {
    for (let first = this.#waiting.shift(); first !== undefined; first = this.#waiting.shift()) {
      const together = [first];
      // Small transactions that share no route travel together.
      const ids = new Set(idsOf(first.transaction));
      for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
        const own = idsOf(next.transaction);
        if (ids.size + own.length > MOST_OPERATIONS || own.some((id) => ids.has(id))) break;
        for (const id of own) ids.add(id);
        together.push(next);
        this.#waiting.shift();
      }
      await this.#writeTogether(together);
    }
    // In the same turn in which nothing was found waiting, so that what comes next begins anew.
    this.#writing = undefined;
  }

  async #writeTogether(together: readonly Waiting[]): Promise<void> {
    let until = AbortSignal.timeout(this.#settings.writeMs);
    const transaction = randomBytes(8).toString("hex");
    let left = together;
    try {
      for (let isLatest = false, revision: number | undefined; revision === undefined; ) {
        if (this.#writer.isSettling) {
          await this.#writer.settle();
          // That may take long, and is no waiting for others.
          until = AbortSignal.timeout(this.#settings.writeMs);
        }
        const before = this.#follower.head.revision;
        left = left.filter(({ late }) => !late?.aborted);
        if (left.length === 0) break;
        const { planned, refused } = this.#plan(left);
        const set = planned.flatMap(({ difference }) => difference.set);
        const gone = planned.flatMap(({ difference }) => difference.delete);
        const changesNothing = set.length === 0 && gone.length === 0;
        // What writes nothing is not compared with etcd's head, so it is first seen to that nothing newer is there.
        if (!isLatest && (changesNothing || refused.length > 0)) {
          await this.#catchUp(until);
          isLatest = true;
          continue;
        }
        for (const { waiting, conflict } of refused) waiting.reject(conflict);
        left = planned.map(({ waiting }) => waiting);
        for (const waiting of left) waiting.isBegun = !changesNothing;
        revision = changesNothing
          ? this.#follower.followed.revision
          : await this.#writer.put(transaction, before, { set, delete: gone });
        if (revision === undefined) {
          for (const waiting of left) {
            waiting.isBegun = false;
            if (waiting.late?.aborted) waiting.reject(this.#tooLate());
          }
          await this.#catchUp(until);
        } else this.#follower.wrote(changeAt(revision, set, gone));
        if (revision !== undefined) for (const one of planned) one.waiting.resolve(committed(one.difference, revision));
      }
    } catch (thrown) {
      const error = errorOf(thrown);
      for (const { reject } of left) reject(error);
    }
    // A transaction that is not settled now is by whoever writes next.
    if (this.#writer.isSettling) await this.#writer.settle().catch(() => {});
  }

  /** What each changes, and those whose requirements do not hold. */
  #plan(left: readonly Waiting[]) {
    const { routes } = this.#follower.followed;
    const planned: { waiting: Waiting; difference: Difference }[] = [];
    const refused: { waiting: Waiting; conflict: Error }[] = [];
    for (const waiting of left) {
      try {
        planned.push({ waiting, difference: differenceOf(waiting.transaction, routes) });
      } catch (thrown) {
        refused.push({ waiting, conflict: thrown as Error });
      }
    }
    return { planned, refused };
  }

  async #catchUp(until: AbortSignal): Promise<void> {
    if ((await this.#follower.catchUp(until)) && !until.aborted) return;
    throw new Unavailable("what other servers write is not told by etcd in time; nothing of this write was kept", {
      where: this.#where,
      next: "see whether etcd's members are healthy (`etcdctl endpoint health`), and try again",
    });
  }
}

/** What etcd has refused, as a store says it. */
function errorOf(thrown: unknown): Error {
  if (!(thrown instanceof Refused)) return thrown instanceof Error ? thrown : new Error(String(thrown));
  const { message, where, next } = thrown;
  const Kind = thrown.isFull ? Full : Unavailable;
  return new Kind(message, {
    ...(where !== undefined && { where }),
    ...(next !== undefined && { next }),
    cause: thrown,
  });
}

function changeAt(revision: number, set: readonly LiveRoute[], gone: string[]): Change {
  return { revision, set: set.map((route) => ({ ...route, revision })), delete: gone };
}

function committed({ outcomes }: Difference, revision: number): Committed {
  const set = outcomes.map((one): Outcome => {
    return "kept" in one ? { revision: one.kept, created: false } : { revision, created: one.created };
  });
  return { revision, set };
}
