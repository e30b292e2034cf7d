import { equal } from "../model/u64.ts";
import type { Bucket } from "./buckets.ts";

/** Dead entries are looked for when there are so many, at least. */
const LEAST = 4096;

/** The buckets of several tables: those that are equal are one, as long as any table has it. */
export class BucketPool {
  readonly #buckets = new Map<number, WeakRef<Bucket>>();
  #most = LEAST;

  /** The bucket, or an equal one that another table has. */
  share(bucket: Bucket): Bucket {
    const there = this.#buckets.get(bucket.hash.lo)?.deref();
    if (there && isSame(there, bucket)) return there;
    this.#buckets.set(bucket.hash.lo, new WeakRef(bucket));
    if (this.#buckets.size > this.#most) this.#sweep();
    return bucket;
  }

  #sweep(): void {
    for (const [hash, bucket] of this.#buckets) if (bucket.deref() === undefined) this.#buckets.delete(hash);
    this.#most = Math.max(LEAST, 2 * this.#buckets.size);
  }
}

function isSame(a: Bucket, b: Bucket): boolean {
  return equal(a.hash, b.hash) && sameItems(a.bytes, b.bytes) && sameItems(a.ids, b.ids);
}

function sameItems<Item>(a: ArrayLike<Item>, b: ArrayLike<Item>): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
