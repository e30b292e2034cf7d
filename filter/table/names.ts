// The names of the shared values. Istio gives every plugin of a proxy the same shared-data namespace, so all begin with
// the product's name. A slot is a place for one table: its head, and buckets that are written again and again, because
// the host can't delete a shared value.
import { MAX_CLUSTER } from "../../routes/model/names";

/** The slots and who uses them; see slots.ts. */
export const SLOTS = "keyway:slots";
/** The fingerprint of the configuration last rejected. */
export const REJECTED = "keyway:rejected";

const HEAD = "keyway:h----";
const BUCKET = "keyway:b--------";
const MISSING = "keyway:m:";

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

const missing = memory.data(16 + MAX_CLUSTER);

/** The mark of a target that does not exist or has no healthy host; see missing/mark.ts. */
export function missingName(target: usize, len: i32): void {
  name = missing;
  nameLen = MISSING.len + len;
  memory.copy(missing, MISSING.at, MISSING.len);
  memory.copy(missing + MISSING.len, target, len);
}
