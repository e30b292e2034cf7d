// Linear hashing: a table grows and shrinks by one bucket at a time. Of n buckets a key belongs to the one that its hash names under the
// mask of the next power of two, or under half of that mask where that bucket is not there yet. The filter has the same in table/bucket.ts.
import { PER_BUCKET } from "../model/feed.ts";
import type { U64 } from "../model/u64.ts";

/** A bucket of the table. It never changes: another one takes its place. */
export interface Bucket {
  /** As a record of a page has it: u32 mask, then the entries by the hash of `from`, by key, and by the route's id. */
  readonly bytes: Uint8Array;
  /** The routes' ids, in the order of the entries. */
  readonly ids: readonly string[];
  readonly hash: U64;
}

/** How many buckets so many key routes have: a function of their number alone, so that two servers make the same table. */
export function bucketCount(routes: number): number {
  return Math.ceil(routes / PER_BUCKET);
}

/** The mask of the next power of two for so many buckets. */
function widestMask(buckets: number): number {
  return buckets < 2 ? 0 : 0xffff_ffff >>> Math.clz32(buckets - 1);
}

/** The bucket of a key with this hash, of so many. */
export function bucketOf(hash: number, buckets: number): number {
  const mask = widestMask(buckets);
  const bucket = (hash & mask) >>> 0;
  return bucket < buckets ? bucket : bucket & (mask >>> 1);
}

/** The mask that the keys of a bucket are chosen by, where there are so many. */
export function maskOf(bucket: number, buckets: number): number {
  const mask = widestMask(buckets);
  const half = (mask >>> 1) + 1;
  return bucket < half && bucket + half >= buckets ? mask >>> 1 : mask;
}

/** The bucket that this one was split off from; not for the first. */
export function parentOf(bucket: number): number {
  return bucket & ~(0x8000_0000 >>> Math.clz32(bucket));
}

/** A bucket of the table. It never changes: another one takes its place. */
export interface Bucket {
  /** As a record of a page has it: u32 mask, then the entries by the hash of `from`, by key, and by the route's id. */
  readonly bytes: Uint8Array;
  /** The routes' ids, in the order of the entries. */
  readonly ids: readonly string[];
  readonly hash: U64;
}
