// A route server for proxies in the emulated host: one table, its changes by revision, and nothing else.
import type { Route } from "../../routes/index.ts";
import { PAGE_BYTES } from "../../routes/model/feed.ts";
import { type U64, u64 } from "../../routes/model/u64.ts";
import { Batch } from "../../routes/table/batch.ts";
import { encodePage, type PageRecord, recordSize } from "../../routes/table/page.ts";
import { RouteTable } from "../../routes/table/table.ts";
import type { Dispatched, Response } from "./emulator/process.ts";

/** What a proxy has asked for. */
export type Question = {
  path: string;
  scope: string;
  revision: number;
  history: string | null;
  digest: string | null;
  next: number;
  wait: number;
  headers: Record<string, string>;
};

const hex = ({ lo, hi }: U64) => hi.toString(16).padStart(8, "0") + lo.toString(16).padStart(8, "0");

export class RouteServer {
  history: U64 = u64(0x1234, 0x5678);
  revision = 1;
  /** Bytes of records in one page. */
  pageBytes = PAGE_BYTES;
  readonly questions: Question[] = [];
  readonly routes = new Map<string, Route>();
  table = new RouteTable();
  private bucketsChanged = new Map<number, number>();
  private rulesChanged = 1;
  private digests = new Map<number, string>([[1, hex(this.table.digest)]]);

  /** One transaction: routes by id, undefined for those that go. */
  apply(changes: Record<string, Route | undefined>): void {
    const batch = new Batch();
    for (const [id, route] of Object.entries(changes)) {
      const old = this.routes.get(id);
      if (old && (!route || keyOf(route) !== keyOf(old))) batch.delete(id, keyOf(old));
      if (route) {
        if (old && keyOf(route) === keyOf(old)) batch.growth--;
        batch.set(id, route);
        this.routes.set(id, route);
      } else this.routes.delete(id);
    }
    this.revision++;
    const { buckets, rules } = this.table.apply(batch);
    for (const index of buckets) this.bucketsChanged.set(index, this.revision);
    if (rules) this.rulesChanged = this.revision;
    this.digests.set(this.revision, hex(this.table.digest));
  }

  /** A restored backup: other routes, another history, any revision. */
  restore(routes: Record<string, Route>, revision: number, history = u64(this.history.lo + 1, 7)): void {
    this.table = new RouteTable();
    this.routes.clear();
    this.bucketsChanged.clear();
    this.digests.clear();
    this.history = history;
    this.revision = this.rulesChanged = revision - 1;
    this.apply(routes);
  }

  /** Undefined while there is nothing new, until the time is over that the proxy wants to wait. */
  answer({ headers }: Dispatched, waitedMs = 0): Response | undefined {
    const fields = Object.fromEntries(headers);
    const url = new URL(fields[":path"] ?? "", "http://server");
    const get = (name: string) => url.searchParams.get(name);
    const question: Question = {
      path: url.pathname,
      scope: get("scope") ?? "",
      revision: Number(get("revision")),
      history: get("history"),
      digest: get("digest"),
      next: Number(get("next")),
      wait: Number(get("wait")),
      headers: fields,
    };
    const body = this.page({ ...question, wait: question.wait * 1000 - waitedMs });
    if (!body) return undefined;
    this.questions.push(question);
    return { status: 200, headers: [["content-type", "application/octet-stream"]], body };
  }

  page({ revision, history, digest, next, wait }: Question): Uint8Array | undefined {
    const knows = history !== null;
    const known = history === hex(this.history) && revision <= this.revision;
    const met = known && (digest === null || this.digests.get(revision) === digest);
    const same = digest === hex(this.table.digest);
    if (knows && !met && !same) return this.encode(revision, 0, { isReset: true });
    const since = knows ? (met ? revision : this.revision) : 0;
    const all = this.changedSince(since).filter(({ index }) => index >= next);
    if (wait > 0 && next === 0 && all.length === 0 && this.rulesChanged <= since && met) return undefined;
    let bytes = 0;
    const records: PageRecord[] = [];
    for (const record of all) {
      bytes += recordSize(record);
      if (records.length > 0 && bytes > this.pageBytes) break;
      records.push(record);
    }
    const rest = all[records.length];
    const rules = !rest && (!knows || this.rulesChanged > since) ? this.table.rules : undefined;
    return this.encode(revision, rest?.index ?? 0, { records, rules });
  }

  private changedSince(revision: number): PageRecord[] {
    const changed = [...this.bucketsChanged].filter(([, at]) => at > revision).map(([index]) => index);
    return changed
      .sort((a, b) => a - b)
      .flatMap((index): PageRecord[] => {
        const bucket = this.table.buckets[index];
        if (bucket) return [{ index, hash: bucket.hash, bytes: bucket.bytes }];
        return revision === 0 ? [] : [{ index, hash: u64(0, 0) }];
      });
  }

  private encode(
    from: number,
    next: number,
    {
      isReset = false,
      records = [],
      rules,
    }: { isReset?: boolean; records?: PageRecord[]; rules?: Uint8Array | undefined },
  ): Uint8Array {
    return encodePage({
      isReset,
      isLast: next === 0,
      history: this.history,
      from,
      revision: this.revision,
      digest: this.table.digest,
      buckets: this.table.buckets.length,
      routes: this.table.routes,
      next,
      ...(rules && { rules }),
      records,
    });
  }
}

function keyOf(route: Route): string | undefined {
  return "key" in route ? route.key : undefined;
}
