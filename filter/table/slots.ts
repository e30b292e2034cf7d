// Which tables are published, in one shared value changed by compare-and-swap: u32 the last generation, u32 unused, then
// per slot, 40 bytes:
//   u64 u64 fingerprint of the configuration, u32 generation (0: never used), u32 users, u32 buckets ever written, u32 state,
//   u64 when a user last said that it still is one, in nanoseconds since 1970
// A table is named by its configuration's fingerprint, so workers that read the same configuration find the same table,
// whatever order they come in, and two configurations never share one. `users` counts the root contexts, in all VMs, that
// serve from the slot; it is used again once it has none. Whoever publishes does not count itself, as it may be the VM in
// which Envoy only tries a configuration, and which is gone without a word: the slot is FRESH until somebody counts. VMs of
// another build, too, go without a word and leave their users counted; a slot that nobody has renewed for long has none.
import { gotCas, got, gotLen, now, setShared, shared, swapShared } from "../host/calls";
import { keptScratch, releaseScratch } from "../host/memory";
import { writer } from "../host/writer";
import { ABANDONED } from "./layouts";
import { bucketName, name, nameLen, slotsName } from "./names";

const FIXED = 8;
const SLOT = 40;
const GENERATION = 16;
const USERS = 20;
const BUCKETS = 24;
const STATE = 28;
const RENEWED = 32;

const BUILDING: u32 = 0;
const FRESH: u32 = 1;
const COUNTED: u32 = 2;

const MOST_TRIES = 1000;

const copy = writer();

function readSlots(): void {
  copy.clear();
  slotsName();
  if (shared(name, nameLen) && gotLen >= FIXED) copy.bytes(got, gotLen);
  else copy.u64(0);
}

function writeSlots(): bool {
  slotsName();
  return setShared(name, nameLen, copy.at, copy.len, gotCas);
}

function slotAt(slot: i32): usize {
  return copy.at + FIXED + slot * SLOT;
}

function slotCount(): i32 {
  return (copy.len - FIXED) / SLOT;
}

function findSlot(a: u64, b: u64): i32 {
  for (let s = 0; s < slotCount(); s++) {
    const at = slotAt(s);
    if (load<u64>(at) == a && load<u64>(at, 8) == b && load<u32>(at, GENERATION)) return s;
  }
  return -1;
}

function freeSlot(): i32 {
  for (let s = 0; s < slotCount(); s++) {
    if (load<u32>(slotAt(s), USERS) == 0 && load<u32>(slotAt(s), STATE) == COUNTED) return s;
  }
  const s = slotCount();
  memory.fill(copy.room(SLOT), 0, SLOT);
  return s;
}

/** Of the slot last found or claimed: its generation, the buckets it held before, and whether its table stands already. */
export let foundGeneration: u32 = 0;
export let bucketsBefore: u32 = 0;
export let standing = false;

function loadSlot(s: i32): void {
  const at = slotAt(s);
  foundGeneration = load<u32>(at, GENERATION);
  bucketsBefore = load<u32>(at, BUCKETS);
  standing = load<u32>(at, STATE) != BUILDING;
}

/** The slot whose table with this fingerprint can be read; -1 when there is none. */
export function findStanding(a: u64, b: u64): i32 {
  readSlots();
  const s = findSlot(a, b);
  if (s >= 0) loadSlot(s);
  return s >= 0 && standing ? s : -1;
}

/** A slot for a table that nobody else can have named; -1 when other threads kept getting in between. */
export function claimNew(a: u64): i32 {
  return claim(a, 0);
}

/** The slot for the table with this fingerprint, old or new; -1 when other threads kept getting in between. */
export function claim(a: u64, b: u64): i32 {
  for (let i = 0; i < MOST_TRIES; i++) {
    readSlots();
    let s = b ? findSlot(a, b) : -1;
    if (s < 0) {
      s = freeSlot();
      const at = slotAt(s);
      const generation = load<u32>(copy.at) + 1;
      store<u32>(copy.at, generation);
      store<u64>(at, a);
      store<u64>(at, b ? b : generation, 8);
      store<u32>(at, generation, GENERATION);
      store<u32>(at, BUILDING, STATE);
      store<u64>(at, now(), RENEWED);
      if (!writeSlots()) continue;
    }
    loadSlot(s);
    return s;
  }
  return -1;
}

/** Says that all of the slot's table can be read. False when the slot was given away meanwhile. */
export function finish(slot: i32, generation: u32, buckets: u32): bool {
  for (let i = 0; i < MOST_TRIES; i++) {
    readSlots();
    const at = slotAt(slot);
    if (slot >= slotCount() || load<u32>(at, GENERATION) != generation) return false;
    store<u32>(at, max(load<u32>(at, BUCKETS), buckets), BUCKETS);
    store<u32>(at, max(load<u32>(at, STATE), FRESH), STATE);
    if (writeSlots()) return true;
  }
  return false;
}

/** Counts one user more (1), less (-1), or none (0) but that it was FRESH, while the slot is still of that generation. */
export function countUser(slot: i32, generation: u32, change: i32): bool {
  for (let i = 0; i < MOST_TRIES; i++) {
    readSlots();
    const at = slotAt(slot);
    if (slot >= slotCount() || load<u32>(at, GENERATION) != generation) return false;
    store<u32>(at, max(load<i32>(at, USERS) + change, 0), USERS);
    store<u32>(at, COUNTED, STATE);
    store<u64>(at, now(), RENEWED);
    if (writeSlots()) return true;
  }
  return false;
}

/** How many slots there are, and the most buckets that one of them has ever had. */
export let allSlots: u32 = 0;
export let mostBuckets: u32 = 0;

/** Takes the users off slots that nobody has renewed for long; `allSlots` and `mostBuckets` are up to date afterwards. */
export function sweepSlots(time: u64): void {
  readSlots();
  let swept = false;
  allSlots = slotCount();
  mostBuckets = 0;
  for (let s = 0; s < slotCount(); s++) {
    const at = slotAt(s);
    mostBuckets = max(mostBuckets, load<u32>(at, BUCKETS));
    if (time < load<u64>(at, RENEWED) + ABANDONED) continue;
    swept = swept || load<u32>(at, USERS) != 0 || load<u32>(at, STATE) != COUNTED;
    // Of a table that was never finished nobody may think that it stands.
    if (load<u32>(at, STATE) == BUILDING) memory.fill(at, 0, GENERATION);
    store<u32>(at, 0, USERS);
    store<u32>(at, COUNTED, STATE);
  }
  // Another thread that has got in between will find the same the next time.
  if (swept) writeSlots();
}

/** Says that the slot is in use, and that its table may have so many buckets; false when the slot was given away meanwhile. */
export function reserveBuckets(slot: i32, generation: u32, buckets: u32): bool {
  for (let i = 0; i < MOST_TRIES; i++) {
    readSlots();
    const at = slotAt(slot);
    if (slot >= slotCount() || load<u32>(at, GENERATION) != generation) return false;
    store<u32>(at, max(load<u32>(at, BUCKETS), buckets), BUCKETS);
    store<u64>(at, now(), RENEWED);
    if (writeSlots()) return true;
  }
  return false;
}

/** Gives up a slot whose table was never finished. */
export function abandon(slot: i32, generation: u32): void {
  countUser(slot, generation, 0);
}

/** A slot whose values nobody needs, for `trimSlot` to empty; -1 when there is none. What it held is out of reach from now on. */
export function retireSlot(before: u64): i32 {
  readSlots();
  for (let s = 0; s < slotCount(); s++) {
    const at = slotAt(s);
    const free = load<u32>(at, USERS) == 0 && load<u32>(at, STATE) == COUNTED;
    if (!free || load<u32>(at, BUCKETS) == 0 || load<u64>(at, RENEWED) > before) continue;
    if (load<u64>(at) | load<u64>(at, 8)) {
      const generation = load<u32>(copy.at) + 1;
      store<u32>(copy.at, generation);
      store<u32>(at, generation, GENERATION);
      memory.fill(at, 0, GENERATION);
      if (!writeSlots()) return -1;
    }
    loadSlot(s);
    return s;
  }
  return -1;
}

/**
 * Empties at most `most` of the slot's last buckets, down to `keep`, sparing those of that generation, and says so in the slot. A slot that
 * was given to another table meanwhile is left alone: its buckets are of a later generation. Answers how many buckets the slot may still have.
 */
export function trimSlot(slot: i32, generation: u32, keep: u32, most: u32): u32 {
  readSlots();
  const at = slotAt(slot);
  if (slot >= slotCount() || load<u32>(at, GENERATION) != generation) return 0;
  const top = load<u32>(at, BUCKETS);
  const cas = gotCas;
  let bucket = top;
  for (; bucket > keep && top - bucket < most; bucket--) {
    const kept = keptScratch();
    bucketName(slot, bucket - 1);
    if (shared(name, nameLen) && gotLen > 0 && load<u32>(got) < generation) swapShared(name, nameLen, 0, 0, gotCas);
    releaseScratch(kept);
  }
  if (bucket == top) return top;
  store<u32>(slotAt(slot), bucket, BUCKETS);
  slotsName();
  return setShared(name, nameLen, copy.at, copy.len, cas) ? bucket : top;
}
