// Tables that grow and shrink in place while other workers read them.
import { expect, test } from "vitest";
import { goesTo, keys, type Live, liveProxy } from "./live.ts";

const WORKERS = 3;
/** More keys than a worker keeps at hand, so that nearly every request reads a bucket. */
const STEADY = 500;

const none = (from: number, count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`id-${from + i}`, undefined]));

/** A table with keys that never change, each of which other workers ask for in the middle of every update. */
function steadyProxy(pageBytes: number): Live & { asked: () => number } {
  const live = liveProxy({ workers: WORKERS });
  const { envoy, filter, server } = live;
  envoy.process.clusters.set("to", true).set("new", true);
  server.pageBytes = pageBytes;
  server.apply(keys(STEADY, () => "to"));
  envoy.run(2000);
  let asked = 0;
  let turn = 0;
  envoy.process.meanwhile = ({ vm, name }) => {
    if (vm.thread !== "main" || !name.includes("shared_data")) return;
    const worker = turn++ % WORKERS;
    for (let i = 0; i < 3; i++) expect(goesTo(filter, `key-${(asked++ * 7) % STEADY}`, worker)).toBe("to");
  };
  return { ...live, asked: () => asked };
}

test.each([200, 2000, 131072])(
  "routes that stay are never missed while thousands come and go, in pages of %i bytes",
  (pageBytes) => {
    const { envoy, filter, server, asked } = steadyProxy(pageBytes);
    let more = 0;
    for (const count of [1, 24, 100, -80, 1000, -900, 3000, -3145, 2000, 2, -2002]) {
      server.apply(count > 0 ? keys(count, () => "new", STEADY + more) : none(STEADY + more + count, -count));
      more += count;
      envoy.run(500);
      expect(envoy.process.counter("keyway_table_routes")).toBe(STEADY + more);
      for (let i = 0; i < 20 && i < more; i++) {
        const key = `key-${STEADY + Math.floor((i * more) / 20)}`;
        for (let worker = 0; worker < WORKERS; worker++) expect(goesTo(filter, key, worker)).toBe("new");
      }
      expect(goesTo(filter, `key-${STEADY + more}`)).toBe("reviews");
    }
    expect(asked()).toBeGreaterThan(3000);
    expect(envoy.process.lines("error")).toEqual([]);
  },
);

test.each([200, 1000])("the same while the table goes on changing between the pages of %i bytes", (pageBytes) => {
  const { envoy, server, asked } = steadyProxy(pageBytes);
  let more = 0;
  let seed = 7;
  const random = (most: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % most;
  };
  const change = () => {
    const count = Math.max(random(120) - 55, -more);
    server.apply(count > 0 ? keys(count, () => "new", STEADY + more) : none(STEADY + more + count, -count));
    more += count;
  };
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < 6; i++) {
      if (random(3) > 0) change();
      envoy.answer();
    }
    envoy.process.advance(100);
    envoy.tick();
  }
  envoy.run(1000);
  expect(envoy.process.counter("keyway_table_routes")).toBe(STEADY + more);
  expect(asked()).toBeGreaterThan(3000);
  expect(envoy.process.lines("error")).toEqual([]);
});

test("a bucket that is emptied while its keys have no other place yet is asked for again", () => {
  const { envoy, filter, server } = liveProxy();
  server.pageBytes = 1;
  server.apply(keys(300, () => "to"));
  envoy.process.clusters.set("to", true);
  envoy.run(2000);
  server.apply(none(288, 12));
  // The first of the sweep's pages, and then a table of a third of the buckets.
  envoy.answer();
  server.apply(none(96, 192));
  envoy.run(2000);
  expect(envoy.process.lines("error")).toEqual([]);
  expect(envoy.process.counter("keyway_table_errors")).toBe(0);
  expect(envoy.process.counter("keyway_table_routes")).toBe(96);
  for (let i = 0; i < 300; i++) expect(goesTo(filter, `key-${i}`)).toBe(i < 96 ? "to" : "reviews");
});
