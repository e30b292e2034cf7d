import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { LiveRoute, StoredRoute } from "../../../routes/model/live-route.ts";
import { KeywayError, reason } from "../../../shared/errors.ts";
import { type Difference, differenceOf, idsOf } from "../difference.ts";
import {
  type Change,
  type Committed,
  Damaged,
  Full,
  type Loaded,
  type Outcome,
  type Store,
  type Transaction,
  Unavailable,
} from "../store.ts";
import { Gateway, type GatewaySettings, Refused } from "./gateway.ts";
import {
  base64,
  contentOf,
  everything,
  HEAD,
  type Head,
  HISTORY,
  historyOf,
  idOf,
  type KeyValue,
  keyOf,
  operationsOf,
  type Part,
  ROUTES,
  range,
  revisionOf,
  routeOf,
  STAGED,
} from "./records.ts";

/** What one transaction of etcd may hold unless its operator says otherwise is 128 operations and 1.5 MiB. */
const MOST_OPERATIONS = 100;
const MOST_BYTES = 512 * 1024;
/** Routes of one answer while all of them are read. */
const READ_AT_ONCE = 5000;

const DEFAULTS = { answerMs: 3000, writeMs: 8000, silentMs: 30_000, retryMs: 200 };
export type EtcdSettings = Omit<GatewaySettings, "answerMs"> & Partial<typeof DEFAULTS>;

interface Waiting {
  transaction: Transaction;
  resolve: (committed: Committed) => void;
  reject: (error: Error) => void;
}

interface RangeAnswer {
  header: { revision: string; cluster_id: string };
  kvs?: KeyValue[];
  more?: boolean;
}

interface TxnAnswer {
  header: { revision: string };
  succeeded?: boolean;
  responses?: { response_range?: { kvs?: KeyValue[] } }[];
}

interface WatchAnswer {
  canceled?: boolean;
  cancel_reason?: string;
  compact_revision?: string;
  events?: { type?: "DELETE"; kv: KeyValue }[];
}

/** The routes in etcd, for any number of servers. Revisions are etcd's own. */
export class EtcdStore implements Store {
  readonly #settings: typeof DEFAULTS & EtcdSettings;
  readonly #gateway: Gateway;
  readonly #closed = new AbortController();
  /** What was told to whoever follows, and waits for the next transaction's requirements. */
  readonly #routes = new Map<string, StoredRoute>();
  readonly #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #head: { revision: number; content: Head } = { revision: 0, content: { transaction: "" } };
  /** Everything up to this revision of etcd is in #routes. */
  #revision = 0;
  #history: bigint | undefined;
  #onChange: (change: Change) => void = () => {};
  #trouble: KeywayError | undefined;
  /** Settled and replaced whenever something was followed. */
  #followed = Promise.withResolvers<void>();
  #following: Promise<void> | undefined;

  constructor(settings: EtcdSettings) {
    this.#settings = { ...DEFAULTS, ...settings };
    this.#gateway = new Gateway(this.#settings);
  }

  get history(): bigint {
    if (this.#history === undefined) throw new Error("the store was not started");
    return this.#history;
  }

  trouble(): KeywayError | undefined {
    return this.#trouble;
  }

  async start(onChange: (change: Change) => void, signal: AbortSignal): Promise<Loaded> {
    signal.addEventListener("abort", () => void this.close(), { once: true });
    await this.#findHistory();
    const { revision, routes } = await this.#readAll();
    for (const route of routes) this.#routes.set(route.id, route);
    this.#revision = revision;
    this.#following = this.#follow();
    // Changes come in turns of their own, so that none is told before the routes are returned.
    this.#onChange = onChange;
    return { revision, routes, since: revision, changes: [] };
  }

  commit(transaction: Transaction): Promise<Committed> {
    if (this.#closed.signal.aborted) return Promise.reject(this.#over());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ transaction, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  /** Writes what was given before, then lets go of etcd. */
  async close(): Promise<void> {
    await this.#writing;
    this.#closed.abort(this.#over());
    await this.#following;
    await this.#gateway.close();
  }

  #over(): Unavailable {
    return new Unavailable("the store is closed", { where: "etcd" });
  }

  // Reading

  async #findHistory(): Promise<void> {
    const made = { key: base64(HISTORY), value: base64(JSON.stringify(randomBytes(8).toString("hex"))) };
    await this.#call<TxnAnswer>("/v3/kv/txn", {
      compare: [{ key: made.key, target: "CREATE", create_revision: "0" }],
      success: [{ request_put: made }],
    });
    const { header, kvs } = await this.#call<RangeAnswer>("/v3/kv/range", { key: made.key });
    const [record] = kvs ?? [];
    if (record === undefined) throw new Damaged("etcd has lost the history's number", { where: HISTORY });
    this.#history = historyOf(contentOf<string>(record), header.cluster_id);
  }

  /** All routes at one revision, with those of a large transaction whose parts are not in their places yet. */
  async #readAll(): Promise<{ revision: number; routes: StoredRoute[] }> {
    const { header, kvs } = await this.#call<RangeAnswer>("/v3/kv/range", { key: base64(HEAD) });
    const revision = Number(header.revision);
    const [head] = kvs ?? [];
    this.#head = head
      ? { revision: revisionOf(head), content: contentOf<Head>(head) }
      : { revision: 0, content: { transaction: "" } };
    const routes = new Map<string, StoredRoute>();
    const { range_end } = range(ROUTES);
    for (let key = base64(ROUTES), more = true; more; ) {
      const answer = await this.#call<RangeAnswer>("/v3/kv/range", { key, range_end, revision, limit: READ_AT_ONCE });
      for (const record of answer.kvs ?? []) routes.set(`${idOf(record)}`, routeOf(record));
      const last = answer.kvs?.at(-1);
      more = answer.more === true && last !== undefined;
      if (last) key = base64(`${keyOf(last)}\0`);
    }
    for (const part of await this.#readParts(this.#head.content, revision)) {
      for (const route of part.set) routes.set(route.id, { ...route, revision: this.#head.revision });
      for (const id of part.delete) routes.delete(id);
    }
    return { revision, routes: [...routes.values()] };
  }

  async #readParts({ transaction, parts: count = 0 }: Head, revision: number): Promise<Part[]> {
    const parts: Part[] = [];
    for (let at = 0; at < count; at++) {
      const key = `${STAGED}${transaction}/${at}`;
      const { kvs } = await this.#call<RangeAnswer>("/v3/kv/range", { key: base64(key), revision });
      const [record] = kvs ?? [];
      if (record === undefined) {
        throw new Damaged("a part of a transaction is not in etcd any more", {
          where: key,
          next: "restore a snapshot of etcd",
        });
      }
      parts.push(contentOf<Part>(record));
    }
    return parts;
  }

  // Following

  async #follow(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        const { silentMs } = this.#settings;
        const create_request = { ...everything, start_revision: String(this.#revision + 1), progress_notify: true };
        const body = { create_request };
        for await (const answer of this.#gateway.stream<WatchAnswer>("/v3/watch", body, signal, silentMs)) {
          if (answer.compact_revision !== undefined && Number(answer.compact_revision) > this.#revision) {
            await this.#reload();
            break;
          }
          if (answer.canceled) throw new Error(answer.cancel_reason ?? "etcd has ended the watch");
          await this.#take(answer.events ?? []);
          this.#trouble = undefined;
        }
      } catch (thrown) {
        if (signal.aborted) return;
        if (isSilent(thrown)) continue;
        this.#trouble =
          thrown instanceof KeywayError
            ? thrown
            : new Unavailable(`etcd can't be followed: ${reason(thrown)}`, {
                where: this.#settings.endpoints.join(","),
                next: "see whether etcd runs and has a leader; it is asked again by itself",
              });
        await sleep(this.#settings.retryMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Where etcd has forgotten what happened meanwhile: what differs is one change. */
  async #reload(): Promise<void> {
    const { revision, routes } = await this.#readAll();
    const ids = new Set(routes.map(({ id }) => id));
    const set = routes.filter((route) => this.#routes.get(route.id)?.revision !== route.revision);
    this.#apply({ revision, set, delete: [...this.#routes.keys()].filter((id) => !ids.has(id)) });
  }

  /** Events come in order, those of one revision together or in several answers. */
  async #take(events: { type?: "DELETE"; kv: KeyValue }[]): Promise<void> {
    const revisions = [...new Set(events.map(({ kv }) => revisionOf(kv)))].filter((one) => one > this.#revision);
    for (const revision of revisions) {
      const change: Change = { revision, set: [], delete: [] };
      let head: Head | undefined;
      for (const { type, kv } of events.filter(({ kv }) => revisionOf(kv) === revision)) {
        const id = idOf(kv);
        if (id !== undefined) {
          if (type === "DELETE") change.delete.push(id);
          else change.set.push(routeOf(kv));
        }
        if (keyOf(kv) !== HEAD || type === "DELETE") continue;
        head = contentOf<Head>(kv);
        for (const part of await this.#readParts(head, revision)) {
          change.set.push(...part.set.map((route) => ({ ...route, revision })));
          change.delete.push(...part.delete);
        }
      }
      // This server's own transactions are known before they are told, and so is all that came before them.
      if (revision <= this.#revision) continue;
      if (head !== undefined && revision > this.#head.revision) this.#head = { revision, content: head };
      // A part that is put in its place changes nothing.
      change.set = change.set.filter(({ id, revision: own }) => (this.#routes.get(id)?.revision ?? 0) < own);
      change.delete = change.delete.filter((id) => this.#routes.has(id));
      this.#apply(change);
    }
  }

  #apply(change: Change): void {
    for (const route of change.set) this.#routes.set(route.id, route);
    for (const id of change.delete) this.#routes.delete(id);
    this.#revision = Math.max(this.#revision, change.revision);
    if (change.set.length > 0 || change.delete.length > 0) this.#onChange(change);
    this.#followed.resolve();
    this.#followed = Promise.withResolvers();
  }

  // Writing

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
    const until = AbortSignal.timeout(this.#settings.writeMs);
    const transaction = randomBytes(8).toString("hex");
    let left = together;
    try {
      for (let isLatest = false, revision: number | undefined; revision === undefined; ) {
        if (this.#isSettling) await this.#settle();
        const head = this.#head.revision;
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
        revision = changesNothing ? this.#revision : await this.#put(transaction, head, { set, delete: gone });
        if (revision === undefined) await this.#catchUp(until);
        else if (revision > this.#revision) this.#apply(changeAt(revision, set, gone));
        if (revision !== undefined) for (const one of planned) one.waiting.resolve(committed(one.difference, revision));
      }
    } catch (thrown) {
      const error = this.#errorOf(thrown);
      for (const { reject } of left) reject(error);
    }
    // A transaction that is not settled now is by whoever writes next.
    if (this.#isSettling) await this.#settle().catch(() => {});
  }

  /** What each changes, and those whose requirements do not hold. */
  #plan(left: readonly Waiting[]) {
    const planned: { waiting: Waiting; difference: Difference }[] = [];
    const refused: { waiting: Waiting; conflict: Error }[] = [];
    for (const waiting of left) {
      try {
        planned.push({ waiting, difference: differenceOf(waiting.transaction, this.#routes) });
      } catch (thrown) {
        refused.push({ waiting, conflict: thrown as Error });
      }
    }
    return { planned, refused };
  }

  get #isSettling(): boolean {
    return (this.#head.content.parts ?? 0) > 0;
  }

  /** Writes unless the head has changed since `before`. The revision, or undefined where somebody else was first. */
  async #put(transaction: string, before: number, change: Part): Promise<number | undefined> {
    const operations = operationsOf(change);
    const isLarge = operations.length > MOST_OPERATIONS || JSON.stringify(operations).length > MOST_BYTES;
    const parts = isLarge ? await this.#stage(transaction, change) : 0;
    const content: Head = { transaction, ...(parts > 0 && { parts }) };
    const head = { key: base64(HEAD), value: base64(JSON.stringify(content)) };
    const answer = await this.#call<TxnAnswer>("/v3/kv/txn", {
      compare: [{ key: head.key, target: "MOD", mod_revision: String(before) }],
      success: [{ request_put: head }, ...(isLarge ? [] : operations)],
      failure: [{ request_range: { key: head.key } }],
    });
    let revision = Number(answer.header.revision);
    if (answer.succeeded !== true) {
      // A call that was made twice finds its own work.
      const [record] = answer.responses?.[0]?.response_range?.kvs ?? [];
      if (record === undefined || contentOf<Head>(record).transaction !== transaction) return undefined;
      revision = revisionOf(record);
    }
    if (revision > this.#head.revision) this.#head = { revision, content };
    return revision;
  }

  async #stage(transaction: string, change: Part): Promise<number> {
    let count = 0;
    let part: Part = { set: [], delete: [] };
    let bytes = 0;
    const put = async () => {
      const key = base64(`${STAGED}${transaction}/${count++}`);
      await this.#call("/v3/kv/put", { key, value: base64(JSON.stringify(part)) });
      part = { set: [], delete: [] };
      bytes = 0;
    };
    for (const route of change.set) {
      part.set.push(route);
      bytes += JSON.stringify(route).length;
      if (bytes > MOST_BYTES) await put();
    }
    for (const id of change.delete) {
      part.delete.push(id);
      bytes += id.length + 3;
      if (bytes > MOST_BYTES) await put();
    }
    if (bytes > 0) await put();
    return count;
  }

  /** Puts the parts of a large transaction in their places, whoever made it. What others have done of it is done again. */
  async #settle(): Promise<void> {
    const { revision, content } = this.#head;
    const { transaction } = content;
    const head = base64(HEAD);
    const compare = [{ key: head, target: "MOD", mod_revision: String(revision) }];
    for (const part of await this.#readParts(content, revision)) {
      const operations = operationsOf({ ...part, set: part.set.map((route) => ({ ...route, revision })) });
      for (let at = 0; at < operations.length; at += MOST_OPERATIONS) {
        const success = operations.slice(at, at + MOST_OPERATIONS);
        if ((await this.#call<TxnAnswer>("/v3/kv/txn", { compare, success })).succeeded !== true) return;
      }
    }
    const done = { request_put: { key: head, value: base64(JSON.stringify({ transaction })) } };
    const answer = await this.#call<TxnAnswer>("/v3/kv/txn", {
      compare,
      success: [done, { request_delete_range: range(STAGED) }],
    });
    if (answer.succeeded === true) this.#head = { revision: Number(answer.header.revision), content: { transaction } };
  }

  /** Waits until what others have written is known. */
  async #catchUp(until: AbortSignal): Promise<void> {
    const { kvs } = await this.#call<RangeAnswer>("/v3/kv/range", { key: base64(HEAD) });
    const revision = kvs?.[0] === undefined ? 0 : revisionOf(kvs[0]);
    while (this.#revision < revision) {
      const over = new Promise<never>((_, reject) => {
        until.addEventListener("abort", () => reject(this.#behind()), { once: true });
      });
      await Promise.race([this.#followed.promise, over]);
    }
    if (until.aborted) throw this.#behind();
  }

  #behind(): Unavailable {
    return new Unavailable("what other servers write is not told by etcd in time; nothing of this write was kept", {
      where: this.#settings.endpoints.join(","),
      next: "see whether etcd's members are healthy (`etcdctl endpoint health`), and try again",
    });
  }

  #call<Answer>(path: string, body: object): Promise<Answer> {
    return this.#gateway.call<Answer>(path, body, this.#closed.signal);
  }

  #errorOf(thrown: unknown): Error {
    if (!(thrown instanceof Refused)) return thrown instanceof Error ? thrown : new Error(String(thrown));
    const { message, where, next } = thrown;
    const Kind = thrown.isFull ? Full : Unavailable;
    return new Kind(message, {
      ...(where !== undefined && { where }),
      ...(next !== undefined && { next }),
      cause: thrown,
    });
  }
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

/** Nothing has changed for long: the watch is begun anew, since a connection that was cut looks the same. */
const isSilent = (thrown: unknown): boolean => (thrown as { code?: unknown }).code === "UND_ERR_BODY_TIMEOUT";
