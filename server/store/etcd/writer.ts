import { atOnce } from "../../../shared/at-once.ts";
import { Undecided } from "../store.ts";
import type { Call, TxnAnswer } from "./answers.ts";
import type { EtcdFollower } from "./follower.ts";
import { NoMember } from "./gateway.ts";
import type { EtcdReader } from "./reader.ts";
import {
  base64,
  contentOf,
  HEAD,
  type Head,
  type Operation,
  operationsOf,
  type Part,
  range,
  revisionOf,
  STAGED,
} from "./records.ts";

/** What one transaction of etcd may hold unless its operator says otherwise is 128 operations and 1.5 MiB. */
export const MOST_OPERATIONS = 100;
const MOST_BYTES = 512 * 1024;
/** Calls at one time: etcd makes those durable together that come together, but each must be answered in time. */
const PLACES_AT_ONCE = 8;
const PARTS_AT_ONCE = 3;

/** Writes transactions: those that are too large for etcd in parts, all of which one write of the head makes valid. */
export class EtcdWriter {
  readonly #call: Call;
  readonly #reader: EtcdReader;
  readonly #follower: EtcdFollower;

  constructor(call: Call, reader: EtcdReader, follower: EtcdFollower) {
    this.#call = call;
    this.#reader = reader;
    this.#follower = follower;
  }

  /** Whether parts of a transaction are to be put in their places before anything else is written. */
  get isSettling(): boolean {
    return (this.#follower.head.content.parts ?? 0) > 0;
  }

  /** Writes unless the head has changed since `before`. The revision, or undefined where somebody else was first. */
  async put(transaction: string, before: number, change: Part): Promise<number | undefined> {
    const operations = operationsOf(change);
    const isLarge = operations.length > MOST_OPERATIONS || JSON.stringify(operations).length > MOST_BYTES;
    const parts = isLarge ? await this.#stage(transaction, change) : 0;
    const content: Head = { transaction, ...(parts > 0 && { parts }) };
    const head = { key: base64(HEAD), value: base64(JSON.stringify(content)) };
    const answer = await this.#decide({
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
    this.#follower.moveHead({ revision, content });
    return revision;
  }

  /** Puts the parts of a large transaction in their places, whoever made it. What others have done of it is done again. */
  async settle(): Promise<void> {
    const { revision, content } = this.#follower.head;
    const { transaction } = content;
    const head = base64(HEAD);
    const compare = [{ key: head, target: "MOD", mod_revision: String(revision) }];
    for (const part of await this.#reader.parts(content, revision)) {
      const operations = operationsOf({ ...part, set: part.set.map((route) => ({ ...route, revision })) });
      // No route stands in a transaction twice, so their order does not matter; by their bytes all of a part fit into one of etcd's.
      const all = [...batches(operations, MOST_OPERATIONS, Number.POSITIVE_INFINITY)];
      const areOurs = await atOnce(PLACES_AT_ONCE, all, (batch) => this.#place(batch, revision));
      if (areOurs.includes(false)) return;
    }
    const done = { request_put: { key: head, value: base64(JSON.stringify({ transaction })) } };
    const answer = await this.#call<TxnAnswer>("/v3/kv/txn", {
      compare,
      success: [done, { request_delete_range: range(STAGED) }],
    });
    if (answer.succeeded === true) {
      this.#follower.moveHead({ revision: Number(answer.header.revision), content: { transaction } });
    }
  }

  /** Puts some of a transaction, whose head has this revision, in their places, unless somebody else has. False where the head is another one
   * by now. */
  async #place(batch: readonly Operation[], revision: number): Promise<boolean> {
    const head = base64(HEAD);
    const isLast = { key: head, target: "MOD", mod_revision: String(revision) };
    const [first] = batch;
    const key = first && "request_put" in first ? first.request_put.key : undefined;
    const isToDo = { key, target: "MOD", result: "LESS", mod_revision: String(revision) };
    const answer = await this.#call<TxnAnswer>("/v3/kv/txn", {
      compare: [isLast, ...(key === undefined ? [] : [isToDo])],
      success: batch,
      failure: [{ request_range: { key: head } }],
    });
    if (answer.succeeded === true) return true;
    const [record] = answer.responses?.[0]?.response_range?.kvs ?? [];
    return record !== undefined && revisionOf(record) === revision;
  }

  /** The write that makes all of a transaction valid, or nothing. */
  async #decide(body: object): Promise<TxnAnswer> {
    try {
      return await this.#call<TxnAnswer>("/v3/kv/txn", body);
    } catch (thrown) {
      if (!(thrown instanceof NoMember) || thrown.wasNeverSent) throw thrown;
      throw new Undecided(
        `etcd has not answered a write, which may have happened all the same, as a whole or not at all: ${thrown.message}`,
        {
          ...(thrown.where !== undefined && { where: thrown.where }),
          next: "see what is there once etcd answers, and write it again: what is there already is changed no more by that",
          cause: thrown,
        },
      );
    }
  }

  async #stage(transaction: string, { set, delete: gone }: Part): Promise<number> {
    const items = [...set.map((route) => ({ route, id: "" })), ...gone.map((id) => ({ route: undefined, id }))];
    const parts = [...batches(items, Number.POSITIVE_INFINITY, MOST_BYTES)].map(
      (batch): Part => ({
        set: batch.flatMap(({ route }) => route ?? []),
        delete: batch.flatMap(({ route, id }) => (route ? [] : id)),
      }),
    );
    await atOnce(PARTS_AT_ONCE, [...parts.entries()], ([at, part]) => {
      const key = base64(`${STAGED}${transaction}/${at}`);
      return this.#call("/v3/kv/put", { key, value: base64(JSON.stringify(part)) });
    });
    return parts.length;
  }
}

/** In order, so many at one time, and so many bytes as JSON unless one alone has more. */
function* batches<One>(all: readonly One[], most: number, mostBytes: number): Generator<One[], void> {
  let batch: One[] = [];
  let bytes = 0;
  for (const one of all) {
    const size = JSON.stringify(one).length;
    if (batch.length > 0 && (batch.length >= most || bytes + size > mostBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(one);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
