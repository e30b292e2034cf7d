// The bytes that routes/table makes of routes are those that the filter's parser puts into shared data for the same configuration.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Route } from "../../routes/model/model.ts";
import { cutOff } from "../../routes/model/weight.ts";
import { Batch } from "../../routes/table/batch.ts";
import { afterEntry } from "../../routes/table/entry.ts";
import { RouteTable } from "../../routes/table/table.ts";
import { readU32 } from "../../routes/table/writer.ts";
import { check } from "../property.ts";
import { configuration } from "./generate.ts";
import { proxyWith } from "./module.ts";

const BUCKET_FIXED = 8;
const HEADER_RULES = 16; // the numbers of rules in a table header

/** Ids in the order of the routes, as the filter has no others. */
const numbered = (index: number) => String(index).padStart(6, "0");

function tableOf(routes: readonly Route[]): RouteTable {
  const batch = new Batch();
  for (const [index, route] of routes.entries()) batch.set(numbered(index), route);
  const table = new RouteTable();
  table.apply(batch);
  return table;
}

/** A bucket's mask, and its entries in no order. */
function contentOf(bytes: Uint8Array, mask: number): { mask: number; entries: string[] } {
  const entries: string[] = [];
  for (let at = mask + 4; at < bytes.length; at = afterEntry(bytes, at)) {
    entries.push(Buffer.from(bytes.subarray(at, afterEntry(bytes, at))).toString("hex"));
  }
  return { mask: readU32(bytes, mask), entries: entries.sort() };
}

/** As it stands in a plugin's configuration: no weight has an exponent. */
function written(route: Route): Route {
  if (!("split" in route)) return route;
  return { ...route, split: route.split.map(({ to, weight }) => ({ to, weight: cutOff(weight) })) };
}

/** What the filter has put into shared data: the buckets, and the table header. */
function published(routes: readonly Route[]): { buckets: Uint8Array[]; header: Uint8Array } {
  const { envoy } = proxyWith({ strict: true, routes: routes.map(written) });
  const values = (kind: string) =>
    [...envoy.process.shared.entries]
      .filter(([name]) => new RegExp(`\\0keyway:\\d\\d:${kind}`).test(name))
      .map(([name, { value }]) => ({ index: Buffer.from(name.slice(-4), "latin1").readUInt32LE(), value }))
      .filter(({ value }) => value.length >= BUCKET_FIXED)
      .sort((a, b) => a.index - b.index)
      .map(({ value }) => value);
  const [header] = values("h");
  return { buckets: values("b"), header: header as Uint8Array };
}

function expectSame(routes: readonly Route[]): void {
  const table = tableOf(routes);
  const { buckets, header } = published(routes);
  expect(table.buckets.map(({ bytes }) => contentOf(bytes, 0))).toEqual(buckets.map((bytes) => contentOf(bytes, 4)));
  expect(readU32(header, 4)).toBe(table.buckets.length);
  expect(readU32(header, 8)).toBe(table.routes);
  const { rules } = table;
  expect([readU32(header, HEADER_RULES), readU32(header, HEADER_RULES + 4)]).toEqual([
    readU32(rules, 0),
    readU32(rules, 4),
  ]);
  const tail = header.subarray(header.length - (rules.length - 8));
  expect(Buffer.from(tail).toString("hex")).toBe(Buffer.from(rules.subarray(8)).toString("hex"));
}

test("whatever a route says", () => {
  check([configuration], ({ routes }) => expectSame(routes as Route[]), 200);
});

const texts = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
  .filter((text) => [...text].every((character) => character >= " " && character !== "\x7f"));
const weights = fc.oneof(
  fc.integer({ min: 0, max: 1_000_000 }).map((units) => units / 10_000),
  fc.constantFrom(1e-7, 33.33335, 0.29),
);

test("names and texts in any writing, and weights however fine", () => {
  check([texts, texts, texts, weights], (from, to, text, weight) => {
    expectSame([
      { from, key: "k", to, missing: "fail", expires: "2031-02-28T23:59:60.5-01:30" },
      {
        from,
        when: [
          { cookie: text, contains: text, not: true },
          { header: "X-A", present: false },
        ],
        to,
      },
      { from, split: [{ to, weight }], sticky: `query:${text}` },
      {
        from,
        split: [
          { to, weight: 0 },
          { to, weight },
        ],
        sticky: "host:preview.example.com",
        missing: "fail",
      },
    ]);
  });
});

test.each([1, 24, 25, 767, 768, 769, 5000])("%i keys are in the same buckets", (count) => {
  expectSame(
    Array.from({ length: count }, (_, i) => ({ from: i % 3 ? "reviews" : "*", key: `pr-${i}`, to: `t-${i}` })),
  );
});
