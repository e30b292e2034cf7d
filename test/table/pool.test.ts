import { expect, test } from "vitest";
import type { Route } from "../../routes/model/model.ts";
import { Batch } from "../../routes/table/batch.ts";
import { BucketPool } from "../../routes/table/pool.ts";
import { RouteTable } from "../../routes/table/table.ts";

function put(table: RouteTable, routes: Iterable<[id: string, key: string, to: string]>): void {
  const batch = new Batch();
  for (const [id, key, to] of routes) {
    batch.delete(id, key);
    batch.set(id, { from: "a", key, to } as Route);
  }
  table.apply(batch);
}

const many = (count: number) =>
  Array.from({ length: count }, (_, at): [string, string, string] => [`r-${at}`, `k-${at}`, "t"]);

test("tables of a pool hold equal buckets once, before and after changes, and others each for itself", () => {
  const pool = new BucketPool();
  const [a, b, alone] = [new RouteTable(pool), new RouteTable(pool), new RouteTable()];
  for (const table of [a, b, alone]) put(table, many(5000));
  expect(a.buckets.length).toBeGreaterThan(200);
  const shared = () => a.buckets.filter((bucket, at) => bucket === b.buckets[at]).length;
  expect(shared()).toBe(a.buckets.length);
  put(a, [["r-7", "k-7", "u"]]);
  expect(shared()).toBe(a.buckets.length - 1);
  put(b, [["r-7", "k-7", "u"]]);
  expect(shared()).toBe(a.buckets.length);
  put(alone, [["r-7", "k-7", "u"]]);
  expect(alone.buckets).toEqual(a.buckets);
  expect(alone.buckets[0]).not.toBe(a.buckets[0]);
  expect(alone.digest).toEqual(a.digest);
  // The same bytes of routes with other ids are another bucket.
  const other = new RouteTable(pool);
  put(
    other,
    many(5000).map(([id, key, to]) => [`x${id}`, key, key === "k-7" ? "u" : to]),
  );
  expect(other.digest).toEqual(a.digest);
  expect(other.buckets[0]?.ids[0]).toMatch(/^xr-/);
  put(a, [["r-8", "k-8", "u"]]);
  expect(a.buckets.flatMap(({ ids }) => ids).every((id) => id.startsWith("r-"))).toBe(true);
});
