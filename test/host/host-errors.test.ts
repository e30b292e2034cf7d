import { describe, expect, test } from "vitest";
import { parseConfiguration } from "../../routes/index.ts";
import { type HostFunction, Result } from "./emulator/abi.ts";
import { Envoy } from "./emulator/envoy.ts";
import type { HostCall } from "./emulator/process.ts";
import type { Slot } from "./emulator/slot.ts";
import { CLUSTER, serve } from "./live.ts";
import { filterCode, watchCode } from "./module.ts";
import { RouteServer } from "./route-server.ts";

const first = {
  keys: ["header:x-routing-key", "baggage:k", "overrides", "jwt:k"],
  routes: [
    { from: "reviews", key: "k", to: "target" },
    { from: "*", key: "gone", to: "missing" },
    { from: "reviews", key: "past", to: "target", expires: "2029-01-01T00:00:00Z" },
    { from: "reviews", when: [{ cookie: "user", exact: "alice" }], to: "target" },
    { from: "ratings", split: [{ to: "target", weight: 100 }] },
  ],
};
const second = { ...first, explain: true };
const live = { ...second, table: { cluster: CLUSTER } };

const requests: { headers: Record<string, string>; cluster?: string; target?: string }[] = [
  { headers: { "x-routing-key": "k" }, target: "target" },
  { headers: { baggage: "k=%6b", "x-keyway-cluster": "forged" }, target: "target" },
  { headers: { "x-routing-key": "no key, none", "x-keyway-cluster": "forged" } },
  { headers: { "x-routing-key": "past", cookie: "user=alice" }, target: "target" },
  // A hop mark that the host fails to hand out can't be seen.
  { headers: { "x-keyway-routed": "target", "x-routing-key": "k" }, target: "target" },
  { headers: {}, cluster: "ratings", target: "target" },
  { headers: { "x-override": "reviews:gone" }, target: "missing" },
  { headers: { "x-override": "reviews:gone" }, target: "missing" },
  { headers: { "x-keyway-explain": "1", "x-routing-key": "k" }, target: "target" },
  { headers: {} },
];

/** Sends all requests; throws when one ends elsewhere than at its target, its baseline or, asked to, with an explanation. */
function sendAll(filter: Slot): void {
  for (const { headers, cluster = "reviews", target } of requests) {
    const passed = filter.request({ headers, cluster });
    if (passed.local) expect(Object.keys(headers)).toContain("x-keyway-explain");
    else if (target === "missing" && passed.cluster === undefined) expect(passed.status).toBe(503);
    else expect([target, cluster]).toContain(passed.cluster);
  }
}

/** The life of a filter: a first configuration, requests, a wrong one, a second one, a missing target that comes back, a live table. */
function runLife(envoy: Envoy, filter: Slot): void {
  filter.configure(first);
  sendAll(filter);
  filter.configure({ routes: 1 });
  filter.configure(second);
  sendAll(filter);
  envoy.process.clusters.set("missing", true);
  for (let i = 0; i < 3; i++) {
    envoy.process.advance(250);
    envoy.tick();
    envoy.answer();
  }
  sendAll(filter);
  const server = new RouteServer();
  serve(envoy, server);
  server.apply(Object.fromEntries(parseConfiguration(first).routes.entries()));
  filter.configure(live);
  envoy.run(500);
  sendAll(filter);
  server.apply({ 1: undefined });
  envoy.run(500);
  sendAll(filter);
}

function proxy(): { envoy: Envoy; filter: Slot } {
  const envoy = new Envoy(filterCode, { watch: watchCode });
  envoy.process.clusters.set("target", true);
  return { envoy, filter: envoy.filter() };
}

/** Once the host is well again and a configuration has come, everything is as it should be. */
function assertWell(envoy: Envoy, filter: Slot): void {
  envoy.process.fault = undefined;
  envoy.process.advance(1000);
  expect(filter.configure({ ...first, keys: ["header:x-routing-key"] })).toBe(true);
  expect(filter.request({ headers: { "x-routing-key": "k" } }).cluster).toBe("target");
  expect(filter.request({ headers: { "x-routing-key": "other" } }).cluster).toBe("reviews");

  // A live table gets well by itself.
  const server = new RouteServer();
  serve(envoy, server);
  server.apply({ id: { from: "reviews", key: "live", to: "target" } });
  expect(filter.configure({ table: { cluster: CLUSTER } })).toBe(true);
  envoy.run(10_000);
  expect(filter.request({ headers: { "x-routing-key": "live" } }).cluster).toBe("target");
}

const codes = [
  Result.NotFound,
  Result.BadArgument,
  Result.InvalidMemoryAccess,
  Result.CasMismatch,
  Result.InternalFailure,
  Result.Unimplemented,
];

const calls: HostFunction[] = [];
{
  const { envoy, filter } = proxy();
  envoy.process.fault = (call) => void calls.push(call.name);
  runLife(envoy, filter);
}

test("the life that is disturbed here makes every host call that the modules know", () => {
  expect(calls.length).toBeLessThan(2000);
  const imported = [filterCode, watchCode].flatMap(({ module }) => WebAssembly.Module.imports(module));
  expect(new Set(calls)).toEqual(new Set(imported.map(({ name }) => name)));
});

describe("a host call that fails never traps and leaves requests to the target or the baseline", () => {
  test.each([Result.NotFound, Result.InternalFailure])("one call, any of them, with code %i", (code) => {
    for (let failing = 0; failing < calls.length; failing++) {
      const { envoy, filter } = proxy();
      let made = 0;
      envoy.process.fault = () => (made++ === failing ? code : undefined);
      runLife(envoy, filter);
      assertWell(envoy, filter);
    }
  });

  test.each([...new Set(calls)])("all calls of %s", (name) => {
    for (const code of codes) {
      const { envoy, filter } = proxy();
      envoy.process.fault = (call: HostCall) => (call.name === name ? code : undefined);
      runLife(envoy, filter);
      assertWell(envoy, filter);
    }
  });

  test("all calls from any of them on", () => {
    for (let failing = 0; failing < calls.length; failing++) {
      const { envoy, filter } = proxy();
      let made = 0;
      envoy.process.fault = () => (made++ >= failing ? Result.InternalFailure : undefined);
      runLife(envoy, filter);
      assertWell(envoy, filter);
    }
  });
});

test("without shared data the baseline serves, and one line says so", () => {
  const { envoy, filter } = proxy();
  envoy.process.fault = ({ name }) => (name === "proxy_set_shared_data" ? Result.InternalFailure : undefined);
  filter.configure(first);
  expect(filter.request({ headers: { "x-routing-key": "k" } }).cluster).toBe("reviews");
  expect(new Set(envoy.process.lines("error"))).toEqual(
    new Set(["keyway: no table: shared data can't be written; the baseline serves"]),
  );
});

test("where the state can't be set the client's selection header still does not pass", () => {
  const { envoy, filter } = proxy();
  filter.configure(first);
  envoy.process.fault = ({ name }) => (name === "proxy_set_property" ? Result.InternalFailure : undefined);
  const passed = filter.request({ headers: { "x-routing-key": "k", "x-keyway-cluster": "forged" } });
  expect(passed.cluster).toBe("reviews");
  expect(passed.headers.map(([name]) => name)).not.toContain("x-keyway-cluster");
});
