import { expect, test } from "vitest";
import { u64 } from "../../routes/model/u64.ts";
import { CLUSTER, goesTo, keys, type Live, liveProxy, serve } from "./live.ts";

const WORKERS = [0, 1];

function exists(envoy: ReturnType<typeof liveProxy>["envoy"], ...names: string[]): void {
  for (const name of names) envoy.process.clusters.set(name, true);
}

test("the routes of the configuration serve until the first live table is there, and that table afterwards", () => {
  const routes = [{ from: "reviews", key: "key-1", to: "inline" }];
  const { envoy, filter, server } = liveProxy({ routes });
  exists(envoy, "inline", "to-1");
  server.apply(keys(3));
  for (const worker of WORKERS) expect(goesTo(filter, "key-1", worker)).toBe("inline");
  envoy.run(1000);
  for (const worker of WORKERS) expect(goesTo(filter, "key-1", worker)).toBe("to-1");
  expect(envoy.process.lines("error")).toEqual([]);
});

test("a table may be empty, become empty, and be filled again", () => {
  const { envoy, filter, server } = liveProxy({ routes: [{ from: "reviews", key: "key-0", to: "to-1" }] });
  exists(envoy, "to-0", "to-1");
  envoy.run(1000);
  for (const count of [0, 1, 0, 30, 0, 100, 0]) {
    const gone = Object.fromEntries([...server.routes.keys()].map((id) => [id, undefined]));
    server.apply({ ...gone, ...keys(count) });
    envoy.run(500);
    for (const worker of WORKERS) expect(goesTo(filter, "key-0", worker)).toBe(count > 0 ? "to-0" : "reviews");
    expect(envoy.process.counter("keyway_table_routes")).toBe(count);
  }
  expect(envoy.process.lines("error")).toEqual([]);
});

test("a change is in force on every worker with the next request after its page", () => {
  const { envoy, filter, server } = liveProxy();
  exists(envoy, "to-1", "other");
  server.apply(keys(100));
  envoy.run(1000);
  for (const worker of WORKERS) expect(goesTo(filter, "key-1", worker)).toBe("to-1");
  server.apply({ "id-1": { from: "reviews", key: "key-1", to: "other" } });
  while (envoy.answer());
  for (const worker of WORKERS) expect(goesTo(filter, "key-1", worker)).toBe("other");
  server.apply({ "id-1": undefined });
  while (envoy.answer());
  for (const worker of WORKERS) expect(goesTo(filter, "key-1", worker)).toBe("reviews");
  expect(envoy.process.lines("error")).toEqual([]);
});

test("routes with conditions, shares and dates come with the live table, in the order of their ids", () => {
  const inline = [{ from: "reviews", when: [{ header: "h", present: true }], to: "inline" }];
  const { envoy, filter, server } = liveProxy({ routes: inline });
  exists(envoy, "inline", "first", "second", "shared", "keyed");
  const when = [{ header: "h", present: true }];
  const ask = (headers: Record<string, string>, cluster = "reviews") =>
    WORKERS.map((worker) => filter.request({ worker, headers, cluster }).cluster);
  expect(ask({ h: "1" })).toEqual(["inline", "inline"]);
  server.apply({
    b: { from: "reviews", when, to: "second" },
    a: { from: "reviews", when: [{ header: "h", exact: "1" }], to: "first" },
    s: { from: "ratings", split: [{ to: "shared", weight: 100 }], sticky: "cookie:c" },
    k: { from: "reviews", key: "k", when, to: "keyed" },
    x: { from: "reviews", key: "x", to: "keyed", expires: "2030-01-01T00:10:00Z" },
  });
  envoy.run(500);
  expect([ask({ h: "1" }), ask({ h: "2" }), ask({}, "ratings")].flat()).toEqual([
    "first",
    "first",
    "second",
    "second",
    "shared",
    "shared",
  ]);
  expect([ask({ h: "2", "x-routing-key": "k" }), ask({ "x-routing-key": "k" })].flat()).toEqual([
    "keyed",
    "keyed",
    "reviews",
    "reviews",
  ]);
  expect(ask({ "x-routing-key": "x" })).toEqual(["keyed", "keyed"]);
  // The server is away while the route expires.
  envoy.process.services.set(CLUSTER, () => ({ status: 503 }));
  envoy.run(11 * 60_000, 30_000);
  expect(ask({ "x-routing-key": "x" })).toEqual(["reviews", "reviews"]);
  expect(ask({ h: "1" })).toEqual(["first", "first"]);
  serve(envoy, server);
  server.apply({ a: undefined, s: undefined });
  envoy.run(10_000);
  expect([ask({ h: "1" }), ask({}, "ratings")].flat()).toEqual(["second", "second", "ratings", "ratings"]);
});

test("sources, hierarchy and explain stay those of the configuration", () => {
  const { envoy, filter, server } = liveProxy({ keys: ["cookie:k"], hierarchy: ".", explain: true });
  exists(envoy, "to-1");
  server.apply({ id: { from: "reviews", key: "a", to: "to-1" } });
  envoy.run(500);
  expect(filter.request({ headers: { cookie: "k=a.b" } }).cluster).toBe("to-1");
  const { local } = filter.request({ headers: { cookie: "k=a.b", "x-keyway-explain": "1" } });
  expect(JSON.parse(local?.body ?? "{}")).toMatchObject({ outcome: "routed", key: "a.b", to: "to-1" });
});

/** Bytes of the values of buckets, whose names stay. */
const bucketBytes = ({ process }: Live["envoy"]) =>
  [...process.shared.entries].reduce((sum, [name, { value }]) => (/:b/.test(name) ? sum + value.length : sum), 0);

test("a table that was replaced gives its memory back, and ten thousand changes take none", () => {
  const { envoy, filter, server } = liveProxy();
  exists(envoy, "to-1", "other");
  server.apply(keys(50_000));
  envoy.run(2000);
  const large = bucketBytes(envoy);
  expect(large).toBeGreaterThan(50_000 * 20);
  const memory = envoy.wasmBytes;
  // Another history: the table is built anew in a slot of its own, and the old one is emptied.
  server.restore(keys(50_000), 5, u64(7, 7));
  server.apply({ "id-1": { from: "reviews", key: "key-1", to: "other" } });
  envoy.run(30_000);
  expect(bucketBytes(envoy)).toBeLessThan(large * 1.01);
  server.restore(keys(10), 5, u64(8, 8));
  envoy.run(60_000);
  expect(bucketBytes(envoy)).toBeLessThan(2000);
  const before = envoy.process.shared.size;
  for (let i = 0; i < 10_000; i++) {
    server.apply({ "id-1": { from: "reviews", key: "key-1", to: i % 2 ? "to-1" : "other" } });
    envoy.answer();
    if (i % 100 === 0) for (const worker of WORKERS) expect(goesTo(filter, "key-1", worker)).toBe("other");
  }
  expect(envoy.process.shared.size).toBeLessThan(before + 100);
  expect(envoy.wasmBytes).toBe(memory);
  expect(envoy.process.lines("error")).toEqual([]);
});
