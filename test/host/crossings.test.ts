import { beforeAll, expect, test } from "vitest";
import type { Envoy } from "./emulator/envoy.ts";
import type { Slot } from "./emulator/slot.ts";
import { keys, liveProxy } from "./live.ts";
import { proxyWith } from "./module.ts";
import { type Workload, workload } from "./workload.ts";

// What a request costs is the number and the kind of its host calls: each costs far more than what the module does between.
let envoy: Envoy;
let filter: Slot;
let made: string[] = [];

beforeAll(() => {
  ({ envoy, filter } = proxyWith({ routes: [{ from: "reviews", key: "k", to: "target" }] }));
  envoy.process.clusters.set("target", true);
  filter.request();
  envoy.process.fault = ({ name }) => void made.push(name.replace("proxy_", ""));
});

test.each([
  ["no key", {}, ["get_header_map_value", "get_header_map_value", "increment_metric"]],
  [
    "a key without a route",
    { "x-routing-key": "other" },
    [
      ...["get_header_map_value", "get_header_map_value", "get_shared_data", "get_header_map_pairs"],
      ...["increment_metric", "set_property"],
    ],
  ],
  [
    "the same key again, when all lines of its header are read at once",
    { "x-routing-key": "other" },
    ["get_header_map_value", "get_property", "increment_metric", "set_property"],
  ],
  [
    "no key after a request with a key that has no route",
    {},
    ["get_header_map_value", "get_property", "increment_metric"],
  ],
  ["no key again", {}, ["get_header_map_value", "get_header_map_value", "increment_metric"]],
  [
    "a key with a route, whose target this worker has not used yet",
    { "x-routing-key": "k" },
    [
      ...["get_header_map_value", "get_header_map_value", "get_shared_data", "get_property"],
      ...["get_header_map_value", "get_shared_data"],
      ...["set_effective_context", "http_call", "set_effective_context"],
      ...["replace_header_map_value", "set_property", "replace_header_map_value", "increment_metric"],
    ],
  ],
  [
    "that key again",
    { "x-routing-key": "k" },
    [
      ...["get_header_map_value", "get_header_map_value", "get_property"],
      ...["get_header_map_value", "get_shared_data"],
      ...["replace_header_map_value", "set_property", "replace_header_map_value", "increment_metric"],
    ],
  ],
  [
    "a request that is already there",
    { "x-routing-key": "k", "x-keyway-routed": "target" },
    [
      ...["get_header_map_value", "get_header_map_value", "get_property"],
      ...["get_header_map_value", "get_property", "increment_metric", "remove_header_map_value", "set_property"],
    ],
  ],
])("%s", (_, headers, calls) => {
  made = [];
  filter.request({ headers });
  expect(made).toEqual(calls);
});

test("where Envoy's route adds the hop mark, the filter writes one header less", () => {
  const routes = [{ from: "reviews", key: "k", to: "target" }];
  const proxy = proxyWith({ routes, hopMark: "route" });
  proxy.envoy.process.clusters.set("target", true);
  const ask = () => proxy.filter.request({ headers: { "x-routing-key": "k" } });
  ask();
  const own: string[] = [];
  proxy.envoy.process.fault = ({ name }) => void own.push(name.replace("proxy_", ""));
  const { cluster, headers } = ask();
  expect([cluster, headers.filter(([name]) => name === "x-keyway-routed")]).toEqual(["target", []]);
  expect(own).toEqual([
    ...["get_header_map_value", "get_header_map_value", "get_property"],
    ...["get_header_map_value", "get_shared_data"],
    ...["replace_header_map_value", "set_property", "increment_metric"],
  ]);
});

test.each([7, "router", "", null, {}])("a hop mark of %j is refused", (hopMark) => {
  expect(() => proxyWith({ strict: true, routes: [], hopMark })).toThrow(
    "keyway: config: hopMark: expected filter or route",
  );
});

test("a form that the key is read from costs nothing, another one what it takes to look there and to write", () => {
  const { envoy, filter } = proxyWith({ routes: [], emit: ["header:x-routing-key", "baggage:k"] });
  const calls = (headers: Record<string, string>): string[] => {
    const own: string[] = [];
    filter.request({ headers });
    envoy.process.fault = ({ name }) => void own.push(name.replace("proxy_", ""));
    filter.request({ headers });
    envoy.process.fault = undefined;
    return own;
  };
  const keyed = ["get_header_map_value", "get_property", "increment_metric", "set_property"];
  expect(calls({})).toEqual(["get_header_map_value", "get_header_map_value", "increment_metric"]);
  expect(calls({ "x-routing-key": "k" })).toEqual([...keyed, "get_property", "replace_header_map_value"]);
  expect(calls({ "x-routing-key": "k", baggage: "k=k" })).toEqual([...keyed, "get_property"]);
});

test("a live table costs a request one look at a metric more, and a change of it two reads", () => {
  const { envoy, filter, server } = liveProxy({ workers: 1 });
  envoy.process.clusters.set("to-1", true).set("to-2", true);
  server.apply(keys(3));
  envoy.run(1000);
  const headers = { "x-routing-key": "key-1" };
  filter.request({ headers });
  const calls = (): string[] => {
    const own: string[] = [];
    envoy.process.fault = ({ name }) => void own.push(name.replace("proxy_", ""));
    filter.request({ headers });
    envoy.process.fault = undefined;
    return own;
  };
  const routed = [
    ...["get_header_map_value", "get_shared_data"],
    ...["replace_header_map_value", "set_property", "replace_header_map_value", "increment_metric"],
  ];
  expect(calls()).toEqual(["get_metric", "get_header_map_value", "get_header_map_value", "get_property", ...routed]);
  server.apply({ "id-2": undefined });
  while (envoy.answer());
  expect(calls()).toEqual([
    ...["get_metric", "get_shared_data", "record_metric", "record_metric", "get_current_time_nanoseconds"],
    ...["get_header_map_value", "get_header_map_value", "get_shared_data", "get_property", ...routed],
  ]);
});

/** What a request makes of calls, after one of its kind. */
function callsOf(
  { envoy }: Workload,
  slot: Slot,
  headers: Record<string, string>,
  cluster = slot.direction === "inbound" ? "app" : "next",
): string[] {
  const ask = () => slot.request({ headers, cluster });
  ask();
  const own: string[] = [];
  envoy.process.fault = ({ name }) => void own.push(name.replace("proxy_", ""));
  ask();
  envoy.process.fault = undefined;
  return own;
}

const b3 = (n: number) => ({ b3: `${n}`.repeat(32) });
const noKey = ["get_header_map_value", "get_header_map_value"];
const quiet = ["clock_time_get", "get_metric"];
// After a request with a key the next one reads all its headers at once.
const all = ["get_header_map_pairs"];

test("as long as no key comes in, a trace costs a look at a counter and at the clock, and no header", () => {
  const one = workload();
  for (const slot of [one.inbound, one.outbound])
    expect(callsOf(one, slot, b3(1))).toEqual([...noKey, ...quiet, "increment_metric"]);
  one.inbound.request({ headers: { "x-routing-key": "a", ...b3(1) } });
  one.outbound.request({ headers: b3(2), cluster: "next" });
  one.envoy.process.advance(61_000);
  // Where a key has ever come in, the second counter says whether work of its trace goes on.
  expect(callsOf(one, one.outbound, b3(1))).toEqual([...noKey, ...quiet, "get_metric", "increment_metric"]);
});

test("to remember a key costs one read of all headers, one of shared data, and a write where the trace is new", () => {
  const one = workload();
  const keyed = [...all, "increment_metric", "set_property", "get_property"];
  const known = [...keyed, "clock_time_get", "get_shared_data", "increment_metric"];
  expect(callsOf(one, one.inbound, { "x-routing-key": "z", ...b3(1) })).toEqual(known);
  one.envoy.process.advance(20_000);
  one.inbound.request({ headers: { "x-routing-key": "z", ...b3(2) } });
  const own: string[] = [];
  one.envoy.process.fault = ({ name }) => void own.push(name.replace("proxy_", ""));
  one.inbound.request({ headers: { "x-routing-key": "z", ...b3(3) } });
  expect(own).toEqual([...known.slice(0, -1), "set_shared_data", "increment_metric"]);
});

test("to give a key back costs the direction, one read of all headers, one of shared data, and the header", () => {
  const one = workload();
  one.inbound.request({ headers: { "x-routing-key": "a", ...b3(1) } });
  const ways = ["get_property", "get_property"];
  expect(callsOf(one, one.outbound, b3(1))).toEqual([
    ...[...all, "clock_time_get", ...ways, "get_shared_data", "get_shared_data"],
    ...["replace_header_map_value", "set_property", "replace_header_map_value", "increment_metric"],
    ...["increment_metric", "increment_metric", "replace_header_map_value"],
  ]);
  expect(callsOf(one, one.outbound, b3(2))).toEqual([
    ...[...noKey, "clock_time_get", ...ways, ...all, "get_shared_data", "increment_metric", "increment_metric"],
  ]);
});

test("where Istio's names of clusters say the direction, nobody is asked for it", () => {
  const next = "outbound|80||next.demo.svc.cluster.local";
  const one = workload({
    routes: [
      { from: next, key: "a", to: "next-a" },
      { from: "inbound|80||", key: "a", to: "next-b" },
    ],
  });
  const routed = [
    ...[...all, "get_property", "get_shared_data", "replace_header_map_value", "set_property"],
    ...["replace_header_map_value", "increment_metric"],
  ];
  const arrived = { "x-routing-key": "a", "x-keyway-routed": "next-b", ...b3(1) };
  expect(callsOf(one, one.inbound, arrived, "inbound|80||")).toEqual([
    ...[...all, "get_property", "get_property", "increment_metric", "remove_header_map_value", "set_property"],
    ...["clock_time_get", "get_shared_data", "increment_metric"],
  ]);
  expect(callsOf(one, one.outbound, { "x-routing-key": "a", ...b3(1) }, next)).toEqual([...routed, "increment_metric"]);
  one.inbound.request({ headers: { ...arrived, ...b3(2) }, cluster: "inbound|80||" });
  expect(callsOf(one, one.outbound, b3(2), next)).toEqual([
    ...[...all, "clock_time_get", "get_property", "get_shared_data", "get_shared_data"],
    ...["replace_header_map_value", "set_property", "replace_header_map_value", "increment_metric"],
    ...["increment_metric", "increment_metric", "replace_header_map_value"],
  ]);
});

test("a configuration that says the direction saves the question, and two configurations of one name cost two calls", () => {
  const one = workload({
    inbound: { trace: { direction: "inbound" } },
    outbound: { trace: { direction: "outbound" } },
  });
  const told = ["set_property", "set_property"];
  for (const slot of [one.inbound, one.outbound])
    expect(callsOf(one, slot, b3(1))).toEqual([...told, ...noKey, ...quiet, "increment_metric"]);
  expect(callsOf(one, one.outbound, { "x-routing-key": "z" })).toEqual([
    ...told,
    ...[...all, "increment_metric", "set_property", "increment_metric"],
  ]);
});
