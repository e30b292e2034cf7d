// Two builds with different layouts in one process, one after the other, as an update of the module brings them.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { OTHER_LAYOUT, variant } from "../modules/variant.ts";
import { Envoy } from "./emulator/envoy.ts";
import { Slot } from "./emulator/slot.ts";
import { Code } from "./emulator/vm.ts";
import { CLUSTER, goesTo, keys, liveProxy } from "./live.ts";
import { filterCode } from "./module.ts";

const otherCode = new Code(await variant(OTHER_LAYOUT));
const KEYS = 200;
const config = { routes: Array.from({ length: KEYS }, (_, i) => ({ from: "reviews", key: `k${i}`, to: `t${i}` })) };

function proxy(): Envoy {
  const envoy = new Envoy(filterCode, { workers: 2 });
  for (const { to } of config.routes) envoy.process.clusters.set(to, true);
  return envoy;
}
const place = (envoy: Envoy, code: Code) => new Slot(envoy, code, "keyway", "keyway", "inbound");

function expectAllRouted(filter: Slot): void {
  for (const worker of [0, 1]) {
    for (const { key, to } of config.routes) {
      expect(filter.request({ worker, headers: { "x-routing-key": key } }).cluster).toBe(to);
    }
  }
}

test.each([
  ["this build, then the other", filterCode, otherCode],
  ["the other build, then this", otherCode, filterCode],
])("%s: each routes by its own table, before, while and after the other comes", (_, first, second) => {
  const envoy = proxy();
  const before = place(envoy, first);
  before.configure(config);
  expectAllRouted(before);
  const after = place(envoy, second);
  let calls = 0;
  envoy.process.meanwhile = () => {
    if (++calls % 50 === 0) expectAllRouted(before);
  };
  after.configure(config);
  envoy.process.meanwhile = undefined;
  expect(calls).toBeGreaterThan(50);
  expectAllRouted(before);
  expectAllRouted(after);
  before.remove();
  expectAllRouted(after);
});

const MINUTES = 60_000;
/** Minutes go by, in which the root contexts that there are do what they do once a minute. */
function minutes(envoy: Envoy, n: number): void {
  for (let i = 0; i < n; i++) {
    envoy.process.advance(MINUTES);
    envoy.tick();
  }
}

test("what a layout has left is emptied once nobody uses it, and not before", () => {
  const envoy = proxy();
  const before = place(envoy, otherCode);
  before.configure(config);
  const after = place(envoy, filterCode);
  after.configure(config);
  const left = () =>
    [...envoy.process.shared.entries].filter(([name, { value }]) => /:77:/.test(name) && value.length > 0);
  minutes(envoy, 30);
  expect(left()).not.toEqual([]);
  expectAllRouted(before);
  before.remove();
  minutes(envoy, 20);
  expect(left()).toEqual([]);
  expectAllRouted(after);

  // Should the other build come back, it starts afresh.
  const back = place(envoy, otherCode);
  back.configure({ routes: config.routes.slice(0, 10) });
  expect(back.request({ headers: { "x-routing-key": "k3" } }).cluster).toBe("t3");
  expect(back.request({ headers: { "x-routing-key": "k30" } }).cluster).toBe("reviews");
});

test("a process that was stopped for an hour loses no table", () => {
  const envoy = proxy();
  const [one, two] = [place(envoy, otherCode), place(envoy, filterCode)];
  for (const filter of [one, two]) filter.configure(config);
  minutes(envoy, 3);
  envoy.process.advance(60 * MINUTES);
  minutes(envoy, 5);
  for (const filter of [one, two]) expectAllRouted(filter);
});

test("builds of one layout that replace each other don't keep the slots of those before", async () => {
  const envoy = proxy();
  let last = place(envoy, filterCode);
  const sizes: number[] = [];
  for (let round = 0; round < 4; round++) {
    const routes = config.routes.map(({ key, ...route }) => ({ ...route, key: `${key}-${round}` }));
    last.configure({ routes });
    for (const worker of [0, 1]) last.request({ worker });
    sizes.push(envoy.process.shared.size);
    // The same code again as another module: its VMs come without a word from those of the one before.
    const next = place(envoy, new Code(readFileSync(new URL("../../build/keyway.wasm", import.meta.url))));
    for (const thread of envoy.threads) thread.vms.delete(filterCode);
    next.configure({ routes: [] });
    last.remove();
    for (const thread of envoy.threads)
      for (const code of thread.vms.keys()) if (code !== next.code) thread.vms.delete(code);
    minutes(envoy, 20);
    last = next;
  }
  expect(sizes[3]).toBeLessThan((sizes[1] as number) * 1.1);
});

test("a build with another layout fetches a live table of its own, and serves its routes until then", () => {
  const { envoy, filter, server } = liveProxy();
  for (const name of ["to", "inline"]) envoy.process.clusters.set(name, true);
  server.apply(keys(30, () => "to"));
  envoy.run(1000);
  // What the server gives is of this build's layout: the other one refuses it, and says so.
  const other = place(envoy, otherCode);
  other.configure({ routes: [{ from: "reviews", key: "key-1", to: "inline" }], table: { cluster: CLUSTER } });
  envoy.run(1000);
  expect(goesTo(other, "key-1")).toBe("inline");
  expect(goesTo(filter, "key-1")).toBe("to");
  expect(server.questions.at(-1)?.headers[":path"]).toContain("layout=77&revision=0");
  expect(envoy.process.lines("error")).toEqual([expect.stringContaining("no page of a table of this layout")]);
});
