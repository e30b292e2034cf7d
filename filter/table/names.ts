// The names of the shared values. Istio gives every plugin of a proxy the same shared-data namespace, so all begin with
// the product's name. A slot is a place for one table: its head, and buckets that are written again and again, because
// the host can't delete a shared value.
/** The slots and who uses them; see slots.ts. */
export const SLOTS = "keyway:slots";
/** The fingerprint of the configuration last rejected. */
export const REJECTED = "keyway:rejected";

const HEAD = "keyway:h----";
const BUCKET = "keyway:b--------";
const MARKS = "keyway:m----";

export let name: usize = 0;
export let nameLen: i32 = 0;

export function headName(slot: u32): void {
  name = HEAD.at;
  nameLen = HEAD.len;
  store<u32>(name + 8, slot);
}

export function bucketName(slot: u32, bucket: u32): void {
  name = BUCKET.at;
  nameLen = BUCKET.len;
  store<u32>(name + 8, slot);
  store<u32>(name + 12, bucket);
}

/** A group of marks; see missing/mark.ts. */
export function markName(group: u32): void {
  name = MARKS.at;
  nameLen = MARKS.len;
  store<u32>(name + 8, group);
}
