// The table builder: a table being put together in this VM's own memory. Nothing of it is visible before it is published. Key
// routes lie in chunks of memory, which the next table uses again. Before each stands a link and its number in the configuration:
//   u32 the route after it, u32 number, u64 hash of the key, the entry
import { allocate } from "../host/memory";
import { Writer, writer } from "../host/writer";
import { afterSource } from "../sources/source";
import { same } from "../text/bytes";
import { hash } from "../text/hash";
import { bucketCountFor, bucketOf } from "./bucket";
import { afterEntry, entryConditions, entryFrom, entryKey, entryKeyLen } from "./entry";

const LINK = 16;
const CHUNK = 64 * 1024;
const CHUNK_FIXED = 8;

export const sources = writer();
/** The source `trace`, laid down as the others are; empty where the configuration has none. */
export const trace = writer();
/** The source of links and that of the cookie by which their keys stick; empty where the configuration has none. */
export const links = writer();
/** The forms in which a key leaves, laid down as sources are. */
export const forms = writer();
/** The options of the edge, as edge/options.ts lays them down; empty where there are none. */
export const edge = writer();
/** The rules with conditions, and those that have shares alone; see rule.ts. */
export const whens = writer();
export const splits = writer();
/** Where the live table comes from, as live/settings.ts lays it down; empty where there is none. */
export const settings = writer();

export let keyRoutes = 0;
export let whenRoutes = 0;
export let splitRoutes = 0;
export let explain = false;
export let routeAddsMark = false;
/** Whether only a key that its trace came in with leaves in the forms. */
export let formsForRecovered = false;
/** The character between the parts of a key; 0 for none. */
export let hierarchy: u32 = 0;

let firstChunk: usize = 0;
let chunk: usize = 0;
let used = 0;
let chunkSize = 0;
let first: usize = 0;
let last: usize = 0;

export function clear(): void {
  sources.clear();
  trace.clear();
  links.clear();
  forms.clear();
  edge.clear();
  whens.clear();
  splits.clear();
  settings.clear();
  keyRoutes = whenRoutes = splitRoutes = 0;
  explain = routeAddsMark = formsForRecovered = false;
  hierarchy = 0;
  chunk = first = last = 0;
  used = chunkSize = 0;
}

/** How many sources a list holds; a preset counts as all that it stands for. */
export function sourceCount(list: Writer = sources): i32 {
  let n = 0;
  for (let at = list.at; at < list.at + list.len; at = afterSource(at)) n++;
  return n;
}

export function setHierarchy(separator: u32): void {
  hierarchy = separator;
}

export function setExplain(on: bool): void {
  explain = on;
}

export function setRouteAddsMark(on: bool): void {
  routeAddsMark = on;
}

/** The one form of a key that its trace came in with, where the configuration names no forms. */
export function addRecoveredForm(form: usize): void {
  forms.bytes(form, <i32>(afterSource(form) - form));
  formsForRecovered = true;
}

/** Adds the route whose entry this is. */
export function addKeyRoute(number: i32, entry: Writer): void {
  const at = reserve(LINK + entry.len);
  store<u32>(at, number, 4);
  store<u64>(at, hash(entryKey(entry.at), entryKeyLen(entry.at)), 8);
  memory.copy(at + LINK, entry.at, entry.len);
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

export function bucketCount(): i32 {
  return bucketCountFor(keyRoutes);
}

/** Of two routes that say the same, the later and the earlier one's number, and whether they have conditions. */
export let duplicate = -1;
export let duplicateOf = -1;
export let duplicateIsConditional = false;

const seen = writer();

/** True when two key routes have the same `from`, key and conditions. */
export function hasDuplicate(): bool {
  let slots = 4;
  while (slots < keyRoutes * 2) slots <<= 1;
  const table = zeroed(seen, slots);
  for (let route = first; route; route = after(route)) {
    const e = route + LINK;
    const from = entryFrom(e);
    const conditions = entryConditions(e);
    const conditionsLen = conditions ? <i32>(afterEntry(e) - conditions) : 0;
    let slot = (<i32>(load<u64>(route, 8) ^ (from >> 7) ^ hash(conditions, conditionsLen))) & (slots - 1);
    for (;;) {
      const other: usize = load<u32>(table + (slot << 2));
      if (other == 0) break;
      const o = other + LINK;
      if (entryFrom(o) == from && sameKey(e, o) && sameConditions(conditions, conditionsLen, o)) {
        duplicate = load<i32>(route, 4);
        duplicateOf = load<i32>(other, 4);
        duplicateIsConditional = conditions != 0;
        return true;
      }
      slot = (slot + 1) & (slots - 1);
    }
    store<u32>(table + (slot << 2), <u32>route);
  }
  return false;
}

function sameKey(a: usize, b: usize): bool {
  return same(entryKey(a), entryKeyLen(a), entryKey(b), entryKeyLen(b));
}

function sameConditions(conditions: usize, len: i32, other: usize): bool {
  const others = entryConditions(other);
  return same(conditions, len, others, others ? <i32>(afterEntry(other) - others) : 0);
}

/** For each bucket its first route, or 0. */
const firsts = writer();

/**
 * Sorts the key routes into `buckets` buckets, each in the order of the configuration; `writeBucket` gives them out. What needs
 * all routes in one list has to be done before.
 */
export function sortIntoBuckets(buckets: i32): void {
  const table = zeroed(firsts, buckets);
  let next: usize = 0;
  // Each route is put before those of its bucket that were sorted already, so the last one comes first.
  for (let route = reversed(first); route; route = next) {
    next = after(route);
    const bucket = table + ((<usize>bucketOf(<u32>load<u64>(route, 8), buckets)) << 2);
    link(route, load<u32>(bucket));
    store<u32>(bucket, <u32>route);
  }
  first = 0;
}

export function writeBucket(to: Writer, bucket: i32): void {
  for (let route: usize = load<u32>(firsts.at + (bucket << 2)); route; route = after(route)) {
    const e = route + LINK;
    to.bytes(e, <i32>(afterEntry(e) - e));
  }
}

function reversed(route: usize): usize {
  let before: usize = 0;
  while (route) {
    const next = after(route);
    link(route, before);
    before = route;
    route = next;
  }
  return before;
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

// A chunk begins with the address of the next one and its own size.
function reserve(size: i32): usize {
  size = (size + 7) & ~7;
  if (used + size > chunkSize) {
    const next = chunk ? load<usize>(chunk) : firstChunk;
    chunk = next && CHUNK_FIXED + size <= load<i32>(next, 4) ? next : newChunk(max(CHUNK, CHUNK_FIXED + size), next);
    chunkSize = load<i32>(chunk, 4);
    used = CHUNK_FIXED;
  }
  const at = chunk + used;
  used += size;
  return at;
}

function newChunk(size: i32, next: usize): usize {
  const at = allocate(size);
  store<usize>(at, next);
  store<i32>(at, size, 4);
  if (chunk) store<usize>(chunk, at);
  else firstChunk = at;
  return at;
}
