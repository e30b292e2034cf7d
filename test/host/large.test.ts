import { expect, test } from "vitest";
import { filterCode, proxyWith } from "./module.ts";
import { decisionOf } from "./observe.ts";

const KEYS = 100_000;
const text = JSON.stringify({
  routes: Array.from({ length: KEYS }, (_, i) => ({ from: "reviews", key: `pr-${i}`, to: `reviews-pr-${i}` })),
});

test("every key of a large table has its route, and no other key has one", () => {
  const { envoy, filter } = proxyWith(text);
  const decided = (key: string) => decisionOf(filter.request({ headers: { "x-routing-key": key } }));
  for (let i = 0; i < KEYS; i += 7) {
    envoy.process.clusters.set(`reviews-pr-${i}`, true);
    expect(decided(`pr-${i}`)).toEqual({ outcome: "routed", key: `pr-${i}`, to: `reviews-pr-${i}` });
  }
  for (let i = 0; i < KEYS; i += 97) {
    expect(decided(`pr-${KEYS + i}`).outcome).toBe("baseline");
    expect(decided(`PR-${i}`).outcome).toBe("baseline");
  }
  expect(envoy.process.counter("keyway_table_routes")).toBe(KEYS);
});

test.each([
  [1, 4],
  [4, 1.2 * 4],
])("with %i workers a large table takes at most %d times its text", (workers, times) => {
  const small = proxyWith({ routes: [] }, { workers });
  const { envoy } = proxyWith(text, { workers });
  const grown = envoy.wasmBytes - small.envoy.wasmBytes + envoy.process.shared.size;
  expect(grown).toBeLessThan(times * text.length);
  const worker = envoy.vm(envoy.workerThread(workers - 1), filterCode);
  expect(worker.memory.size).toBeLessThan(1 << 20);
});
