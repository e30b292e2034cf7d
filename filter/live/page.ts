// The answer of a route server, read in pieces, since the module's memory never shrinks; routes/model/feed.ts shows how it is laid out. A page is
// gone through once to verify all of it and a second time to apply it.
import {
  FLAG_LAST,
  KIND_PAGE,
  KIND_RESET,
  LAYOUT,
  MAX_ANSWER,
  PAGE_AT_BUCKETS,
  PAGE_AT_DIGEST,
  PAGE_AT_FLAGS,
  PAGE_AT_FROM,
  PAGE_AT_HASH,
  PAGE_AT_HISTORY,
  PAGE_AT_KIND,
  PAGE_AT_LAYOUT,
  PAGE_AT_NEXT,
  PAGE_AT_REVISION,
  PAGE_AT_ROUTES,
  PAGE_AT_RULES,
  PAGE_FIXED,
  PAGE_MAGIC,
  RECORD_FIXED,
  RULES_INDEX,
} from "../../routes/model/feed";
import { callBody, got, gotLen } from "../host/calls";
import { keptScratch, releaseScratch, resetScratch } from "../host/memory";
import { writer } from "../host/writer";
import { maskOf } from "../table/bucket";
import { RULES_FIXED } from "../table/header";
import { digestEnd, digestMore, digestOf, digestStart, mix } from "./digest";
import { areEntries, areRules } from "./verify";

/** More than any table has. */
const MOST_BUCKETS: u32 = 1 << 22;
const PIECE: u32 = 32 * 1024;

const fixed = memory.data(PAGE_FIXED);
const recordsSize = memory.data(4);
/** The rules section of the page; empty on a last page where the rules are what they were. */
export const rules = writer();
export let rulesHash: u64 = 0;

export function isReset(): bool {
  return load<u8>(fixed, PAGE_AT_KIND) == KIND_RESET;
}

export function isLast(): bool {
  return (load<u8>(fixed, PAGE_AT_FLAGS) & FLAG_LAST) != 0;
}

export function pageHistory(): u64 {
  return load<u64>(fixed, PAGE_AT_HISTORY);
}

/** The revision that was asked with. */
export function pageFrom(): u64 {
  return load<u64>(fixed, PAGE_AT_FROM);
}

export function pageRevision(): u64 {
  return load<u64>(fixed, PAGE_AT_REVISION);
}

export function pageDigest(): u64 {
  return load<u64>(fixed, PAGE_AT_DIGEST);
}

export function pageBuckets(): u32 {
  return load<u32>(fixed, PAGE_AT_BUCKETS);
}

export function pageRoutes(): u32 {
  return load<u32>(fixed, PAGE_AT_ROUTES);
}

export function pageNext(): u32 {
  return load<u32>(fixed, PAGE_AT_NEXT);
}

let size: u32 = 0;
let pieceAt: usize = 0;
let pieceFrom: u32 = 0;
let pieceLen: u32 = 0;
let kept: usize = 0;

// Where `len` bytes from `from` on lie in memory until the next call; 0 when the host does not give them. What host calls have handed back
// after the last call is void.
function open(from: u32, len: u32): usize {
  if (from >= pieceFrom && from + len <= pieceFrom + pieceLen) {
    releaseScratch(kept);
    return pieceAt + (from - pieceFrom);
  }
  resetScratch();
  pieceLen = 0;
  if (!callBody(from, min(size - from, max(len, PIECE))) || <u32>gotLen < len) return 0;
  pieceAt = got;
  pieceFrom = from;
  pieceLen = gotLen;
  kept = keptScratch();
  return pieceAt;
}

/** The record read last; `recordAt` is where its bytes lie, mask first. */
export let index: u32 = 0;
export let recordLen: i32 = 0;
export let recordHash: u64 = 0;
export let recordAt: usize = 0;
let next: u32 = 0;

/** How many records there are. */
export let records: u32 = 0;

/** Begins at the first record. */
export function firstRecord(): void {
  next = PAGE_FIXED + load<u32>(fixed, PAGE_AT_RULES);
}

/** Reads the next record; false at the end, or where the page is cut off. */
export function nextRecord(): bool {
  if (next >= size || size - next < <u32>RECORD_FIXED) return false;
  const at = open(next, RECORD_FIXED);
  if (at == 0) return false;
  index = load<u32>(at);
  recordLen = load<i32>(at, 4);
  recordHash = load<u64>(at, 8);
  if (<u32>recordLen > size - next - RECORD_FIXED) return false;
  recordAt = open(next, RECORD_FIXED + recordLen);
  if (recordAt == 0) return false;
  recordAt += RECORD_FIXED;
  next += RECORD_FIXED + recordLen;
  return true;
}

/** What an answer can be. */
export const USABLE = 0;
/** No page at all. */
export const FOREIGN = 1;
/** A page that is cut off or was changed on its way. */
export const DAMAGED = 2;
export const TOO_LARGE = 3;

/** Reads and verifies the answer of that size; `first` is the index that was asked for. */
export function readPage(bytes: u32, first: u32): i32 {
  size = bytes;
  pieceLen = 0;
  if (size > <u32>MAX_ANSWER) return TOO_LARGE;
  if (size < <u32>PAGE_FIXED) return FOREIGN;
  const at = open(0, PAGE_FIXED);
  if (at == 0) return DAMAGED;
  memory.copy(fixed, at, PAGE_FIXED);
  if (load<u32>(fixed) != PAGE_MAGIC || load<u16>(fixed, PAGE_AT_LAYOUT) != LAYOUT) return FOREIGN;
  if (!readRules()) return DAMAGED;
  return areRecords(first) ? USABLE : DAMAGED;
}

function readRules(): bool {
  const len = load<u32>(fixed, PAGE_AT_RULES);
  if (len > size - PAGE_FIXED) return false;
  rules.clear();
  if (len) {
    const at = open(PAGE_FIXED, len);
    if (at == 0) return false;
    rules.bytes(at, len);
  }
  digestStart();
  digestMore(fixed, PAGE_AT_HASH);
  store<u32>(recordsSize, size - PAGE_FIXED - len);
  digestMore(recordsSize, 4);
  digestMore(rules.at, rules.len);
  if (digestEnd() != load<u64>(fixed, PAGE_AT_HASH)) return false;
  const kind = load<u8>(fixed, PAGE_AT_KIND);
  if (kind == KIND_RESET) return true;
  if (kind != KIND_PAGE || pageBuckets() > MOST_BUCKETS || isLast() != (pageNext() == 0)) return false;
  if (!isLast()) return len == 0;
  if (len == 0) return true;
  if (len < <u32>RULES_FIXED) return false;
  rulesHash = mix(RULES_INDEX, digestOf(rules.at, rules.len));
  return areRules(rules.at + RULES_FIXED, rules.at + rules.len, load<u32>(rules.at), load<u32>(rules.at, 4));
}

function areRecords(least: u32): bool {
  records = 0;
  if (isReset()) return true;
  for (firstRecord(); nextRecord(); records++) {
    if (index < least || !isSound()) return false;
    least = index + 1;
  }
  return next == size && (isLast() || least <= pageNext());
}

// A bucket is as the number of buckets wants it; none of a higher index is there.
function isSound(): bool {
  if (recordLen == 0) return index >= pageBuckets() && index < MOST_BUCKETS;
  if (index >= pageBuckets() || recordLen < 4) return false;
  const mask = load<u32>(recordAt);
  return (
    mask == maskOf(index, pageBuckets()) &&
    digestOf(recordAt, recordLen) == recordHash &&
    areEntries(recordAt + 4, recordAt + recordLen, index, mask)
  );
}
