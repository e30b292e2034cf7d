import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Condition, Route, Share } from "../../routes/model/model.ts";
import { Batch } from "../../routes/table/batch.ts";
import { type Bucket, bucketCount, bucketOf, maskOf, parentOf } from "../../routes/table/buckets.ts";
import { hashText } from "../../routes/table/entry.ts";
import { decodePage, encodePage } from "../../routes/table/page.ts";
import { BucketPool } from "../../routes/table/pool.ts";
import { RouteTable } from "../../routes/table/table.ts";
import { check } from "../property.ts";
import { call } from "../unit/filter.ts";
import { tableOf } from "./tables.ts";

type Own = { id: string; route: Route };

describe("linear hashing", () => {
  test("is the filter's", () => {
    const filters = (name: string, ...args: number[]) => call<number>(name, ...args) >>> 0;
    check([fc.nat(0xffffffff), fc.integer({ min: 1, max: 2 ** 24 })], (hash, buckets) => {
      const bucket = bucketOf(hash, buckets);
      expect(bucket).toBe(filters("bucketOf", hash, buckets));
      expect(maskOf(bucket, buckets)).toBe(filters("maskOf", bucket, buckets));
      if (bucket > 0) expect(parentOf(bucket)).toBe(filters("parentOf", bucket));
      expect(bucketCount(hash >>> 8)).toBe(filters("bucketCountFor", hash >>> 8));
    });
  });
});

/** Routes of few ids, keys and baselines, so that they meet often; and of many keys, so that tables grow. */
const route: fc.Arbitrary<Route> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      from: fc.constantFrom("*", "reviews", "ratings"),
      key: fc.oneof(
        fc.constantFrom("a", "b", "ab"),
        fc.nat(500).map((i) => `pr-${i}`),
      ),
      to: fc.constantFrom("one", "another"),
    }),
  },
  fc.record({
    from: fc.constant("reviews"),
    when: fc.constant<Condition[]>([{ cookie: "user", exact: "a" }]),
    to: fc.constantFrom("x", "y"),
  }),
  fc.record({ from: fc.constant("reviews"), split: fc.constant<Share<string>[]>([{ to: "v2", weight: 10 }]) }),
);
const id = fc.nat(400).map((i) => `id-${i}`);
const transaction = fc.record({
  set: fc.array(fc.record({ id, route }), { maxLength: 60 }),
  gone: fc.array(id, { maxLength: 60 }),
});

/** Applies what a transaction sets and deletes to the table and to the map that it is compared with. */
function change(table: RouteTable, all: Map<string, Route>, { set, gone }: { set: Own[]; gone: string[] }) {
  const batch = new Batch();
  const after = new Map<string, Route | undefined>([
    ...gone.map((one) => [one, undefined] as const),
    ...set.map((own) => [own.id, own.route] as const),
  ]);
  for (const [one, now] of after) {
    const before = all.get(one);
    if (before) batch.delete(one, "key" in before ? before.key : undefined);
    if (now) batch.set(one, now);
    if (now) all.set(one, now);
    else all.delete(one);
  }
  return table.apply(batch);
}

const contentOf = (table: RouteTable) => ({
  buckets: table.buckets.map(({ bytes, ids }) => ({ bytes: Buffer.from(bytes).toString("hex"), ids })),
  rules: Buffer.from(table.rules).toString("hex"),
  digest: table.digest,
  routes: table.routes,
});

const ownOf = (all: Map<string, Route>): Own[] => [...all].map(([own, value]) => ({ id: own, route: value }));

describe("a table", () => {
  test("that has grown and shrunk is the one that is made of its routes at once", () => {
    check([fc.array(transaction, { maxLength: 12 })], (transactions) => {
      const all = new Map<string, Route>();
      const table = tableOf([]);
      for (const one of transactions) {
        const before = [...table.buckets];
        const { rules } = table;
        const changed = change(table, all, one);
        expect(contentOf(table)).toEqual(contentOf(tableOf(ownOf(all))));
        const differs = (i: number) => !sameBytes(before[i]?.bytes, table.buckets[i]?.bytes);
        const most = Math.max(before.length, table.buckets.length);
        expect(changed.buckets).toEqual(Array.from({ length: most }, (_, i) => i).filter(differs));
        expect(changed.rules).toBe(!sameBytes(rules, table.rules));
      }
    });
  });

  test("has each key in the bucket that its hash names, with all of its routes", () => {
    const routes = Array.from(
      { length: 3000 },
      (_, i): Own => ({ id: `r${i}`, route: { from: "*", key: `k${i % 1500}`, to: "t" } }),
    );
    const table = tableOf(routes);
    expect(table.buckets.length).toBe(125);
    for (const {
      id: own,
      route: { key },
    } of routes as { id: string; route: { key: string } }[]) {
      expect(table.buckets[bucketOf(hashText(key).lo, 125)]?.ids).toContain(own);
    }
  });

  test("changes two buckets at most for one route, and three where it grows or shrinks, however large it is", () => {
    const table = tableOf(
      Array.from({ length: 5000 }, (_, i) => ({ id: `r${i}`, route: { from: "*", key: `k${i}`, to: "t" } })),
    );
    const counts = new Set<number>();
    for (let i = 0; i < 100; i++) {
      const more = new Batch();
      more.set(`x${i}`, { from: "*", key: `x${i}`, to: "t" });
      counts.add(table.apply(more).buckets.length);
      const moved = new Batch();
      moved.delete(`x${i}`, `x${i}`);
      moved.set(`x${i}`, { from: "*", key: `y${i}`, to: "t" });
      expect(table.apply(moved).buckets.length).toBeLessThanOrEqual(2);
    }
    expect([...counts].sort()).toEqual([1, 3]);
  });

  test("takes in again what it has, and takes out what it has not, without a change", () => {
    const own: Own = { id: "a", route: { from: "*", key: "k", to: "t" } };
    const table = tableOf([own]);
    const batch = new Batch();
    batch.set(own.id, own.route);
    batch.delete("other", "k");
    batch.delete("other", "k2");
    batch.delete("other", undefined);
    expect(table.apply(batch)).toEqual({ buckets: [], rules: false });
    expect(contentOf(table)).toEqual(contentOf(tableOf([own])));

    const empty = tableOf([]);
    batch.delete(own.id, "k");
    expect(empty.apply(batch).buckets).toEqual([0]);
    expect(contentOf(empty)).toEqual(contentOf(table));
  });
});

describe("a large batch", () => {
  const ROUTES = 60_000;

  let [places, settled] = [0, 0];
  class CountedBatch extends Batch {
    override start(place: number): number | undefined {
      places++;
      return super.start(place);
    }
  }
  class CountedPool extends BucketPool {
    override share(bucket: Bucket): Bucket {
      settled++;
      return super.share(bucket);
    }
  }

  /** The most that one step has done, and all steps together. */
  function work(table: RouteTable, batch: Batch) {
    const most = { places: 0, settled: 0, grown: 0 };
    const all = { places: 0, settled: 0, grown: 0 };
    const steps = table.applying(batch);
    for (let done: boolean | undefined = false; !done; ) {
      [places, settled] = [0, 0];
      const buckets = table.buckets.length;
      done = steps.next().done;
      const step = { places, settled, grown: Math.abs(table.buckets.length - buckets) };
      for (const what of ["places", "settled", "grown"] as const) {
        most[what] = Math.max(most[what], step[what]);
        all[what] += step[what];
      }
    }
    return { most, all };
  }

  test("is taken in, replaced and taken out in steps, none of which does much", () => {
    const table = new RouteTable(new CountedPool());
    const batches = [
      { to: "one", sets: true, deletes: false },
      { to: "two", sets: true, deletes: true },
      { to: "", sets: false, deletes: true },
    ].map(({ to, sets, deletes }) => {
      const batch = new CountedBatch();
      for (let i = 0; i < ROUTES; i++) {
        if (deletes) batch.delete(`r${i}`, `k${i}`);
        if (sets) batch.set(`r${i}`, { from: "*", key: `k${i}`, to });
      }
      return work(table, batch);
    });
    const buckets = bucketCount(ROUTES);
    const [made, replaced, removed] = batches.map(({ all }) => all);
    expect(made).toEqual({ places: ROUTES, settled: buckets, grown: buckets });
    expect(replaced).toEqual({ places: 2 * ROUTES, settled: buckets, grown: 0 });
    expect(removed).toEqual({ places: ROUTES, settled: 0, grown: buckets });
    for (const { most } of batches) {
      expect(most.places).toBeLessThan(20_000);
      expect(most.settled).toBeLessThanOrEqual(1000);
      expect(most.grown).toBeLessThanOrEqual(200);
    }
  });
});

function sameBytes(a?: Uint8Array, b?: Uint8Array): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.from(a).equals(b);
}

test("a page in which any bit was changed, or that was cut off anywhere, is refused", () => {
  const table = tableOf([
    { id: "a", route: { from: "*", key: "k", to: "t" } },
    { id: "b", route: { from: "*", split: [{ to: "t", weight: 1 }] } },
  ]);
  const [bucket] = table.buckets;
  if (!bucket) throw new Error("no bucket");
  const fields = { isReset: false, isLast: true, history: { lo: 1, hi: 2 }, from: 3, revision: 4, next: 0 };
  const bytes = encodePage({
    ...fields,
    ...{ digest: table.digest, buckets: 1, routes: 2, rules: table.rules },
    records: [{ index: 0, hash: bucket.hash, bytes: bucket.bytes }],
  });
  expect(decodePage(bytes)).toMatchObject(fields);
  // A record's index and length are not hashed; a table with a wrong one has another digest.
  const unhashed = (at: number) => at >= 64 + table.rules.length && at < 64 + table.rules.length + 4;
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const wrong = Uint8Array.from(bytes);
      wrong[at] = (wrong[at] as number) ^ (1 << bit);
      if (!unhashed(at)) expect(decodePage(wrong), `byte ${at}, bit ${bit}`).toBeInstanceOf(Error);
    }
    const whole = at === 64 + table.rules.length; // without a record
    if (!whole) expect(decodePage(bytes.subarray(0, at)), `${at} bytes`).toBeInstanceOf(Error);
  }
});
