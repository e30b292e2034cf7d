// The keys that this worker was asked for last, each with a copy of its routes: a key in use costs no call to the host. The
// table of a generation never changes, so what was copied from it stays true, and nobody has to be told when a route changes.
// Each key has one place, by its hash, which the key that comes next takes over:
//   u32 generation, 0 when it holds nothing; u16 key length, u16 where the entries end, the key, its entries
import { same } from "../text/bytes";
import { afterEntry, entryKey, entryKeyLen } from "./entry";

const PLACES = 128;
const SIZE = 512;
const FIXED = 8;

const places = memory.data(PLACES * SIZE);

/** The entries of the key last recalled or remembered; none when `entries` is not before `end`. */
export let entries: usize = 0;
export let end: usize = 0;

function placeOf(hash: u32): usize {
  return places + (hash & (PLACES - 1)) * SIZE;
}

/** False when the key, of this hash, has to be looked up in the table of that generation. */
export function recall(generation: u32, hash: u32, key: usize, keyLen: i32): bool {
  const place = placeOf(hash);
  if (load<u32>(place) != generation || !same(place + FIXED, load<u16>(place, 4), key, keyLen)) return false;
  entries = place + FIXED + keyLen;
  end = place + load<u16>(place, 6);
  return true;
}

/** Copies what the bucket at [from, to) has for the key; what does not fit is used where it lies. */
export function remember(generation: u32, hash: u32, key: usize, keyLen: i32, from: usize, to: usize): void {
  const place = placeOf(hash);
  store<u32>(place, 0);
  entries = end = to;
  let at = place + FIXED;
  memory.copy(at, key, keyLen);
  at += keyLen;
  for (let e = from; e < to; e = afterEntry(e)) {
    if (!same(entryKey(e), entryKeyLen(e), key, keyLen)) continue;
    entries = min(entries, e);
    const size = afterEntry(e) - e;
    if (at + size > place + SIZE) return;
    memory.copy(at, e, size);
    at += size;
  }
  store<u32>(place, generation);
  store<u16>(place, <u16>keyLen, 4);
  store<u16>(place, <u16>(at - place), 6);
}
