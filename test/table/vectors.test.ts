// What both languages must make of the same input, said in test/vectors/table.json. `digestOf100` is of the routes r0 to r99 from reviews,
// with the keys pr-0 to pr-99 and the targets t0 to t99.
import { expect, test } from "vitest";
import type { Route } from "../../routes/model/model.ts";
import { fromHex, toHex, type U64 } from "../../routes/model/u64.ts";
import { Batch } from "../../routes/table/batch.ts";
import { laneHash, mix } from "../../routes/table/digest.ts";
import { hashText } from "../../routes/table/entry.ts";
import { decodePage, encodePage } from "../../routes/table/page.ts";
import { call } from "../unit/filter.ts";
import vectors from "../vectors/table.json" with { type: "json" };
import { tableOf } from "./tables.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
const number = (text: string) => fromHex(text) as U64;

test.each(vectors.hash)("the hash of $text", ({ text, hash }) => {
  expect(toHex(hashText(text))).toBe(hash);
  expect(
    BigInt.asUintN(64, call<bigint>("hash", Buffer.from(text)))
      .toString(16)
      .padStart(16, "0"),
  ).toBe(hash);
});

test.each(vectors.laneHash)("the hash of the bytes $bytes, in one part or in two", ({ bytes, hash }) => {
  const all = bytesOf(bytes);
  expect(toHex(laneHash(all))).toBe(hash);
  expect(toHex(laneHash(all.subarray(0, all.length & 4), all.subarray(all.length & 4)))).toBe(hash);
});

test.each(vectors.mix)("what bucket $index adds to the digest", ({ index, hash, mix: mixed }) => {
  expect(toHex(mix(index, number(hash)))).toBe(mixed);
});

const routes = vectors.routes as { id: string; route: Route; bytes: string }[];

test.each(routes)("the bytes of route $id", ({ id, route, bytes }) => {
  const batch = new Batch();
  batch.set(id, route);
  expect(hex(batch.rules[0]?.bytes ?? batch.entries.copy())).toBe(bytes);
});

test("a table: its buckets, its rules and its digest", () => {
  const table = tableOf(routes);
  expect({
    rules: hex(table.rules),
    buckets: table.buckets.map(({ bytes }) => hex(bytes)),
    digest: toHex(table.digest),
  }).toEqual(vectors.table);
  const large = tableOf(
    Array.from({ length: 100 }, (_, i) => ({ id: `r${i}`, route: { from: "reviews", key: `pr-${i}`, to: `t${i}` } })),
  );
  expect({ buckets: large.buckets.length, digest: toHex(large.digest) }).toEqual(vectors.digestOf100);
});

test("a page, there and back", () => {
  const page = decodePage(bytesOf(vectors.page));
  if (page instanceof Error) throw page;
  expect(page).toMatchObject({
    isReset: false,
    isLast: true,
    from: 7,
    revision: 2 ** 33 + 5,
    buckets: 1,
    routes: 6,
    next: 0,
  });
  expect([toHex(page.history), toHex(page.digest)]).toEqual(["0123456789abcdef", vectors.table.digest]);
  expect(hex(page.rules as Uint8Array)).toBe(vectors.table.rules);
  expect(page.records.map(({ index, bytes }) => [index, bytes && hex(bytes)])).toEqual([
    [0, vectors.table.buckets[0]],
    [9, undefined],
  ]);
  expect(hex(encodePage(page))).toBe(vectors.page);
});
