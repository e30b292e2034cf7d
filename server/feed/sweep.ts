// Which buckets a page has. A sweep gives out, in ascending order, all that have changed since a place, in pages, while the table goes on
// changing: each bucket is as it is at the moment of its page. What has changed behind the cursor comes with the next sweep.
import { ZERO } from "../../routes/model/u64.ts";
import type { Bucket } from "../../routes/table/buckets.ts";
import { type PageRecord, recordSize } from "../../routes/table/page.ts";

export interface Part {
  /** Ascending. */
  records: PageRecord[];
  /** The bucket to go on with; 0 when there are no more. */
  next: number;
}

/** All buckets from `next` on, at most `most` bytes of them, but one at least. */
export function wholePart(buckets: readonly Bucket[], next: number, most: number): Part {
  return gather(indicesFrom(next, buckets.length), buckets, most);
}

/** The same of those that have changed, given in ascending order; those that are no more are among them. */
export function changedPart(buckets: readonly Bucket[], changed: readonly number[], next: number, most: number): Part {
  return gather(next === 0 ? changed : changed.filter((index) => index >= next), buckets, most);
}

function* indicesFrom(next: number, end: number): Generator<number> {
  for (let index = next; index < end; index++) yield index;
}

function gather(indices: Iterable<number>, buckets: readonly Bucket[], most: number): Part {
  const records: PageRecord[] = [];
  let size = 0;
  for (const index of indices) {
    const bucket = buckets[index];
    const record = bucket ? { index, hash: bucket.hash, bytes: bucket.bytes } : { index, hash: ZERO };
    size += recordSize(record);
    if (records.length > 0 && size > most) return { records, next: index };
    records.push(record);
  }
  return { records, next: 0 };
}
