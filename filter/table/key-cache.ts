// The key cache holds the keys that this worker was asked for last, each with a copy of its routes, so that a key in use costs
// no call to the host. The table of a generation never changes, so a copy stays true, and nobody has to be told when a route
// changes. A key's hash names its one line in the cache, and the next key with that line takes it over. A line:
//   u32 generation, 0 when it holds nothing; u16 key length, u16 where the entries end, the key, its entries
import { same } from "../text/bytes";
import { afterEntry, entryKey, entryKeyLen } from "./entry";

const LINES = 128;
const SIZE = 512;
const FIXED = 8;

const lines = memory.data(LINES * SIZE);

/** The entries of the key last recalled or remembered; none when `entries` is not before `end`. */
export let entries: usize = 0;
export let end: usize = 0;

function lineOf(hash: u32): usize {
  return lines + (hash & (LINES - 1)) * SIZE;
}

/** False when the key, of this hash, has to be looked up in the table of that generation. */
export function recall(generation: u32, hash: u32, key: usize, keyLen: i32): bool {
  const line = lineOf(hash);
  if (load<u32>(line) != generation || !same(line + FIXED, load<u16>(line, 4), key, keyLen)) return false;
  entries = line + FIXED + keyLen;
  end = line + load<u16>(line, 6);
  return true;
}

/** Copies what the bucket at [from, to) has for the key; what does not fit is used where it lies. */
export function remember(generation: u32, hash: u32, key: usize, keyLen: i32, from: usize, to: usize): void {
  const line = lineOf(hash);
  store<u32>(line, 0);
  entries = end = to;
  let at = line + FIXED;
  memory.copy(at, key, keyLen);
  at += keyLen;
  for (let e = from; e < to; e = afterEntry(e)) {
    if (!same(entryKey(e), entryKeyLen(e), key, keyLen)) continue;
    entries = min(entries, e);
    const size = afterEntry(e) - e;
    if (at + size > line + SIZE) return;
    memory.copy(at, e, size);
    at += size;
  }
  store<u32>(line, generation);
  store<u16>(line, <u16>keyLen, 4);
  store<u16>(line, <u16>(at - line), 6);
}
