import fc from "fast-check";
import { expect, test } from "vitest";
import { check } from "../property.ts";
import { call } from "./filter.ts";

const bucketOf = (hash: number, buckets: number) => call<number>("bucketOf", hash, buckets) >>> 0;
const maskOf = (bucket: number, buckets: number) => call<number>("maskOf", bucket, buckets) >>> 0;
const parentOf = (bucket: number) => call<number>("parentOf", bucket) >>> 0;

const hashes = fc.nat(0xffffffff);

test("a table has one bucket for each 24 key routes that it begins", () => {
  const counts = [0, 1, 24, 25, 48, 49, 1_000_000].map((routes) => call<number>("bucketCountFor", routes));
  expect(counts).toEqual([0, 1, 1, 2, 2, 3, 41667]);
});

test("a key is in one bucket that is there, and fits that bucket's mask and no other one's", () => {
  check([hashes, fc.integer({ min: 1, max: 40 })], (hash, buckets) => {
    const fits = Array.from({ length: buckets }, (_, i) => i).filter((i) => (hash & maskOf(i, buckets)) >>> 0 === i);
    expect(fits).toEqual([bucketOf(hash, buckets)]);
  });
});

test("one bucket more takes keys from its parent alone", () => {
  check([hashes, fc.integer({ min: 1, max: 100_000 })], (hash, buckets) => {
    const [before, after] = [bucketOf(hash, buckets), bucketOf(hash, buckets + 1)];
    expect(after === buckets ? before : after).toBe(after === buckets ? parentOf(buckets) : before);
  });
});
