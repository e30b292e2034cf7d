import { beforeEach, expect, test } from "vitest";
import type { Envoy } from "./emulator/envoy.ts";
import type { Slot } from "./emulator/slot.ts";
import { proxyWith } from "./module.ts";
import { decisionOf } from "./observe.ts";

const table = {
  routes: [
    { from: "reviews", key: "k", to: "target" },
    { from: "reviews", key: "l", to: "other" },
  ],
};
let envoy: Envoy;
let filter: Slot;

beforeEach(() => {
  ({ envoy, filter } = proxyWith(table, { workers: 3 }));
  envoy.process.clusters.set("target", true).set("other", true);
});

const ask = (worker = 0, key = "k") => filter.request({ worker, headers: { "x-routing-key": key } });
const seconds = (n: number) => {
  for (let i = 0; i < n * 20; i++) {
    envoy.process.advance(50);
    envoy.tick();
  }
};

test.each([
  ["does not exist", () => envoy.process.clusters.delete("target")],
  ["has no healthy host", () => envoy.process.clusters.set("target", false)],
])("a target that %s costs one request, on one worker; then the baseline serves until it is back", (_, lose) => {
  expect(ask().cluster).toBe("target");
  lose();
  expect(ask(0).status).toBe(503);
  for (const worker of [0, 1, 2, 0]) {
    const passed = ask(worker);
    expect(decisionOf(passed)).toEqual({ outcome: "missing_target", key: "k", to: "target" });
    expect([passed.status, passed.cluster]).toEqual([200, "reviews"]);
  }
  expect(ask(1, "l").cluster).toBe("other");
  expect(envoy.process.counter("keyway_requests_missing_target")).toBe(4);

  seconds(5);
  expect(ask(1).cluster).toBe("reviews");
  expect(envoy.process.dispatched).toEqual([]);

  envoy.process.clusters.set("target", true);
  seconds(1);
  for (const worker of [0, 1, 2]) expect(ask(worker).cluster).toBe("target");
  expect(envoy.process.dispatched).toHaveLength(1);
  expect(envoy.process.dispatched[0]).toMatchObject({ cluster: "target" });
});

test("a target lost again is found lost again", () => {
  for (let round = 0; round < 5; round++) {
    envoy.process.clusters.set("target", false);
    expect([ask().status, ask().cluster]).toEqual([503, "reviews"]);
    envoy.process.clusters.set("target", true);
    seconds(1);
    expect(ask().cluster).toBe("target");
  }
});

test("once the target is back the timers stop", () => {
  envoy.process.clusters.set("target", false);
  for (const worker of [0, 1, 2]) ask(worker);
  for (const worker of [0, 1, 2]) ask(worker);
  const ticking = () =>
    envoy.threads
      .flatMap(({ vms }) => [...vms.values()].flatMap((vm) => [...vm.contexts.values()]))
      .filter(({ tickMs }) => tickMs > 0);
  expect(ticking().length).toBeGreaterThan(0);
  envoy.process.clusters.set("target", true);
  seconds(2);
  expect(ticking()).toEqual([]);
  expect(ask().cluster).toBe("target");
});

test("the mark outlives a new configuration, and the new root context goes on asking", () => {
  envoy.process.clusters.set("target", false);
  ask();
  expect(ask().cluster).toBe("reviews");
  filter.configure({ ...table, explain: true });
  expect(ask().cluster).toBe("reviews");
  envoy.process.clusters.set("target", true);
  seconds(1);
  expect(ask().cluster).toBe("target");
});

test("many targets missing at a time all come back", () => {
  const names = Array.from({ length: 100 }, (_, i) => `t${i}`);
  filter.configure({ routes: names.map((name) => ({ from: "*", key: name, to: name })) });
  for (const name of names) envoy.process.clusters.set(name, false);
  for (const name of names) expect([ask(0, name).status, ask(0, name).cluster]).toEqual([503, "reviews"]);
  for (const name of names) envoy.process.clusters.set(name, true);
  for (let round = 0; round < 3; round++) {
    seconds(1);
    for (const name of names) ask(0, name);
  }
  for (const name of names) expect(ask(0, name).cluster).toBe(name);
});

test("what is missing without having been selected is nobody's business here", () => {
  envoy.process.clusters.delete("reviews");
  expect(filter.request({ headers: { "x-routing-key": "none" } }).cluster).toBe("reviews");
  expect([...envoy.process.shared.entries.keys()].filter((key) => key.includes("keyway:m:"))).toEqual([]);
});

test("explain tells of a missing target", () => {
  filter.configure({ ...table, explain: true });
  envoy.process.clusters.set("target", false);
  ask();
  const passed = filter.request({ headers: { "x-routing-key": "k", "x-keyway-explain": "1" } });
  expect(JSON.parse(passed.local?.body ?? "null")).toMatchObject({ outcome: "missing_target", key: "k", to: "target" });
});
