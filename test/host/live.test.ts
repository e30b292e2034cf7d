import { expect, test } from "vitest";
import { goesTo, keys, liveProxy } from "./live.ts";

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
