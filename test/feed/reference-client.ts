// What a proxy does with a feed, in TypeScript: it holds a table in buckets, polls, applies pages, and looks keys up meanwhile, as
// filter/live does.
import { LAYOUT } from "../../routes/model/feed.ts";
import { add, equal, subtract, toHex, type U64, ZERO } from "../../routes/model/u64.ts";
import { bucketOf, parentOf } from "../../routes/table/buckets.ts";
import { laneHash, mix, mixRules } from "../../routes/table/digest.ts";
import { afterEntry, hashText, keyStart } from "../../routes/table/entry.ts";
import { decodePage, type Page, type PageRecord } from "../../routes/table/page.ts";
import { readU32 } from "../../routes/table/writer.ts";

/** Buckets that a reader looks at, at most. */
const MOST_STEPS = 64;

class Slot {
  readonly buckets = new Map<number, Uint8Array>();
  /** As the header has it; the buckets that there are may be others for a while. */
  count = 0;
  rules = new Uint8Array();
  digest: U64 = ZERO;

  set(index: number, bytes: Uint8Array | undefined): void {
    const before = this.buckets.get(index);
    if (before) this.digest = subtract(this.digest, mix(index, laneHash(before)));
    if (!bytes) {
      this.buckets.delete(index);
      return;
    }
    this.digest = add(this.digest, mix(index, laneHash(bytes)));
    this.buckets.set(index, Uint8Array.from(bytes));
  }

  setRules(rules: Uint8Array): void {
    if (this.rules.length > 0) this.digest = subtract(this.digest, mixRules(this.rules));
    this.digest = add(this.digest, mixRules(rules));
    this.rules = Uint8Array.from(rules);
  }

  /** The targets of a key, in the order of its entries. */
  lookUp(key: string): string[] {
    const bucket = this.count > 0 ? this.#open(hashText(key).lo) : undefined;
    return bucket ? entriesIn(bucket).flatMap((entry) => (entry.key === key ? [entry.to] : [])) : [];
  }

  #open(hash: number): Uint8Array | undefined {
    let index = bucketOf(hash, this.count);
    for (let step = 0; step < MOST_STEPS; step++) {
      const bucket = this.buckets.get(index);
      if (!bucket && index === 0) return undefined;
      const wanted = bucket ? (hash & readU32(bucket, 0)) >>> 0 : parentOf(index);
      if (bucket && wanted === index) return bucket;
      index = wanted;
    }
    return undefined;
  }
}

function entriesIn(bucket: Uint8Array): { key: string; to: string }[] {
  const entries: { key: string; to: string }[] = [];
  const text = (start: number, end: number) => Buffer.from(bucket.subarray(start, end)).toString();
  for (let at = 4; at < bucket.length; at = afterEntry(bucket, at)) {
    const key = keyStart(bucket, at);
    const to = key + (bucket[at] as number) + 1;
    const end = to + ((bucket[at + 2] as number) | ((bucket[at + 3] as number) << 8));
    entries.push({ key: text(key, to), to: text(to, end) });
  }
  return entries;
}

/** Where a sweep is. */
interface Sweep {
  /** Of its first page. */
  revision: number;
  pages: number;
  next: number;
  /** Where a sweep over a table that has grown has begun, as it reads the new buckets first. */
  newFrom?: number;
  isAtNew: boolean;
  /** Whether a bucket could not be written yet. */
  hasPassedOver: boolean;
}

export class ReferenceClient {
  /** The table that serves. */
  #serving = new Slot();
  /** The table that pages are applied to: the one that serves, or one that will. */
  #target = new Slot();
  #revision = 0;
  #history: U64 | undefined;
  /** Whether there is a table as of the revision, be it of several moments. */
  #hasSwept = false;
  #isConsistent = false;
  #sweep: Sweep | undefined;
  resets = 0;
  pages = 0;
  /** Sweeps of one page after which the digest was another one. */
  mismatches = 0;
  readonly scope: string;

  constructor(scope = "") {
    this.scope = scope;
  }

  get isConsistent(): boolean {
    return this.#isConsistent;
  }

  get isServing(): boolean {
    return this.#serving === this.#target;
  }

  get revision(): number {
    return this.#revision;
  }

  get table() {
    const { buckets, count, rules, digest } = this.#serving;
    return { buckets, count, rules, digest };
  }

  lookUp(key: string): string[] {
    return this.#serving.lookUp(key);
  }

  /** The query of the next poll. */
  query(wait = 0): URLSearchParams {
    return new URLSearchParams({
      scope: this.scope,
      layout: String(LAYOUT),
      revision: String(this.#revision),
      ...(this.#history && this.#hasSwept && { history: toHex(this.#history) }),
      ...(this.#isConsistent && { digest: toHex(this.#target.digest) }),
      next: String(this.#sweep?.next ?? 0),
      wait: String(wait),
    });
  }

  apply(bytes: Uint8Array): void {
    const page = decodePage(bytes);
    if (page instanceof Error) throw page;
    this.pages++;
    if (page.isReset) {
      this.#beginAnew();
      return;
    }
    this.#history = page.history;
    this.#isConsistent = false;
    const begins = this.#sweep === undefined;
    this.#sweep ??= { revision: page.revision, pages: 0, next: 0, isAtNew: false, hasPassedOver: false };
    this.#sweep.pages++;
    const { count } = this.#target;
    if (begins && !page.isLast && this.isServing && count > 0 && page.buckets > count) {
      Object.assign(this.#sweep, { isAtNew: true, newFrom: count, next: count });
      return;
    }
    this.#write(page, this.#sweep);
    if (!this.#goOn(this.#sweep, page)) return;
    if (page.isLast) this.#target.count = page.buckets;
    const { revision, pages, hasPassedOver } = this.#sweep;
    this.#sweep = undefined;
    // Else the same is asked for again.
    if (!hasPassedOver) this.#revision = revision;
    this.#hasSwept = true;
    if (pages > 1 || hasPassedOver) return;
    if (!equal(this.#target.digest, page.digest)) {
      this.mismatches++;
      this.#beginAnew();
      return;
    }
    this.#isConsistent = true;
    this.#serving = this.#target;
  }

  /** True at the end of a sweep. */
  #goOn(sweep: Sweep, page: Page): boolean {
    sweep.next = page.next;
    if (!sweep.isAtNew) return page.isLast || (sweep.newFrom !== undefined && page.next >= sweep.newFrom);
    if (!page.isLast) return false;
    sweep.isAtNew = false;
    this.#target.count = page.buckets;
    return false;
  }

  /** New buckets are written before those that they are split off from. */
  #write({ records, rules, buckets }: Page, sweep: Sweep): void {
    const { count } = this.#target;
    const isNew = ({ index }: PageRecord) => this.isServing && buckets > count && index >= count;
    for (const record of records) if (isNew(record)) this.#writeRecord(record, sweep);
    for (const record of records) if (!isNew(record)) this.#writeRecord(record, sweep);
    if (rules) this.#target.setRules(rules);
  }

  /** What would take keys away that no other bucket has yet is passed over. */
  #writeRecord({ index, bytes }: PageRecord, sweep: Sweep): void {
    const before = this.#target.buckets.get(index);
    const wouldLose = before && (bytes ? !this.#mayNarrow(index, before, bytes) : !this.#isCovered(index));
    if (this.isServing && wouldLose) sweep.hasPassedOver = true;
    else this.#target.set(index, bytes);
  }

  #mayNarrow(index: number, before: Uint8Array, after: Uint8Array): boolean {
    for (let bit = readU32(before, 0) + 1; bit <= readU32(after, 0); bit *= 2) {
      if (!this.#target.buckets.has(index + bit)) return false;
    }
    return true;
  }

  /** The first bucket goes when no key is left. */
  #isCovered(index: number): boolean {
    if (index === 0) return true;
    for (let bucket = index; bucket > 0; ) {
      bucket = parentOf(bucket);
      const parent = this.#target.buckets.get(bucket);
      if (parent) return (index & readU32(parent, 0)) === bucket;
    }
    return false;
  }

  #beginAnew(): void {
    this.resets++;
    this.#target = new Slot();
    this.#revision = 0;
    this.#history = undefined;
    this.#hasSwept = false;
    this.#isConsistent = false;
    this.#sweep = undefined;
  }
}
