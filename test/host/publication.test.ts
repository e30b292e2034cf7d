import fc from "fast-check";
import { expect, test } from "vitest";
import { check } from "../property.ts";
import { Envoy } from "./emulator/envoy.ts";
import type { Thread } from "./emulator/thread.ts";
import { filterCode } from "./module.ts";
import { decisionOf } from "./observe.ts";

const ROUTES = 60;

/** Version `v` sends every key to `v-…`, by a condition where there is no key: an answer tells which table gave it. */
const version = (v: number) => ({
  routes: [
    ...Array.from({ length: ROUTES }, (_, i) => ({ from: "reviews", key: `k${i}`, to: `v${v}` })),
    { from: "reviews", when: [{ header: "h", present: true }], to: `v${v}` },
  ],
});

function proxy(workers: number): Envoy {
  const envoy = new Envoy(filterCode, { workers });
  for (let v = 0; v < 130; v++) envoy.process.clusters.set(`v${v}`, true);
  return envoy;
}

test("in the middle of any host call of an update, every other worker answers from one whole table, old or new", () => {
  const envoy = proxy(3);
  const filter = envoy.filter();
  filter.configure(version(0));
  const known = new Set(["v0"]);
  let asked = 0;
  envoy.process.meanwhile = ({ vm, name }) => {
    if (!name.includes("shared_data")) return;
    for (const worker of [0, 1, 2]) {
      if (vm.thread === `worker ${worker}`) continue;
      const key = `k${asked++ % ROUTES}`;
      const answers = [{ "x-routing-key": key }, { h: "1" }].map(
        (headers) => filter.request({ worker, headers }).cluster,
      );
      expect(known).toContain(answers[0]);
      expect(answers[1]).toBe(answers[0]);
    }
  };
  for (let v = 1; v < 12; v++) {
    known.add(`v${v}`);
    filter.configure(version(v));
    known.delete(`v${v - 1}`);
  }
  expect(asked).toBeGreaterThan(500);
});

test("a worker that lags behind by any number of versions answers from one whole version, its own or a newer one", () => {
  const steps = fc.array(fc.tuple(fc.constantFrom("update", "apply", "ask", "tick"), fc.nat({ max: 2 })), {
    minLength: 20,
    maxLength: 120,
  });
  check(
    [steps],
    (script) => {
      const envoy = proxy(3);
      const filter = envoy.filter();
      const [main, ...workers] = envoy.threads as [Thread, ...Thread[]];
      const updates: ((thread: Thread) => void)[] = [];
      const applied = workers.map(() => -1);
      const start = [["update", 0], ...workers.map((_, i) => ["apply", i])] as typeof script;
      for (const [step, worker] of [...start, ["tick", 0], ...script] as typeof script) {
        const at = applied[worker] as number;
        const next = updates[at + 1];
        if (step === "tick") envoy.tick();
        else if (step === "update") {
          const update = filter.begin(version(updates.length)) as (thread: Thread) => void;
          update(main);
          updates.push(update);
        } else if (step === "apply" && next) {
          next(workers[worker] as Thread);
          applied[worker] = at + 1;
        } else if (step === "ask") {
          const own = { "x-routing-key": "k7" };
          const answers = [own, { h: "1" }].map((headers) => decisionOf(filter.request({ worker, headers })).to);
          const possible = updates.slice(at).map((_, i) => `v${at + i}`);
          expect(possible).toContain(answers[0]);
          expect(answers[1]).toBe(answers[0]);
        }
      }
    },
    150,
  );
});

test("a removed route is gone on the next request", () => {
  const envoy = proxy(2);
  const filter = envoy.filter();
  filter.configure(version(1));
  const ask = (worker: number) => filter.request({ worker, headers: { "x-routing-key": "k1" } }).cluster;
  expect([ask(0), ask(1)]).toEqual(["v1", "v1"]);
  filter.configure({ routes: version(1).routes.filter((route) => !("key" in route && route.key === "k1")) });
  expect([ask(0), ask(1)]).toEqual(["reviews", "reviews"]);
});

test("two workers that publish the same configuration at the same time agree", () => {
  const envoy = proxy(3);
  const filter = envoy.filter();
  filter.configure(version(0));
  for (let v = 1; v < 20; v++) {
    const update = filter.begin(version(v));
    let calls = 0;
    let nested = false;
    envoy.process.meanwhile = ({ vm }) => {
      if (nested || vm.thread !== "worker 0" || ++calls !== v) return;
      nested = true;
      update?.(envoy.workerThread(1));
    };
    update?.(envoy.workerThread(0));
    envoy.process.meanwhile = undefined;
    if (!nested) update?.(envoy.workerThread(1));
    update?.(envoy.workerThread(2));
    update?.(envoy.threads[0] as Thread);
    for (const worker of [0, 1, 2]) {
      expect(filter.request({ worker, headers: { "x-routing-key": "k3" } }).cluster).toBe(`v${v}`);
    }
  }
});

test("updates of one filter in the middle of another's leave both with their own tables", () => {
  let calls = 1;
  for (let at = 0; at < calls; at++) {
    const envoy = proxy(2);
    const [one, two] = [envoy.filter("one"), envoy.filter("two")];
    one.configure(version(0));
    two.configure(version(50));
    envoy.tick();
    one.configure(version(1));
    one.configure(version(2));
    calls = 0;
    envoy.process.meanwhile = ({ vm }) => {
      if (vm.thread !== "worker 0" || calls++ !== at) return;
      for (let v = 51; v < 56; v++) {
        const update = two.begin(version(v)) as (thread: Thread) => void;
        for (const thread of [envoy.threads[0], envoy.workerThread(1)]) update(thread as Thread);
      }
    };
    const back = one.begin(version(1)) as (thread: Thread) => void;
    back(envoy.workerThread(0));
    envoy.process.meanwhile = undefined;
    for (const thread of [envoy.threads[0], envoy.workerThread(1)]) back(thread as Thread);
    const asked = { headers: { "x-routing-key": "k5" } };
    expect([0, 1].map((worker) => one.request({ ...asked, worker }).cluster)).toEqual(["v1", "v1"]);
    expect(two.request({ ...asked, worker: 1 }).cluster).toBe("v55");
    expect(two.request({ ...asked, worker: 0 }).cluster).toBe("v50");
  }
  expect(calls).toBeGreaterThan(10);
});
