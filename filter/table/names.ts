// The names of the shared values: `keyway:LL:` with the layout's number, a letter for the kind, and numbers as bytes. Istio gives every
// plugin of a proxy the same shared-data namespace, so all begin with the product's name. A slot is a place for one table: its
// header, and buckets that are written again and again, because the host can't delete a shared value.
import { LAYOUT } from "./layout";

const LAYOUT_AT = 7;
const NUMBERS_AT = 11;

const SLOTS = "keyway:--:s";
const REJECTED = "keyway:--:r";
const HEADER = "keyway:--:h----";
const BUCKET = "keyway:--:b--------";
const MARKS = "keyway:--:m----";

export let name: usize = 0;
export let nameLen: i32 = 0;

/** The slots and who uses them; see slots.ts. */
export function slotsName(): void {
  setName(SLOTS, LAYOUT);
}

/** The fingerprint of the configuration last rejected. */
export function rejectedName(): void {
  setName(REJECTED, LAYOUT);
}

export function headerName(slot: u32): void {
  setName(HEADER, LAYOUT);
  store<u32>(name + NUMBERS_AT, slot);
}

export function bucketName(slot: u32, bucket: u32): void {
  setName(BUCKET, LAYOUT);
  store<u32>(name + NUMBERS_AT, slot);
  store<u32>(name + NUMBERS_AT + 4, bucket);
}

/** A group of marks; see missing/mark.ts. */
export function markName(group: u32): void {
  setName(MARKS, LAYOUT);
  store<u32>(name + NUMBERS_AT, group);
}

function setName(text: Bytes, layout: u32): void {
  name = text.at;
  nameLen = text.len;
  store<u8>(name + LAYOUT_AT, <u8>(48 + layout / 10));
  store<u8>(name + LAYOUT_AT + 1, <u8>(48 + (layout % 10)));
}
