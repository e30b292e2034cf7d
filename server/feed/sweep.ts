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

/** How many bytes of records a page has, at most, unless one record alone has more. */
export interface PageSizes {
  /** Of a sweep that fits one page. */
  only: number;
  /** Of a sweep of several. They are smaller, because a proxy takes a page in one go, and its requests wait for that. */
  several: number;
}

/** All buckets from `next` on, as far as they fit a page. */
export function wholePart(buckets: readonly Bucket[], next: number, sizes: PageSizes): Part {
  return gather(indicesFrom(next, buckets.length), buckets, next === 0, sizes);
}

/** The same of those that have changed, given in ascending order; those that are no more are among them. */
export function changedPart(
  buckets: readonly Bucket[],
  changed: readonly number[],
  next: number,
  sizes: PageSizes,
): Part {
  return gather(next === 0 ? changed : changed.filter((index) => index >= next), buckets, next === 0, sizes);
}

function* indicesFrom(next: number, end: number): Generator<number> {
  for (let index = next; index < end; index++) yield index;
}

function gather(
  indices: Iterable<number>,
  buckets: readonly Bucket[],
  mayBeOnly: boolean,
  { only, several }: PageSizes,
): Part {
  const records: PageRecord[] = [];
  let size = 0;
  let fitting = 1;
  for (const index of indices) {
    const bucket = buckets[index];
    const record = bucket ? { index, hash: bucket.hash, bytes: bucket.bytes } : { index, hash: ZERO };
    size += recordSize(record);
    if (records.length > 0 && size > (mayBeOnly ? only : several)) {
      return { records: records.slice(0, fitting), next: records[fitting]?.index ?? index };
    }
    records.push(record);
    if (size <= several) fitting = records.length;
  }
  return { records, next: 0 };
}
