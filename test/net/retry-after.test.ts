import { expect, test } from "vitest";
import { retryAfter } from "../../shared/net/retry-after.ts";

test.each([
  ["0", 0],
  ["120", 120_000],
  ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
  ["soon", undefined],
  ["", undefined],
  [null, undefined],
])("%j asks for %j ms", (header, wait) => {
  expect(retryAfter(header)).toBe(wait);
});

test("a date asks for the time until then", () => {
  const wait = retryAfter(new Date(Date.now() + 60_000).toUTCString());
  expect(wait).toBeGreaterThan(50_000);
  expect(wait).toBeLessThanOrEqual(60_000);
});
