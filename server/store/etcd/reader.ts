import { randomBytes } from "node:crypto";
import type { StoredRoute } from "../../../routes/model/live-route.ts";
import { atOnce } from "../../../shared/at-once.ts";
import { Damaged } from "../store.ts";
import type { Call, RangeAnswer, TxnAnswer } from "./answers.ts";
import {
  base64,
  contentOf,
  HEAD,
  type Head,
  HISTORY,
  historyOf,
  idOf,
  keyOf,
  type Part,
  ROUTES,
  range,
  revisionOf,
  routeOf,
  STAGED,
} from "./records.ts";

/** Routes of one answer while all of them are read. */
const READ_AT_ONCE = 5000;
const PARTS_AT_ONCE = 8;

/** The head, and the revision of etcd with which it became that. */
export interface HeadAt {
  revision: number;
  content: Head;
}

export const NO_HEAD: HeadAt = { revision: 0, content: { transaction: "" } };

/** Reads what stands in etcd. */
export class EtcdReader {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /** The number of the history, made where there is none yet. */
  async history(): Promise<bigint> {
    const made = { key: base64(HISTORY), value: base64(JSON.stringify(randomBytes(8).toString("hex"))) };
    await this.#call<TxnAnswer>("/v3/kv/txn", {
      compare: [{ key: made.key, target: "CREATE", create_revision: "0" }],
      success: [{ request_put: made }],
    });
    const { header, kvs } = await this.#call<RangeAnswer>("/v3/kv/range", { key: made.key });
    const [record] = kvs ?? [];
    if (record === undefined) throw new Damaged("etcd has lost the history's number", { where: HISTORY });
    return historyOf(contentOf<string>(record), header.cluster_id);
  }

  /** The head, and etcd's own revision now. */
  async head(): Promise<{ head: HeadAt; now: number }> {
    const { header, kvs } = await this.#call<RangeAnswer>("/v3/kv/range", { key: base64(HEAD) });
    const [record] = kvs ?? [];
    const head = record ? { revision: revisionOf(record), content: contentOf<Head>(record) } : NO_HEAD;
    return { head, now: Number(header.revision) };
  }

  /** All routes at one revision, with those of a large transaction whose parts are not in their places yet. */
  async all(): Promise<{ revision: number; head: HeadAt; routes: StoredRoute[] }> {
    const { head, now: revision } = await this.head();
    const routes = new Map<string, StoredRoute>();
    const { range_end } = range(ROUTES);
    for (let key = base64(ROUTES), more = true; more; ) {
      const answer = await this.#call<RangeAnswer>("/v3/kv/range", { key, range_end, revision, limit: READ_AT_ONCE });
      for (const record of answer.kvs ?? []) routes.set(`${idOf(record)}`, routeOf(record));
      const last = answer.kvs?.at(-1);
      more = answer.more === true && last !== undefined;
      if (last) key = base64(`${keyOf(last)}\0`);
    }
    for (const part of await this.parts(head.content, revision)) {
      for (const route of part.set) routes.set(route.id, { ...route, revision: head.revision });
      for (const id of part.delete) routes.delete(id);
    }
    return { revision, head, routes: [...routes.values()] };
  }

  /** The parts of a large transaction, as they were at a revision. */
  async parts({ transaction, parts: count = 0 }: Head, revision: number): Promise<Part[]> {
    const keys = Array.from({ length: count }, (_, at) => `${STAGED}${transaction}/${at}`);
    return atOnce(PARTS_AT_ONCE, keys, async (key) => {
      const { kvs } = await this.#call<RangeAnswer>("/v3/kv/range", { key: base64(key), revision });
      const [record] = kvs ?? [];
      if (record !== undefined) return contentOf<Part>(record);
      throw new Damaged("a part of a transaction is not in etcd any more", {
        where: key,
        next: "restore a snapshot of etcd",
      });
    });
  }
}
