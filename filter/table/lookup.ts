// Looks a key up in the table. That costs one read of shared data, of the bucket, however large the table is, and none for a key
// that is in the key cache.
import { allHold } from "../conditions";
import { got, gotLen, now } from "../host/calls";
import { same } from "../text/bytes";
import { hash } from "../text/hash";
import { BUCKET_FIXED, openBucket } from "./bucket";
import { ANY, afterEntry, entryConditions, entryExpires, entryFrom, entryKey, entryKeyLen } from "./entry";
import { end, entries, recall, remember } from "./key-cache";

/** How a route's `from` met the cluster; the greater wins. */
export const NO_MATCH = 0;
export const ANY_CLUSTER = 1;
export const ANY_SUBSET = 2;
export const THIS_CLUSTER = 3;

export function rank(from: u64, cluster: u64, withoutSubset: u64): i32 {
  if (from == cluster) return THIS_CLUSTER;
  if (from == withoutSubset) return ANY_SUBSET;
  return from == ANY ? ANY_CLUSTER : NO_MATCH;
}

/** Finds the key's routes; false when there are none. The tag is the key cache's, and begins with the generation. */
export function openKey(slot: i32, tag: u64, buckets: u32, key: usize, keyLen: i32): bool {
  const h = <u32>hash(key, keyLen);
  if (!recall(tag, h, key, keyLen)) {
    if (!openBucket(slot, <u32>tag, buckets, h)) return false;
    remember(tag, h, key, keyLen, got + BUCKET_FIXED, got + gotLen);
  }
  return entries < end;
}

export let bestRank = NO_MATCH;

/**
 * After `openKey`: the key's best route from this cluster, with `bestRank`; 0 when there is none in force. Of routes with the
 * same `from` those whose conditions hold come first, in their order.
 */
export function bestEntry(key: usize, keyLen: i32, cluster: u64, withoutSubset: u64): usize {
  let best: usize = 0;
  bestRank = NO_MATCH;
  let unconditional = true;
  for (let e = entries; e < end; e = afterEntry(e)) {
    const r = rank(entryFrom(e), cluster, withoutSubset);
    const conditions = entryConditions(e);
    if (r < bestRank || r == NO_MATCH || (r == bestRank && !(unconditional && conditions))) continue;
    if (!same(entryKey(e), entryKeyLen(e), key, keyLen) || expired(entryExpires(e))) continue;
    if (conditions && !allHold(conditions)) continue;
    best = e;
    bestRank = r;
    unconditional = conditions == 0;
  }
  return best;
}

/** Whether a moment, in seconds since 1970, is past; 0 never is. */
export function expired(at: i64): bool {
  return at != 0 && <i64>(now() / 1000000000) >= at;
}
