import { expect, test } from "vitest";
import { filterCode, proxyWith } from "./module.ts";

const UPDATES = 10_000;

/** A table of thirty routes or so, another one for each number. */
const table = (n: number) => ({
  keys: ["header:x-routing-key", `cookie:c${n % 50}`],
  routes: [
    ...Array.from({ length: 20 + (n % 20) }, (_, i) => ({ from: "reviews", key: `k${i}`, to: `t${n % 7}` })),
    { from: "*", key: `only-${n}`, to: "once" },
  ],
});

test("ten thousand updates grow neither shared data nor the modules' memory nor the host's", () => {
  const { envoy, filter } = proxyWith(table(0), { workers: 2 });
  for (let i = 0; i < 7; i++) envoy.process.clusters.set(`t${i}`, true);
  const ask = (worker: number) => filter.request({ worker, headers: { "x-routing-key": "k5" } }).cluster;
  const sizes = () => ({
    keys: envoy.process.shared.entries.size,
    wasm: envoy.wasmBytes,
    metrics: Math.max(...envoy.threads.map((thread) => envoy.vm(thread, filterCode).metrics.defined)),
    contexts: Math.max(...envoy.threads.map((thread) => envoy.vm(thread, filterCode).contexts.size)),
  });
  let early: ReturnType<typeof sizes> | undefined;
  let mostBytes = 0;
  for (let n = 1; n <= UPDATES; n++) {
    filter.configure(n % 100 === 99 ? `{"routes": ${n}` : table(n));
    const target = `t${(n % 100 === 99 ? n - 1 : n) % 7}`;
    if (n % 10 === 0) expect([ask(0), ask(1)]).toEqual([target, target]);
    if (n === 500) early = sizes();
    if (n > 500) mostBytes = Math.max(mostBytes, envoy.process.shared.size);
  }
  expect(sizes()).toEqual(early);
  expect(mostBytes).toBeLessThan(16 * 1024);
  expect(envoy.process.counter("keyway_table_routes")).toBe(21 + (UPDATES % 20));
});

test("a worker without traffic, too, takes ten thousand updates without growth", () => {
  const { envoy, filter } = proxyWith(table(0), { workers: 4 });
  let early = 0;
  for (let n = 1; n <= 1000; n++) {
    filter.configure(table(n));
    if (n === 100) early = envoy.process.shared.entries.size;
  }
  expect(envoy.process.shared.entries.size).toBe(early);
});

test("two listeners that always get the same configuration share one table and no more", () => {
  const { envoy, filter } = proxyWith(table(0), { workers: 2 });
  const other = envoy.filter("keyway", "keyway", "outbound");
  other.configure(table(0));
  let early = 0;
  for (let n = 1; n <= 1000; n++) {
    filter.configure(table(n));
    other.configure(table(n));
    if (n === 100) early = envoy.process.shared.size;
    if (n % 50 === 0) envoy.tick();
  }
  expect(envoy.process.shared.size).toBeLessThan(early + 1024);
});

test("a large table gives its memory back to the next ones of its size", () => {
  const large = (n: number) => ({
    routes: Array.from({ length: 20_000 }, (_, i) => ({ from: "reviews", key: `key-number-${i}`, to: `target-${n}` })),
  });
  const { envoy, filter } = proxyWith(large(0));
  for (let n = 1; n < 5; n++) filter.configure(large(n));
  const before = { wasm: envoy.wasmBytes, keys: envoy.process.shared.entries.size };
  for (let n = 5; n < 10; n++) filter.configure(large(n));
  expect({ wasm: envoy.wasmBytes, keys: envoy.process.shared.entries.size }).toEqual(before);
  const full = envoy.process.shared.size;
  for (const key of ["a", "b", "c"]) filter.configure({ routes: [{ from: "reviews", key, to: "t" }] });
  expect(envoy.process.shared.size).toBeLessThan(full / 8);
  expect(filter.request({ headers: { "x-routing-key": "key-number-7" } }).state).toBe("baseline key-number-7");
});
