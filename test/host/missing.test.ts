import { beforeEach, describe, expect, test } from "vitest";
import type { Envoy } from "./emulator/envoy.ts";
import type { ClusterState } from "./emulator/process.ts";
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

const WORKERS = [0, 1, 2];
const ask = (worker = 0, key = "k", subset = false) =>
  filter.request({ worker, headers: { "x-routing-key": key }, subset });
const state = (to: ClusterState | undefined) =>
  to === undefined ? envoy.process.clusters.delete("target") : envoy.process.clusters.set("target", to);

/** Time passes, with a request on each worker every 50 ms, whose calls are answered; answers the statuses and clusters seen. */
function seconds(n: number, subset = false): string[] {
  const seen: string[] = [];
  for (let i = 0; i < n * 20; i++) {
    envoy.process.advance(50);
    for (const worker of WORKERS) {
      const { status, cluster } = ask(worker, "k", subset);
      seen.push(status === 200 ? (cluster as string) : String(status));
    }
    envoy.answer();
  }
  return seen;
}
const failures = (seen: string[]) => seen.filter((one) => one === "503").length;

const MISSING: [string, ClusterState | undefined][] = [
  ["does not exist", undefined],
  ["has no host", false],
  ["has no healthy host", "unhealthy"],
];

/**
 * Requests that fail at most before the baseline serves: the first one, unless there is no cluster; and a trial within the
 * first second, in case that requests for a subset would be served.
 */
const PRICE = new Map(MISSING.map(([, missing], i) => [missing, i]));

describe.each(MISSING)("a target that %s", (_, missing) => {
  test("before its first request is left to the baseline, and is used as soon as it is there", () => {
    state(missing);
    expect(failures(seconds(1))).toBe(PRICE.get(missing));
    expect(new Set(seconds(20))).toEqual(new Set(["reviews"]));
    state(true);
    expect(failures(seconds(1))).toBe(0);
    for (const worker of WORKERS) expect(ask(worker).cluster).toBe("target");
  });

  test("after requests that it has served fails one, on one worker; then the baseline serves until it is back", () => {
    for (const worker of WORKERS) expect(ask(worker).cluster).toBe("target");
    state(missing);
    expect(ask(0).status).toBe(503);
    for (const worker of [0, 1, 2, 0]) {
      const passed = ask(worker);
      expect(decisionOf(passed)).toEqual({ outcome: "missing_target", key: "k", to: "target" });
      expect([passed.status, passed.cluster]).toEqual([200, "reviews"]);
    }
    expect(ask(1, "l").cluster).toBe("other");
    expect(envoy.process.counter("keyway_requests_missing_target")).toBe(4);
    expect(failures(seconds(1))).toBe(missing === "unhealthy" ? 1 : 0);
    expect(new Set(seconds(20))).toEqual(new Set(["reviews"]));
    state(true);
    envoy.process.advance(250);
    expect(ask(1).cluster).toBe("target");
    for (const worker of WORKERS) expect(ask(worker).cluster).toBe("target");
  });

  test("and is asked for rarely is used by the first request after its return", () => {
    state(missing);
    ask();
    state(true);
    envoy.process.advance(60_000);
    expect(ask().cluster).toBe("target");
  });

  test("lost again is found lost again", () => {
    for (let round = 0; round < 5; round++) {
      expect(ask().cluster).toBe("target");
      state(missing);
      expect([ask().status, ask().cluster]).toEqual([503, "reviews"]);
      state(true);
      envoy.process.advance(250);
    }
  });
});

test("a good target is probed once per worker and table, and only once", () => {
  seconds(5);
  expect(envoy.process.dispatched.map(({ cluster }) => cluster)).toEqual(["target", "target", "target"]);
  expect(Object.fromEntries(envoy.process.dispatched[0]?.headers ?? [])).toEqual({
    ":method": "HEAD",
    ":path": "/",
    ":authority": "target",
    "user-agent": "keyway",
  });
  filter.configure({ ...table, explain: true });
  seconds(5);
  expect(envoy.process.dispatched).toHaveLength(6);
});

describe("a target that refuses connections", () => {
  test("fails one request, and does not flap for as long as it refuses", () => {
    seconds(1);
    state("refusing");
    expect(failures(seconds(20))).toBe(1);
    state(true);
    expect(failures(seconds(1))).toBe(0);
    expect(ask().cluster).toBe("target");
  });

  test("is tried by one request now and then, more and more rarely", () => {
    seconds(1);
    state("refusing");
    expect(failures(seconds(29))).toBe(1);
    expect(failures(seconds(600))).toBeLessThanOrEqual(5);
  });

  test("gets its requests at the first answer, whatever it is that answers", () => {
    seconds(1);
    state("refusing");
    ask();
    expect(envoy.process.calls).not.toEqual([]);
    expect(ask().cluster).toBe("reviews");
    state(true);
    envoy.answer();
    expect(ask().cluster).toBe("target");
  });
});

describe("a target that serves subsets only", () => {
  beforeEach(() => {
    state("subset");
  });

  test("serves those who ask for one, whatever becomes of those who don't", () => {
    let failed = 0;
    for (let round = 0; round < 20; round++) {
      failed += failures(seconds(1));
      expect(new Set(seconds(1, true))).toEqual(new Set(["target"]));
    }
    expect(failed).toBeLessThanOrEqual(3);
  });

  test("and has an Istio name fails none of those who don't: there a subset is a cluster of its own", () => {
    const name = "outbound|80||target.demo.svc.cluster.local";
    filter.configure({ routes: [{ from: "reviews", key: "k", to: name }] });
    for (const missing of [false, "unhealthy"] as const) {
      envoy.process.clusters.set(name, missing);
      expect(new Set(seconds(20))).toEqual(new Set(["reviews"]));
    }
  });

  test("serves within a second those whose subset is set behind the filter, though one comes without", () => {
    // To the module they look like requests without a subset, which are served all the same.
    const { get } = envoy.process.clusters;
    let asking = false;
    const behind = function (this: Map<string, ClusterState>, name: string) {
      const own = get.call(this, name);
      return own === "subset" && !asking ? true : own;
    };
    envoy.process.clusters.get = behind;
    envoy.process.fault = ({ name }) => {
      asking = name === "proxy_http_call";
      return undefined;
    };
    expect(new Set(seconds(5))).toEqual(new Set(["target"]));
    for (let round = 0; round < 3; round++) {
      envoy.process.clusters.get = get;
      expect(ask().status).toBe(503);
      envoy.process.clusters.get = behind;
      expect(failures(seconds(1))).toBe(0);
      expect(new Set(seconds(60))).toEqual(new Set(["target"]));
    }
  });
});

test.each([
  ["absent", undefined],
  ["empty", false],
] as const)("a target that is %s costs one request at most of those who ask for a subset", (_, missing) => {
  state(missing);
  expect(failures(seconds(10, true))).toBeLessThanOrEqual(1);
  expect(new Set(seconds(10, true))).toEqual(new Set(["reviews"]));
});

test("a target that was absent and serves subsets only is found by those who ask for one", () => {
  state(undefined);
  expect(failures(seconds(5, true))).toBe(0);
  state("subset");
  seconds(1, true);
  expect(new Set(seconds(5, true))).toEqual(new Set(["target"]));
});

test("a target that stops refusing is used within a second, in the middle of a trial, too", () => {
  for (const after of [29, 31, 33, 40]) {
    ({ envoy, filter } = proxyWith(table, { workers: 3 }));
    state(true);
    seconds(1);
    state("refusing");
    seconds(after);
    state(true);
    seconds(1);
    expect(ask().cluster).toBe("target");
  }
});

test("one client whose own hosts are gone does not push the others off", () => {
  seconds(1);
  const { get } = envoy.process.clusters;
  for (let i = 0; i < 50; i++) {
    // Only this request finds no host; probes do.
    envoy.process.clusters.get = function (name) {
      envoy.process.clusters.get = get;
      return name === "target" ? "unhealthy" : get.call(this, name);
    };
    expect(ask().status).toBe(503);
    envoy.process.clusters.get = get;
    expect(ask(1).cluster).toBe("target");
  }
});

test("no timer of a second or less runs while a target is missing", () => {
  envoy.tick();
  state(undefined);
  for (const worker of WORKERS) ask(worker);
  const ticking = envoy.threads
    .flatMap(({ vms }) => [...vms.values()].flatMap((vm) => [...vm.contexts.values()]))
    .filter(({ tickMs }) => tickMs > 0 && tickMs <= 1000);
  expect(ticking).toEqual([]);
});

test("the mark outlives a new configuration", () => {
  ask();
  state("unhealthy");
  ask();
  expect(ask().cluster).toBe("reviews");
  filter.configure({ ...table, explain: true });
  expect(ask().cluster).toBe("reviews");
  state(true);
  envoy.process.advance(250);
  expect(ask().cluster).toBe("target");
});

test.each([100, 5000])(
  "%i targets missing at a time fail one request each, hardly any two, and all come back",
  (count) => {
    const names = Array.from({ length: count }, (_, i) => `t${i}`);
    filter.configure({ routes: names.map((name) => ({ from: "*", key: name, to: name })) });
    for (const name of names) envoy.process.clusters.set(name, false);
    for (const name of names) expect(ask(0, name).status).toBe(503);
    // Where there is no more room for marks, the oldest ones give way.
    expect(names.filter((name) => ask(0, name).status !== 200).length).toBeLessThan(count / 10);
    for (const name of names) envoy.process.clusters.set(name, true);
    envoy.process.advance(250);
    for (const name of names) expect(ask(0, name).cluster).toBe(name);
  },
);

test("targets that were missing once leave nothing that grows behind", () => {
  const marks = () => [...envoy.process.shared.entries].filter(([name]) => /keyway:\d\d:m/.test(name));
  for (let round = 0; round < 6; round++) {
    const names = Array.from({ length: 5000 }, (_, i) => `round-${round}-${i}`);
    filter.configure({ routes: names.map((name) => ({ from: "*", key: name, to: name })) });
    for (const name of names) ask(0, name);
  }
  expect(marks().length).toBeLessThanOrEqual(1024);
  expect(marks().reduce((sum, [name, { value }]) => sum + name.length + value.length, 0)).toBeLessThan(512 * 1024);
});

test("what is missing without having been selected is nobody's business here", () => {
  const before = [...envoy.process.shared.entries.keys()];
  envoy.process.clusters.delete("reviews");
  expect(filter.request({ headers: { "x-routing-key": "none" } }).cluster).toBe("reviews");
  expect([...envoy.process.shared.entries.keys()]).toEqual(before);
});

test("explain tells of a missing target", () => {
  filter.configure({ ...table, explain: true });
  state(false);
  ask();
  const passed = filter.request({ headers: { "x-routing-key": "k", "x-keyway-explain": "1" } });
  expect(JSON.parse(passed.local?.body ?? "null")).toMatchObject({ outcome: "missing_target", key: "k", to: "target" });
});
