// The names of the shared values: `keyway:LL:` with the layout's number, a letter for the kind, and numbers as bytes. Istio gives every
// plugin of a proxy the same shared-data namespace, so all begin with the product's name. A slot is a place for one table: its
// header, and buckets that are written again and again, because the host can't delete a shared value.
import { LAYOUT } from "../../routes/model/feed";
import { ZERO } from "../text/ascii";

const LAYOUT_AT = 7;
const NUMBERS_AT = 11;

/** How many values there are for marks; see missing/mark.ts. */
export const MARK_GROUPS: u32 = 1024;

/** How many values there are for the memory of traces; see trace/memory.ts. */
export const TRACE_BUCKETS: i32 = 1024;

const LAYOUTS = "keyway:layouts";
const SLOTS = "keyway:--:s";
const REJECTED = "keyway:--:r";
const HEADER = "keyway:--:h----";
const BUCKET = "keyway:--:b--------";
const MARKS = "keyway:--:m----";
const TABLES = "keyway:--:t";
const TRACES = "keyway:--:e----";

export let name: usize = 0;
export let nameLen: i32 = 0;

/** The layouts that have values in shared data; see layouts.ts. */
export function layoutsName(): void {
  name = LAYOUTS.start;
  nameLen = LAYOUTS.len;
}

/** The slots and who uses them; see slots.ts. */
export function slotsName(layout: u32 = LAYOUT): void {
  setName(SLOTS, layout);
}

/** The fingerprint of the configuration last rejected. */
export function rejectedName(layout: u32 = LAYOUT): void {
  setName(REJECTED, layout);
}

export function headerName(slot: u32, layout: u32 = LAYOUT): void {
  setName(HEADER, layout);
  store<u32>(name + NUMBERS_AT, slot);
}

export function bucketName(slot: u32, bucket: u32, layout: u32 = LAYOUT): void {
  setName(BUCKET, layout);
  store<u32>(name + NUMBERS_AT, slot);
  store<u32>(name + NUMBERS_AT + 4, bucket);
}

/** The directory of live tables; see live/directory.ts. */
export function tablesName(layout: u32 = LAYOUT): void {
  setName(TABLES, layout);
}

/** A group of marks; see missing/mark.ts. */
export function markName(group: u32, layout: u32 = LAYOUT): void {
  setName(MARKS, layout);
  store<u32>(name + NUMBERS_AT, group);
}

/** A bucket of the memory of traces; see trace/memory.ts. */
export function traceName(bucket: u32, layout: u32 = LAYOUT): void {
  setName(TRACES, layout);
  store<u32>(name + NUMBERS_AT, bucket);
}

function setName(text: Bytes, layout: u32): void {
  name = text.start;
  nameLen = text.len;
  store<u8>(name + LAYOUT_AT, <u8>(ZERO + layout / 10));
  store<u8>(name + LAYOUT_AT + 1, <u8>(ZERO + (layout % 10)));
}
