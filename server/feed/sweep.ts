// Which buckets a page has. A sweep gives out all that have changed since a place, in pages, while the table goes on changing; whatever the
// moment, a proxy that has applied some of its pages must find each key. So a family is never torn: with a bucket come those that have been
// split off from it since, and with one that is no more comes the one that has taken its keys.
import { ZERO } from "../../routes/model/u64.ts";
import { parentOf } from "../../routes/table/buckets.ts";
import { type PageRecord, recordSize } from "../../routes/table/page.ts";
import type { Bucket } from "../../routes/table/table.ts";

export interface Part {
  /** Ascending. */
  records: PageRecord[];
  /** The bucket to go on with; 0 when there are no more. */
  next: number;
}

/** A family that is larger than a page has at most so many buckets: else the whole table costs no more. */
const MOST_OF_FAMILY = 4;

/** All buckets from `next` on, at most `most` bytes of them, but one at least. */
export function wholePart(buckets: readonly Bucket[], next: number, most: number): Part {
  return gather(indicesFrom(next, buckets.length), (index) => [index], buckets, most) as Part;
}

/**
 * What has become of the buckets that have changed, for a proxy that had `count`, from `next` on; undefined when the table has become so
 * much larger that the proxy had better have it anew.
 */
export function changedPart(
  buckets: readonly Bucket[],
  changed: readonly number[],
  count: number,
  next: number,
  most: number,
): Part | undefined {
  // A proxy that had no bucket looks into none before the sweep is over.
  const isRoot = (index: number) => count === 0 || index < count || index >= buckets.length;
  const familyOf = (index: number) => {
    if (index >= buckets.length) return [index, ...survivorOf(index, buckets.length)];
    return count === 0 ? [index] : [index, ...descendantsOf(index, count, buckets.length)];
  };
  const roots = changed.filter((index) => index >= next && isRoot(index));
  return gather(roots, familyOf, buckets, most);
}

function* indicesFrom(next: number, end: number): Generator<number> {
  for (let index = next; index < end; index++) yield index;
}

function gather(
  roots: Iterable<number>,
  familyOf: (root: number) => number[],
  buckets: readonly Bucket[],
  most: number,
): Part | undefined {
  const records = new Map<number, PageRecord>();
  let size = 0;
  for (const root of roots) {
    const family = familyOf(root)
      .filter((index) => !records.has(index))
      .map((index) => recordOf(index, buckets[index]));
    const more = family.reduce((sum, record) => sum + recordSize(record), 0);
    if (more > most && family.length > MOST_OF_FAMILY) return undefined;
    if (records.size > 0 && size + more > most) return { records: inOrder(records), next: root };
    for (const record of family) records.set(record.index, record);
    size += more;
  }
  return { records: inOrder(records), next: 0 };
}

function recordOf(index: number, bucket: Bucket | undefined): PageRecord {
  return bucket ? { index, hash: bucket.hash, bytes: bucket.bytes } : { index, hash: ZERO };
}

function inOrder(records: ReadonlyMap<number, PageRecord>): PageRecord[] {
  return [...records.values()].sort((a, b) => a.index - b.index);
}

/** The buckets that a bucket's keys have been split off to, from the `count`th on, when there were `count` before. */
function descendantsOf(index: number, count: number, end: number): number[] {
  const all: number[] = [];
  for (let step = index === 0 ? 1 : 2 ** (32 - Math.clz32(index)); index + step < end; step *= 2) {
    const child = index + step;
    if (child >= count) all.push(child, ...descendantsOf(child, count, end));
  }
  return all;
}

/** The bucket that has the keys of one that is no more; none where there is no bucket at all. */
function survivorOf(index: number, end: number): number[] {
  let survivor = index;
  while (survivor >= end && survivor > 0) survivor = parentOf(survivor);
  return survivor < end ? [survivor] : [];
}
