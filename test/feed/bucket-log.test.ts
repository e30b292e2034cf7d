import { expect, test } from "vitest";
import { fromNumber } from "../../routes/model/u64.ts";
import { BucketLog } from "../../server/feed/bucket-log.ts";

const place = (revision: number, buckets: number[]) => ({
  revision,
  buckets,
  rules: revision % 2 === 0,
  digest: fromNumber(revision * 10),
});

test("tells what has changed since a place", () => {
  const log = new BucketLog({ revision: 5, digest: fromNumber(50) });
  for (const [revision, buckets] of [
    [7, [1, 3]],
    [8, [0, 3]],
    [11, [9]],
  ] as const)
    log.add(place(revision, [...buckets]));
  expect(log.find(4, undefined)).toBeUndefined();
  expect([5, 6, 7, 10, 11, 99].map((revision) => log.find(revision, undefined))).toEqual([0, 0, 1, 2, 3, 3]);
  expect([0, 1, 2, 3].map((number) => log.changedSince(number))).toEqual([[0, 1, 3, 9], [0, 3, 9], [9], []]);
  expect([0, 1, 2, 3].map((number) => log.haveRulesChangedSince(number))).toEqual([true, true, false, false]);
});

test("a place is known by its revision, and its digest has to be the one that is said", () => {
  const log = new BucketLog({ revision: 5, digest: fromNumber(50) });
  log.add(place(7, [1]));
  expect(log.find(7, fromNumber(70))).toBe(1);
  expect(log.find(9, fromNumber(70))).toBe(1);
  expect(log.find(7, fromNumber(50))).toBeUndefined();
});

test("keeps the latest places, and the last change however large it is", () => {
  const log = new BucketLog({ revision: 0, digest: fromNumber(0) });
  for (let revision = 1; revision <= 70_000; revision++) log.add(place(revision, [revision % 7]));
  expect(log.last).toBe(70_000);
  expect(log.find(70_000, undefined)).toBe(70_000);
  expect(log.find(1, undefined)).toBeUndefined();
  expect(log.has(1)).toBe(false);
  expect(log.find(60_000, fromNumber(600_000))).toBe(60_000);
  expect(log.changedSince(69_998)).toEqual([69_999 % 7, 70_000 % 7].sort());

  log.add(
    place(
      70_001,
      Array.from({ length: 600_000 }, (_, i) => i),
    ),
  );
  expect(log.find(69_999, undefined)).toBeUndefined();
  expect(log.changedSince(log.find(70_000, undefined) ?? -1)).toHaveLength(600_000);
});
