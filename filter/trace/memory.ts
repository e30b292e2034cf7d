// The memory of traces: which key a trace last came in with. It lies in TRACE_BUCKETS shared values, and the id names the one that its
// entry is in, so it costs one read to look and one write to remember, however many traces there are. A bucket holds as many entries as the
// configuration says, the newest first; the oldest makes room. Buckets are changed by compare-and-swap alone. An entry:
//   u64 low half of the id, u64 high half or 0, u64 when it was written, u16 key length, the key
// Times are nanoseconds of the clock that nobody sets.
import { MAX_SIGNED } from "../../routes/model/names";
import { got, gotCas, gotLen, shared, swapShared } from "../host/calls";
import { keptScratch, releaseScratch } from "../host/memory";
import { writer } from "../host/writer";
import { TRACE_BUCKETS, name, nameLen, traceName } from "../table/names";
import { same } from "../text/bytes";
import { sameId } from "./ids";

const LOW_HALF = 0;
const HIGH_HALF = 8;
const TIME = 16;
const KEY_LENGTH = 24;
const FIXED = 26;
const MOST_TRIES = 20;

/** The key last found, and whether half of its time has passed. */
export const foundKey = memory.data(MAX_SIGNED);
export let foundLen = 0;
export let foundAges = false;

/** Of the last change: whether the trace had another key before, and how many traces had to make room before their time. */
export let conflicted = false;
export let evicted = 0;

const bucket = writer();

// @ts-ignore: decorator
@inline
function keyLenOf(entry: usize): i32 {
  return load<u16>(entry, KEY_LENGTH);
}

// @ts-ignore: decorator
@inline
function afterEntry(entry: usize): usize {
  return entry + FIXED + keyLenOf(entry);
}

// @ts-ignore: decorator
@inline
function isOf(entry: usize, low: u64, high: u64): bool {
  return sameId(low, high, load<u64>(entry, LOW_HALF), load<u64>(entry, HIGH_HALF));
}

// @ts-ignore: decorator
@inline
function isOld(entry: usize, time: u64, lifetime: u64): bool {
  return <i64>(time - load<u64>(entry, TIME)) > <i64>lifetime;
}

function open(low: u64): bool {
  traceName((<u32>(low ^ (low >> 32))) & (TRACE_BUCKETS - 1));
  return shared(name, nameLen);
}

/** Puts the key that the trace came in with into (`foundKey`, `foundLen`); false when it is not remembered. */
export function findKey(low: u64, high: u64, time: u64, lifetime: u64): bool {
  const kept = keptScratch();
  const entry = open(low) ? entryOf(low, high) : 0;
  const found = entry != 0 && !isOld(entry, time, lifetime);
  if (found) {
    foundLen = keyLenOf(entry);
    memory.copy(foundKey, entry + FIXED, foundLen);
    foundAges = isOld(entry, time, lifetime >> 1);
  }
  releaseScratch(kept);
  return found;
}

// The newest entry of that id in the bucket last read; 0 when there is none.
function entryOf(low: u64, high: u64): usize {
  const end = got + gotLen;
  for (let entry = got; entry < end; entry = afterEntry(entry)) if (isOf(entry, low, high)) return entry;
  return 0;
}

/** Remembers the key, or, where `keyLen` is 0, forgets that the trace had one. False when other workers kept getting in between. */
export function setKey(low: u64, high: u64, key: usize, keyLen: i32, time: u64, lifetime: u64, most: i32): bool {
  return change(low, high, key, keyLen, time, lifetime, most, false);
}

/** Remembers the key last found for another lifetime. One that is not there any more, or another one by now, stays as it is. */
export function renewKey(low: u64, high: u64, time: u64, lifetime: u64, most: i32): void {
  change(low, high, foundKey, foundLen, time, lifetime, most, true);
}

function change(
  low: u64,
  high: u64,
  key: usize,
  keyLen: i32,
  time: u64,
  lifetime: u64,
  most: i32,
  isRenewal: bool,
): bool {
  for (let i = 0; i < MOST_TRIES; i++) {
    const kept = keptScratch();
    const done = tryChange(low, high, key, keyLen, time, lifetime, most, isRenewal);
    releaseScratch(kept);
    if (done) return true;
  }
  conflicted = false;
  evicted = 0;
  return false;
}

function tryChange(
  low: u64,
  high: u64,
  key: usize,
  keyLen: i32,
  time: u64,
  lifetime: u64,
  most: i32,
  isRenewal: bool,
): bool {
  if (!open(low)) gotLen = 0;
  const cas = gotCas;
  const known = entryOf(low, high);
  const stands = known != 0 && !isOld(known, time, lifetime);
  evicted = 0;
  conflicted = stands && !same(known + FIXED, keyLenOf(known), key, keyLen);
  if (isRenewal ? !stands || conflicted : keyLen == 0 && !stands) return true;
  // What goes out may have the shorter form of the id that came in.
  if (isRenewal) high = load<u64>(known, HIGH_HALF);
  // Many requests of one trace come in one after the other: as long as its entry is young there is nothing to write.
  if (stands && !conflicted && !isOld(known, time, lifetime >> 2)) return true;
  bucket.clear();
  let count = 0;
  if (keyLen != 0) {
    bucket.u64(low).u64(high).u64(time).u16(keyLen).bytes(key, keyLen);
    count++;
  }
  const end = got + gotLen;
  let entry = got;
  for (; entry < end && count < most && !isOf(entry, low, high) && !isOld(entry, time, lifetime); count++)
    entry = afterEntry(entry);
  bucket.bytes(got, <i32>(entry - got));
  for (; entry < end; entry = afterEntry(entry)) {
    if (isOf(entry, low, high) || isOld(entry, time, lifetime)) continue;
    if (count++ < most) bucket.bytes(entry, <i32>(afterEntry(entry) - entry));
    else evicted++;
  }
  return swapShared(name, nameLen, bucket.at, bucket.len, cas);
}
