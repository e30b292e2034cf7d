// A live table on a real Envoy with four workers: fetched from a server, changed in place, and kept while the server is away.
import { afterAll, beforeAll, expect, test } from "vitest";
import { keys } from "../host/live.ts";
import { type Bed, startBed } from "./bed/bed.ts";
import { cluster } from "./bed/bootstrap.ts";
import { LiveServer } from "./bed/live-server.ts";
import { load } from "./bed/load.ts";
import { until } from "./bed/until.ts";

const KEYS = 20_000;
let live: LiveServer;
let bed: Bed;

beforeAll(async () => {
  live = new LiveServer();
  const port = await live.listen();
  live.apply(keys(KEYS, () => "a"));
  bed = await startBed({
    config: { routes: [{ from: "reviews", key: "inline", to: "b" }], table: { cluster: "keyway" } },
    targets: ["a", "b"],
    concurrency: 4,
    change: ({ static_resources }) => static_resources.clusters.push(cluster("keyway", port)),
  });
});
afterAll(async () => {
  await bed.stop();
  await live.stop();
});

const services = (key: string) => bed.everywhere({ headers: { "x-routing-key": key } });

test("the table comes whole, on all workers", async () => {
  await until(
    "the table",
    async () => (await bed.metrics()).keyway_table_routes,
    (routes) => routes === KEYS,
  );
  for (const key of ["key-0", "key-19999", "key-777"]) expect(await services(key)).toEqual(new Set(["a"]));
  expect(await services("inline")).toEqual(new Set(["reviews"]));
});

test("a hundred changes under load are each in force at once, and no request fails", async () => {
  const steady = load(bed.port, 4, { headers: { "x-routing-key": "key-5" } });
  for (let round = 0; round < 100; round++) {
    const to = round % 2 ? "a" : "b";
    live.apply({ "id-7": { from: "reviews", key: "key-7", to } });
    await until(
      `round ${round}`,
      async () => (await bed.keyed("key-7")).service,
      (service) => service === to,
    );
    expect(await services("key-7")).toEqual(new Set([to]));
  }
  const { failures, services: taken } = await steady.stop();
  expect([failures, taken]).toEqual([[], new Set(["a"])]);
});
