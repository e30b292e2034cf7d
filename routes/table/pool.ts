import { equal } from "../model/u64.ts";
import type { Bucket } from "./buckets.ts";

/** Entries that are looked at for each bucket that comes, whether any table still has theirs: so dead ones stay fewer than the others. */
const LOOKS = 2;

/** The buckets of several tables: those that are equal are one, as long as any table has it. */
export class BucketPool {
  readonly #buckets = new Map<number, WeakRef<Bucket>>();
  #round = this.#buckets.entries();

  /** The bucket, or an equal one that another table has. */
  share(bucket: Bucket): Bucket {
    const there = this.#buckets.get(bucket.hash.lo)?.deref();
    if (there && isSame(there, bucket)) return there;
    this.#buckets.set(bucket.hash.lo, new WeakRef(bucket));
    for (let looks = 0; looks < LOOKS; looks++) this.#look();
    return bucket;
  }

  #look(): void {
    const { done, value } = this.#round.next();
    if (done) this.#round = this.#buckets.entries();
    else if (value[1].deref() === undefined) this.#buckets.delete(value[0]);
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
