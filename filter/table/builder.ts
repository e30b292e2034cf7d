// A table being put together, in this VM's own memory: nothing of it is visible to anyone before it is published.
// Key routes lie in chunks, which the next builder uses again, each behind a link and its number in the configuration:
//   u32 the route after it, u32 number, u64 hash of the key, the entry
import { allocate } from "../host/memory";
import { Writer, writer } from "../host/writer";
import { afterSource } from "../sources/source";
import { same } from "../text/bytes";
import { hash } from "../text/hash";
import { afterEntry, entryFrom, entryKey, entryKeyLen, entrySize, writeEntry } from "./entry";

const LINK = 16;
const CHUNK = 64 * 1024;
const CHUNK_HEAD = 8;

/** Key routes to a bucket, at most on average: more cost time at every look-up, fewer cost memory for the buckets' names. */
const PER_BUCKET = 24;

export const sources = writer();
/** The rules of `when` routes, then those of `split` routes; see header.ts. */
export const whens = writer();
export const splits = writer();

export let keyRoutes = 0;
export let whenRoutes = 0;
export let splitRoutes = 0;
export let explain = false;
export let routeAddsMark = false;

let firstChunk: usize = 0;
let chunk: usize = 0;
let used = 0;
let first: usize = 0;
let last: usize = 0;

export function clear(): void {
  sources.clear();
  whens.clear();
  splits.clear();
  keyRoutes = whenRoutes = splitRoutes = 0;
  explain = routeAddsMark = false;
  chunk = first = last = 0;
  used = CHUNK;
}

/** How many sources were added; a preset counts as all that it stands for. */
export function sourceCount(): i32 {
  let n = 0;
  for (let at = sources.at; at < sources.at + sources.len; at = afterSource(at)) n++;
  return n;
}

export function setExplain(on: bool): void {
  explain = on;
}

export function setRouteAddsMark(on: bool): void {
  routeAddsMark = on;
}

export function addKeyRoute(number: i32, from: u64, expires: i64, key: usize, keyLen: i32, to: Writer): void {
  const at = reserve(LINK + entrySize(keyLen, to.len, expires));
  store<u32>(at, number, 4);
  store<u64>(at, hash(key, keyLen), 8);
  writeEntry(at + LINK, from, expires, key, keyLen, to.at, to.len);
  link(at, 0);
  if (last) link(last, at);
  else first = at;
  last = at;
  keyRoutes++;
}

export function addWhen(rule: Writer): void {
  whens.bytes(rule.at, rule.len);
  whenRoutes++;
}

export function addSplit(rule: Writer): void {
  splits.bytes(rule.at, rule.len);
  splitRoutes++;
}

export function routeCount(): i32 {
  return keyRoutes + whenRoutes + splitRoutes;
}

/** A power of two; 0 when there is no key route. */
export function bucketCount(): i32 {
  if (keyRoutes == 0) return 0;
  let n = 1;
  while (n * PER_BUCKET < keyRoutes) n <<= 1;
  return n;
}

/** Of two routes with the same `from` and key, the later and the earlier one's number. */
export let duplicate = -1;
export let duplicateOf = -1;

const seen = writer();

/** True when two key routes have the same `from` and key. */
export function hasDuplicate(): bool {
  let slots = 4;
  while (slots < keyRoutes * 2) slots <<= 1;
  const table = zeroed(seen, slots);
  for (let route = first; route; route = after(route)) {
    const e = route + LINK;
    const from = entryFrom(e);
    let slot = (<i32>(load<u64>(route, 8) ^ (from >> 7))) & (slots - 1);
    for (;;) {
      const other: usize = load<u32>(table + (slot << 2));
      if (other == 0) break;
      const o = other + LINK;
      if (entryFrom(o) == from && same(entryKey(e), entryKeyLen(e), entryKey(o), entryKeyLen(o))) {
        duplicate = load<i32>(route, 4);
        duplicateOf = load<i32>(other, 4);
        return true;
      }
      slot = (slot + 1) & (slots - 1);
    }
    store<u32>(table + (slot << 2), <u32>route);
  }
  return false;
}

const heads = writer();

/** Sorts the key routes into `buckets` buckets; `writeBucket` gives them out. Ends what only a builder in one list can do. */
export function sortIntoBuckets(buckets: i32): void {
  const table = zeroed(heads, buckets);
  let next: usize = 0;
  for (let route = first; route; route = next) {
    next = after(route);
    const head = table + (((<usize>load<u64>(route, 8)) & (buckets - 1)) << 2);
    link(route, load<u32>(head));
    store<u32>(head, <u32>route);
  }
  first = 0;
}

export function writeBucket(to: Writer, bucket: i32): void {
  for (let route: usize = load<u32>(heads.at + (bucket << 2)); route; route = after(route)) {
    const e = route + LINK;
    to.bytes(e, <i32>(afterEntry(e) - e));
  }
}

function after(route: usize): usize {
  return load<u32>(route);
}

function link(route: usize, next: usize): void {
  store<u32>(route, <u32>next);
}

function zeroed(w: Writer, words: i32): usize {
  const at = w.clear().room(words << 2);
  memory.fill(at, 0, words << 2);
  return at;
}

function reserve(size: i32): usize {
  if (used + size > CHUNK) {
    let next = chunk ? load<usize>(chunk) : firstChunk;
    if (next == 0) {
      next = allocate(CHUNK);
      store<usize>(next, 0);
      if (chunk) store<usize>(chunk, next);
      else firstChunk = next;
    }
    chunk = next;
    used = CHUNK_HEAD;
  }
  const at = chunk + used;
  used += (size + 7) & ~7;
  return at;
}
