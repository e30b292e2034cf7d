// The key cache holds the keys that this worker was asked for last, each with a copy of its routes, so that a key in use costs
// no call to the host. A copy is true for the state of a table that it was made in, which the tag names: the generation, and the number of
// changes that this worker knows of; a table that is not live has none. A key's hash names its one line in the cache, and the next key
// with that line takes it over. A line:
//   u32 generation, 0 when it holds nothing; u32 changes; u16 key length, u16 where the entries end, the key, its entries
import { same } from "../text/bytes";
import { afterEntry, entryKey, entryKeyLen } from "./entry";

const LINES = 128;
const SIZE = 512;
const FIXED = 12;
const KEY_LENGTH = 8;
const END = 10;

const lines = memory.data(LINES * SIZE);

/** The entries of the key last recalled or remembered; none when `entries` is not before `end`. */
export let entries: usize = 0;
export let end: usize = 0;

function lineOf(hash: u32): usize {
  return lines + (hash & (LINES - 1)) * SIZE;
}

/** False when the key, of this hash, has to be looked up in the table. */
export function recall(tag: u64, hash: u32, key: usize, keyLen: i32): bool {
  const line = lineOf(hash);
  if (load<u64>(line) != tag || !same(line + FIXED, load<u16>(line, KEY_LENGTH), key, keyLen)) return false;
  entries = line + FIXED + keyLen;
  end = line + load<u16>(line, END);
  return true;
}

/** Copies what the bucket at [from, to) has for the key; what does not fit is used where it lies. */
export function remember(tag: u64, hash: u32, key: usize, keyLen: i32, from: usize, to: usize): void {
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
  store<u64>(line, tag);
  store<u16>(line, <u16>keyLen, KEY_LENGTH);
  store<u16>(line, <u16>(at - line), END);
}
