// The bounds of the memory of traces. bench/trace-scale.ts holds the same under ten million traces and ten million hostile headers.
import { expect, test } from "vitest";
import { attack, flood, known, randomFrom, sizeOf } from "./trace-load.ts";
import { counted, workload } from "./workload.ts";

test("the memory stays as large as it is when it is full, whatever comes after", () => {
  const one = workload({ trace: { entries: 1024 } });
  flood(one, 0, 20_000);
  const full = sizeOf(one);
  flood(one, 20_000, 40_000);
  expect(sizeOf(one)).toEqual(full);
  expect(known(one, 0, 40_000)).toBe(1024);
  expect(counted(one, "traces_evicted")).toBe(40_000 - 1024);
});

test("hostile headers of every format trap nobody, and take no memory", () => {
  const one = workload({ trace: { entries: 1024, seconds: 60 } });
  const random = randomFrom(20261126);
  attack(one, 2000, random);
  const before = sizeOf(one);
  expect(attack(one, 8000, random)).toBe(80_000);
  const after = sizeOf(one);
  expect(after.moduleBytes).toBe(before.moduleBytes);
  expect(after.values).toBeLessThanOrEqual(1024 + 16);
  // Each bucket holds one entry: two halves of an id, a time, and a key of at most seven bytes.
  expect(after.sharedBytes).toBeLessThan(before.sharedBytes + 1024 * 32);
  expect(counted(one, "requests_remembered")).toBeGreaterThan(1000);
  expect(counted(one, "requests_recovered")).toBeGreaterThan(100);
});
