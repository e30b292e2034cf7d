// Two builds with different layouts in one process, one after the other, as an update of the module brings them.
import { expect, test } from "vitest";
import { OTHER_LAYOUT, variant } from "../modules/variant.ts";
import { Envoy } from "./emulator/envoy.ts";
import { Slot } from "./emulator/slot.ts";
import { Code } from "./emulator/vm.ts";
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
