// Routes that come from a route server while requests are in flight.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Bed } from "./bed/bed.ts";
import { inForce, startLive, withKey } from "./bed/live.ts";
import { load } from "./bed/load.ts";
import { keyed, Routes } from "./bed/route-server.ts";

let routes: Routes;
let bed: Bed;
beforeAll(async () => {
  routes = await new Routes().start();
  bed = await startLive({
    servers: [routes.port],
    baselines: { "/": "reviews", "/ratings": "ratings" },
    targets: ["a", "b"],
    routes: [{ from: "reviews", key: "inline", to: "b" }],
  });
});
afterAll(async () => {
  await bed.stop();
  await routes.stop();
});

/** Requests whose fate does not change all the while: each in its place, none failed. */
function underLoad(change: () => Promise<void>): Promise<void> {
  return withLoads(
    [
      [withKey("steady"), "a"],
      [{}, "reviews"],
      [withKey("no-route"), "reviews"],
    ],
    change,
  );
}

async function withLoads(loads: [Parameters<typeof load>[2], string][], change: () => Promise<void>): Promise<void> {
  const running = loads.map(([what, service]) => ({ service, steady: load(bed.port, 2, what) }));
  try {
    await change();
  } finally {
    for (const { service, steady } of running) {
      const { services, failures, answered } = await steady.stop();
      expect({ services, failures }).toEqual({ services: new Set([service]), failures: [] });
      expect(answered).toBeGreaterThan(0);
    }
  }
}

test("the table that the server has takes the place of the configuration's own routes", async () => {
  await routes.set(keyed("steady", "a"));
  await inForce(bed, withKey("steady"), "a", { before: ["reviews"] });
  await inForce(bed, withKey("inline"), "reviews", { before: ["b"] });
  expect(await bed.metrics()).toMatchObject({ keyway_table_routes: 1, keyway_table_errors: 0 });
});

test("a route that is set, changed and deleted is in force on all workers, under load", async () => {
  await underLoad(async () => {
    for (let round = 0; round < 20; round++) {
      await routes.set(keyed("pr-42", "a"));
      await inForce(bed, withKey("pr-42"), "a", { before: ["reviews"] });
      await routes.set(keyed("pr-42", "b"));
      await inForce(bed, withKey("pr-42"), "b", { before: ["a"] });
      await routes.delete("pr-42");
      await inForce(bed, withKey("pr-42"), "reviews", { before: ["b"] });
    }
  });
});

test("a connection that asks at once after a change sees it within a second", async () => {
  for (const to of ["a", "b", "a", "b"]) {
    await routes.set(keyed("quick", to));
    expect(await inForce(bed, withKey("quick"), to)).toBeLessThan(1000);
  }
});

test("what the server counts as in force goes to its place, on whatever worker", async () => {
  const counted = async () => {
    const { inForce, proxies } = (await routes.call("GET", "/v1/proxies")) as { inForce: number; proxies: number };
    return [inForce, proxies];
  };
  for (let round = 0; round < 20; round++) {
    const to = round % 2 ? "a" : "b";
    await routes.set(keyed("counted", to));
    await expect.poll(counted, { interval: 5 }).toEqual([1, 1]);
    const answers = await Promise.all(Array.from({ length: 20 }, () => bed.keyed("counted")));
    expect(new Set(answers.map(({ service }) => service))).toEqual(new Set([to]));
  }
});

test("conditions, shares, conditions on keys, any baseline and other paths follow as well", async () => {
  const alice = { path: "/", headers: { cookie: "user=alice" } };
  await underLoad(async () => {
    await routes.apply({
      set: [
        { id: "alice", service: "reviews", when: [{ cookie: "user", exact: "alice" }], to: "a" },
        { id: "ratings", service: "ratings", split: [{ to: "b", weight: 100 }] },
        { id: "narrow", service: "reviews", key: "narrow", when: [{ request: "path", prefix: "/api" }], to: "b" },
        { id: "wide", service: "*", key: "wide", to: { cluster: "a" } },
      ],
    });
    await inForce(bed, alice, "a", { before: ["reviews"] });
    await inForce(bed, { path: "/ratings" }, "b", { before: ["ratings"] });
    await inForce(bed, { ...withKey("narrow"), path: "/api/x" }, "b");
    await inForce(bed, { ...withKey("wide"), path: "/ratings" }, "a");
    expect((await bed.keyed("narrow")).service).toBe("reviews");
    await routes.apply({ delete: ["alice", "ratings", "narrow", "wide"] });
    await inForce(bed, alice, "reviews", { before: ["a"] });
    await inForce(bed, { path: "/ratings" }, "ratings", { before: ["b"] });
    await inForce(bed, { ...withKey("wide"), path: "/ratings" }, "ratings");
  });
});

describe("growth", () => {
  const many = (from: number, count: number, to: (index: number) => string = (index) => (index % 2 ? "a" : "b")) =>
    Array.from({ length: count }, (_, index) => keyed(`grown-${from + index}`, to(from + index)));
  const sampled = async (count: number, expected: (index: number) => string) => {
    for (let step = 0; step < 200; step++) {
      const index = Math.floor((step * count) / 200);
      expect(`${index} at ${(await bed.keyed(`grown-${index}`)).service}`).toBe(`${index} at ${expected(index)}`);
    }
  };
  const mixed = (index: number) => (index % 2 ? "a" : "b");
  const last = (index: number) => withKey(`grown-${index}`);

  test("from a few routes to 5,000 and back, all at once and in steps, no key is out of place for a moment", async () => {
    await underLoad(async () => {
      await routes.apply({ set: many(0, 5000) });
      await inForce(bed, last(4999), "a", { before: ["reviews"] });
      await sampled(5000, mixed);
      await routes.apply({ delete: many(0, 5000).map(({ id }) => id) });
      await inForce(bed, last(4999), "reviews", { before: ["a"] });
      await sampled(5000, () => "reviews");
      for (let step = 0; step < 50; step++) await routes.apply({ set: many(step * 100, 100) });
      await inForce(bed, last(4999), "a", { before: ["reviews"] });
      await sampled(5000, mixed);
      for (let step = 49; step >= 0; step--) await routes.apply({ delete: many(step * 100, 100).map(({ id }) => id) });
      await inForce(bed, last(1), "reviews", { before: ["a"] });
      await sampled(5000, () => "reviews");
    });
    expect((await bed.metrics()).keyway_table_errors).toBe(0);
  });

  test("keys that stay stay where they are while thousands of others come and go", async () => {
    await routes.apply({ set: many(0, 500) });
    await inForce(bed, last(499), "a");
    const stays: [Parameters<typeof load>[2], string][] = [1, 2, 250, 499].map((index) => [last(index), mixed(index)]);
    await withLoads(stays, async () => {
      for (let round = 0; round < 3; round++) {
        await routes.apply({ set: many(500, 7000) });
        await inForce(bed, last(7499), "a", { before: ["reviews"] });
        await routes.apply({ delete: many(500, 7000).map(({ id }) => id) });
        await inForce(bed, last(7499), "reviews", { before: ["a"] });
      }
    });
    await routes.apply({ delete: many(0, 500).map(({ id }) => id) });
    expect((await bed.metrics()).keyway_table_errors).toBe(0);
  });
});
