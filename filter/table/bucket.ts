// A bucket of the table, by linear hashing: of n buckets a key belongs to the one that its hash names under the mask of the next power of
// two, or under half of that mask where that bucket is not there yet. So a table grows and shrinks by one bucket, and only the keys of
// one other bucket move. A bucket's value in shared data:
//   u32 the generation of its table, u32 the mask that its keys were chosen by, then its entries
// A reader may have an old number of buckets. It is never led astray: a mask that does not fit the key leads to the bucket that was split
// off, and a bucket that is not there to the one that it was split off from.
import { PER_BUCKET } from "../../routes/model/feed";
import { got, gotLen, shared } from "../host/calls";
import { bucketName, name, nameLen } from "./names";

export const BUCKET_FIXED = 8;

/** Buckets that a reader looks at, at most; a table in order needs one, or as many as it has just grown or shrunk by powers of two. */
const MOST_STEPS = 64;

/** How many buckets so many key routes have: 0 where there are none. */
export function bucketCountFor(routes: i32): i32 {
  return (routes + PER_BUCKET - 1) / PER_BUCKET;
}

/** The mask of the next power of two for so many buckets. */
function widestMask(buckets: u32): u32 {
  return buckets < 2 ? 0 : (<u32>-1) >>> clz(buckets - 1);
}

/** The bucket of a key with this hash, of so many. */
export function bucketOf(hash: u32, buckets: u32): u32 {
  const mask = widestMask(buckets);
  const bucket = hash & mask;
  return bucket < buckets ? bucket : bucket & (mask >> 1);
}

/** The mask that the keys of a bucket are chosen by, where there are so many. */
export function maskOf(bucket: u32, buckets: u32): u32 {
  const mask = widestMask(buckets);
  const half = (mask >> 1) + 1;
  return bucket < half && bucket + half >= buckets ? mask >> 1 : mask;
}

/** The bucket that this one was split off from; not for the first. */
export function parentOf(bucket: u32): u32 {
  return bucket & ~(0x80000000 >>> clz(bucket));
}

/** Whether the value last read is a bucket of that generation. */
export function isBucket(generation: u32): bool {
  return gotLen >= BUCKET_FIXED && load<u32>(got) == generation;
}

/** Reads the bucket of a key with this hash into (`got`, `gotLen`), from a table of about so many; false when it can't be found. */
export function openBucket(slot: u32, generation: u32, buckets: u32, hash: u32): bool {
  let bucket = bucketOf(hash, buckets);
  for (let i = 0; i < MOST_STEPS; i++) {
    bucketName(slot, bucket);
    if (shared(name, nameLen) && isBucket(generation)) {
      const wanted = hash & load<u32>(got, 4);
      if (wanted == bucket) return true;
      bucket = wanted;
    } else if (bucket == 0) return false;
    else bucket = parentOf(bucket);
  }
  return false;
}
