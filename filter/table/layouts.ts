// Which layouts have values in shared data, for builds that come later: a value's own format is known to builds of its layout
// alone, but its name and the size of what is there are known to all. So this one value never changes its format:
//   per layout 24 bytes: u32 layout, u32 slots, u32 most buckets of a slot, u32 unused, u64 when somebody last used it, in ns since 1970
// Envoy ends a module's VMs without a word. A layout that nobody has renewed for `ABANDONED` has no VM any more, and whoever
// finds that out overwrites its values with empty ones, since the host can't delete them.
import { LAYOUT } from "../../routes/model/feed";
import { got, gotCas, gotLen, setShared, shared } from "../host/calls";
import { resetScratch } from "../host/memory";
import { writer } from "../host/writer";
import {
  MARK_GROUPS,
  TRACE_BUCKETS,
  bucketName,
  headerName,
  layoutsName,
  markName,
  name,
  nameLen,
  rejectedName,
  tablesName,
  slotsName,
  traceName,
} from "./names";

const SIZE = 24;
const SLOTS = 4;
const BUCKETS = 8;
const RENEWED = 16;

/** Every VM renews what it uses once a minute; this is how long nobody has, where nobody is left. */
export const ABANDONED: u64 = 600000000000;

const MOST_TRIES = 100;

const copy = writer();
let cas: u32 = 0;

function readLayouts(): void {
  layoutsName();
  copy.clear();
  if (shared(name, nameLen)) copy.bytes(got, gotLen - (gotLen % SIZE));
  cas = gotCas;
}

function writeLayouts(): bool {
  layoutsName();
  return setShared(name, nameLen, copy.at, copy.len, cas);
}

/** Says that this build's layout is in use, with so many slots of at most so many buckets. */
export function renewLayout(slots: u32, buckets: u32, time: u64): void {
  for (let i = 0; i < MOST_TRIES; i++) {
    readLayouts();
    let offset = copy.len - SIZE;
    while (offset >= 0 && load<u32>(copy.at + offset) != LAYOUT) offset -= SIZE;
    if (offset < 0) {
      offset = copy.len;
      memory.fill(copy.room(SIZE), 0, SIZE);
      store<u32>(copy.at + offset, LAYOUT);
    }
    const own = copy.at + offset;
    store<u32>(own, max(load<u32>(own, SLOTS), slots), SLOTS);
    store<u32>(own, max(load<u32>(own, BUCKETS), buckets), BUCKETS);
    store<u64>(own, time, RENEWED);
    if (writeLayouts()) return;
  }
}

/** Empties the values of other layouts that nobody uses any more. */
export function sweepLayouts(time: u64): void {
  readLayouts();
  for (let offset = copy.len - SIZE; offset >= 0; offset -= SIZE) {
    const other = copy.at + offset;
    const layout = load<u32>(other);
    if (layout == LAYOUT || time < load<u64>(other, RENEWED) + ABANDONED) continue;
    const slots = load<u32>(other, SLOTS);
    const buckets = load<u32>(other, BUCKETS);
    memory.copy(other, copy.at + copy.len - SIZE, SIZE);
    copy.len -= SIZE;
    // Whoever takes the layout off the list empties its values; another thread may be at it.
    if (writeLayouts()) sweep(layout, slots, buckets);
    return;
  }
}

function sweep(layout: u32, slots: u32, buckets: u32): void {
  slotsName(layout);
  empty();
  rejectedName(layout);
  empty();
  tablesName(layout);
  empty();
  for (let slot: u32 = 0; slot < slots; slot++) {
    headerName(slot, layout);
    empty();
    for (let bucket: u32 = 0; bucket < buckets; bucket++) {
      bucketName(slot, bucket, layout);
      empty();
    }
  }
  for (let group: u32 = 0; group < MARK_GROUPS; group++) {
    markName(group, layout);
    empty();
  }
  for (let bucket = 0; bucket < TRACE_BUCKETS; bucket++) {
    traceName(bucket, layout);
    empty();
  }
}

function empty(): void {
  resetScratch();
  if (shared(name, nameLen) && gotLen > 0) setShared(name, nameLen, 0, 0, 0);
}
