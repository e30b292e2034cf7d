import { add, equal, subtract, type U64 } from "../model/u64.ts";
import type { Batch } from "./batch.ts";
import { type Bucket, bucketCount, bucketOf, maskOf, parentOf } from "./buckets.ts";
import { laneHash, mix, mixRules } from "./digest.ts";
import { afterEntry, compareEntries, keyHash } from "./entry.ts";
import type { BucketPool } from "./pool.ts";
import { Rules } from "./rules.ts";
import { ByteWriter, readU32 } from "./writer.ts";

const MASK = 4;

/** What is done in one step of a large batch: each takes some milliseconds. */
const BUCKETS_A_STEP = 200;
const PLACES_A_STEP = 20_000;
const SETTLED_A_STEP = 1000;

/** What a batch has changed. */
export interface Changed {
  /** Buckets that are others now, or no more, ascending. */
  buckets: number[];
  rules: boolean;
}

interface Entry {
  bytes: Uint8Array;
  start: number;
  id: string;
}

const scratch = new ByteWriter(64 * 1024);

/**
 * The routes of one scope as proxies hold them: what a proxy copies into its shared data, ready-made. Which buckets there are and what
 * is in them depends on the routes alone, not on their history.
 */
export class RouteTable {
  #buckets: Bucket[] = [];
  #entries = 0;
  readonly #rules = new Rules();
  #digest: U64 = mixRules(this.#rules.section);
  readonly #pool: BucketPool | undefined;
  /** What was there before the batch at hand, of the buckets that it has touched. */
  readonly #before = new Map<number, Bucket | undefined>();

  /** Buckets that other tables of the pool have, too, are held once. */
  constructor(pool?: BucketPool) {
    this.#pool = pool;
  }

  get buckets(): readonly Bucket[] {
    return this.#buckets;
  }

  /** Of all kinds. */
  get routes(): number {
    return this.#entries + this.#rules.count;
  }

  get rules(): Uint8Array {
    return this.#rules.section;
  }

  get digest(): U64 {
    return this.#digest;
  }

  apply(batch: Batch): Changed {
    const steps = this.applying(batch);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  }

  /** The same in steps of some milliseconds at most; until the last one the table is neither what it was nor what it will be. */
  *applying(batch: Batch): Generator<void, Changed> {
    const { section } = this.#rules;
    const rules = this.#rules.replace(batch.removedRules, batch.rules);
    if (rules) this.#digest = add(subtract(this.#digest, mixRules(section)), mixRules(this.#rules.section));

    // Growing first keeps every bucket short. What is put in may be there already, and what is taken out not: that is settled in the end.
    const room = Math.max(bucketCount(this.#entries + batch.growth), batch.ids.length > 0 ? 1 : 0);
    yield* this.#growTo(room);
    yield;
    const { first, next } = yield* this.#byBucket(batch);
    let touched = 0;
    for (const [index, place] of first) {
      this.#replace(index, batch, place, next);
      if (++touched % BUCKETS_A_STEP === 0) yield;
    }
    yield* this.#growTo(bucketCount(this.#entries));
    while (this.#buckets.length > bucketCount(this.#entries)) {
      this.#shrink();
      if (this.#buckets.length % BUCKETS_A_STEP === 0) yield;
    }
    yield;
    return { buckets: yield* this.#settle(), rules };
  }

  *#growTo(buckets: number): Generator<void, void> {
    while (this.#buckets.length < buckets) {
      this.#grow();
      if (this.#buckets.length % BUCKETS_A_STEP === 0) yield;
    }
  }

  /** For each bucket that a batch concerns the first place in the batch, and for each place the next one; -1 for none. */
  *#byBucket({ hashes }: Batch): Generator<void, { first: Map<number, number>; next: Int32Array }> {
    const first = new Map<number, number>();
    const next = new Int32Array(hashes.length);
    const buckets = this.#buckets.length;
    for (let place = hashes.length - 1; place >= 0 && buckets > 0; place--) {
      const index = bucketOf(hashes[place] as number, buckets);
      next[place] = first.get(index) ?? -1;
      first.set(index, place);
      if (place % PLACES_A_STEP === 0) yield;
    }
    return { first, next };
  }

  /** Puts into one bucket, and takes out of it, what the places of a batch from `first` on say. */
  #replace(index: number, batch: Batch, first: number, next: Int32Array): void {
    const old = this.#buckets[index] as Bucket;
    const gone = new Set<string>();
    const fresh: Entry[] = [];
    for (let place = first; place >= 0; place = next[place] as number) {
      const id = batch.ids[place] as string;
      const start = batch.start(place);
      if (start !== undefined) fresh.push({ bytes: batch.entries.bytes, start, id });
      if (old.ids.length > 0) gone.add(id);
    }
    const kept = entriesOf(old).filter(({ id }) => !gone.has(id));
    if (fresh.length === 0 && kept.length === old.ids.length) return;
    this.#entries += kept.length + fresh.length - old.ids.length;
    this.#put(index, bucketWith(readU32(old.bytes, 0), merged(kept, fresh.sort(byOrder))));
  }

  /** Adds a bucket and moves its keys there from the one that it is split off from. */
  #grow(): void {
    const index = this.#buckets.length;
    const buckets = index + 1;
    const mask = maskOf(index, buckets);
    if (index === 0) {
      this.#put(0, bucketWith(mask, []));
      return;
    }
    const parent = parentOf(index);
    const entries = entriesOf(this.#buckets[parent] as Bucket);
    const moves = ({ bytes, start }: Entry) => (keyHash(bytes, start) & mask) >>> 0 === index;
    this.#put(index, bucketWith(mask, entries.filter(moves)));
    this.#put(
      parent,
      bucketWith(
        maskOf(parent, buckets),
        entries.filter((entry) => !moves(entry)),
      ),
    );
  }

  /** Takes the last bucket away and moves its keys to the one that it was split off from. */
  #shrink(): void {
    const index = this.#buckets.length - 1;
    if (index > 0) {
      const parent = parentOf(index);
      const entries = [parent, index].map((one) => entriesOf(this.#buckets[one] as Bucket));
      this.#put(parent, bucketWith(maskOf(parent, index), merged(...(entries as [Entry[], Entry[]]))));
    }
    this.#remember(index);
    this.#buckets.length = index;
  }

  #put(index: number, bucket: Bucket): void {
    this.#remember(index);
    this.#buckets[index] = bucket;
  }

  #remember(index: number): void {
    if (!this.#before.has(index)) this.#before.set(index, this.#buckets[index]);
  }

  /** Brings the digest up to date, and tells which buckets are others than before. */
  *#settle(): Generator<void, number[]> {
    const changed: number[] = [];
    let settled = 0;
    for (const [index, before] of this.#before) {
      if (++settled % SETTLED_A_STEP === 0) yield;
      const after = this.#buckets[index];
      if (before && after && equal(before.hash, after.hash)) continue;
      if (after && this.#pool) this.#buckets[index] = this.#pool.share(after);
      if (before) this.#digest = subtract(this.#digest, mix(index, before.hash));
      if (after) this.#digest = add(this.#digest, mix(index, after.hash));
      if (before || after) changed.push(index);
    }
    this.#before.clear();
    return changed.sort((a, b) => a - b);
  }
}

function entriesOf({ bytes, ids }: Bucket): Entry[] {
  let start = MASK;
  return ids.map((id) => {
    const entry = { bytes, start, id };
    start = afterEntry(bytes, start);
    return entry;
  });
}

function byOrder(a: Entry, b: Entry): number {
  return compareEntries(a.bytes, a.start, b.bytes, b.start) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** Both lists, which are in order, in one. */
function merged(a: readonly Entry[], b: readonly Entry[]): Entry[] {
  const all: Entry[] = [];
  let next = 0;
  for (const entry of a) {
    while (next < b.length && byOrder(b[next] as Entry, entry) < 0) all.push(b[next++] as Entry);
    all.push(entry);
  }
  for (; next < b.length; next++) all.push(b[next] as Entry);
  return all;
}

function bucketWith(mask: number, entries: readonly Entry[]): Bucket {
  scratch.clear().u32(mask);
  for (const { bytes, start } of entries) scratch.raw(bytes, start, afterEntry(bytes, start));
  const bytes = scratch.copy();
  return { bytes, ids: entries.map(({ id }) => id), hash: laneHash(bytes) };
}
