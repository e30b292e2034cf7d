import fc from "fast-check";
import { expect, test } from "vitest";
import { parseDate } from "../../routes/model/date.ts";
import { isKey } from "../../routes/model/key.ts";
import { parseServiceName } from "../../routes/model/service.ts";
import { parseSource } from "../../routes/model/sources.ts";
import { nearest } from "../../routes/reading/closest.ts";
import { check } from "../property.ts";

test.each([
  ["reviews", { name: "reviews" }],
  ["reviews:9080", { name: "reviews", port: 9080 }],
  ["reviews.demo:http", { name: "reviews", namespace: "demo", port: "http" }],
  ["reviews.demo.svc", { name: "reviews", namespace: "demo" }],
  ["reviews.demo.svc.cluster.local:1", { name: "reviews", namespace: "demo", domain: "cluster.local", port: 1 }],
])("the service %s", (text, name) => {
  expect(parseServiceName(text)).toEqual(name);
});

test.each([
  "",
  "Reviews",
  "a_b",
  "-a",
  "a-",
  "a.b.c",
  "a:",
  "a:0",
  "a:65536",
  "a.b.svc.",
  "a:b:c",
  "a b",
  `${"a".repeat(64)}`,
])("%j is no service", (text) => {
  expect(parseServiceName(text)).toBeUndefined();
});

test("near names, nearest first", () => {
  const names = ["reviews", "reviews-pr-42", "ratings", "review", "a"];
  expect(nearest("reviws", names)).toEqual(["reviews", "review"]);
  expect(nearest("zzz", names)).toEqual([]);
  expect(nearest("b", names)).toEqual([]);
  expect(nearest("reviews-pr-41", names)).toEqual(["reviews-pr-42"]);
});

test.each([
  ["1970-01-01T00:00:00Z", 0],
  ["2030-01-31T12:00:00Z", 1896091200],
  ["2030-01-31t12:00:00.999z", 1896091200],
  ["2030-01-31T12:00:00+01:30", 1896085800],
  ["2030-01-31T12:00:00-01:30", 1896096600],
  ["2028-02-29T00:00:00Z", 1835395200],
])("the date %s", (text, seconds) => {
  expect(parseDate(text)).toBe(seconds);
});

test.each([
  "",
  "2030-01-31",
  "2030-01-31T12:00:00",
  "2030-02-30T00:00:00Z",
  "2029-02-29T00:00:00Z",
  "2030-01-31T24:00:00Z",
  "2030-01-31T12:60:00Z",
  "2030-01-31T12:00:61Z",
  "1969-12-31T23:59:59Z",
  "2030-01-31T12:00:00+24:00",
  "2030-01-31 12:00:00Z",
  "2030-01-31T12:00:00.Z",
])("%j is no date", (text) => {
  expect(parseDate(text)).toBeUndefined();
});

test("any moment that JavaScript prints is read back", () => {
  check(
    [fc.integer({ min: 0, max: 253402300799 })],
    (seconds) => {
      expect(parseDate(new Date(seconds * 1000).toISOString())).toBe(seconds);
    },
    100,
  );
});

test("a key is any byte that the contract allows, and no other", () => {
  for (let byte = 0; byte < 256; byte++) {
    const allowed = byte > 32 && byte < 127 && byte !== 44 && byte !== 59;
    expect(isKey(String.fromCharCode(byte)), `byte ${byte}`).toBe(allowed);
  }
  expect([isKey(""), isKey("k".repeat(256)), isKey("k".repeat(257)), isKey("k\n")]).toEqual([
    false,
    true,
    false,
    false,
  ]);
});

test.each(["", "header", "header:", "moon:x", "header:a b", "header:é", `cookie:${"c".repeat(201)}`])(
  "%j is no source",
  (text) => {
    expect(parseSource(text)).toBeInstanceOf(Error);
  },
);
