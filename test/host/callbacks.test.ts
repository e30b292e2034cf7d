import { expect, test } from "vitest";
import { Context, Exchange } from "./emulator/context.ts";
import { Process } from "./emulator/process.ts";
import { type Code, Vm } from "./emulator/vm.ts";
import { filterCode, proxyWith, watchCode } from "./module.ts";

const fresh = (code: Code) => new Vm(new Process(), code, "keyway", "worker 0");
const plugin = (text: string) => ({ name: "keyway", rootId: "keyway", configuration: Buffer.from(text) });

test("the modules export only the callbacks that a request needs", () => {
  const callbacks = (code: Code) => code.exports.filter((name) => name.startsWith("proxy_on_")).sort();
  expect(callbacks(filterCode)).toEqual([
    "proxy_on_configure",
    "proxy_on_http_call_response",
    "proxy_on_request_headers",
    "proxy_on_tick",
  ]);
  expect(callbacks(watchCode)).toEqual(["proxy_on_http_call_response", "proxy_on_log"]);
});

test("a request before any configuration goes to the baseline", () => {
  const vm = fresh(filterCode);
  const root = vm.newContext(plugin("{}"));
  const stream = vm.newContext(plugin("{}"), root);
  stream.exchange = new Exchange([["x-keyway-cluster", "forged"]], "reviews");
  expect(vm.call("proxy_on_request_headers", stream, 1, 1)).toBe(0);
  expect(stream.exchange.headers.pairs).toEqual([]);
});

test("a tick, or an answer to no probe, or of an unknown context, does nothing", () => {
  const vm = fresh(filterCode);
  vm.call("proxy_on_tick", vm.newContext(plugin("{}")));
  vm.call("proxy_on_tick", new Context(4_000_000_000, plugin("{}")));
  vm.call("proxy_on_http_call_response", new Context(4_000_000_000, plugin("{}")), 7, 1, 0, 0);
  expect(vm.process.logs).toEqual([]);
});

test.each([0, 1, 1 << 16, 1 << 24])("a configuration whose size is told wrong, as %i", (size) => {
  const vm = fresh(filterCode);
  const root = vm.newContext(plugin(""));
  root.configuration = Buffer.from('{"routes": []}');
  expect(vm.call("proxy_on_configure", root, size)).toBe(1);
  expect(vm.memory.size).toBeLessThan(1 << 20);
});

test("a configuration while none can be read", () => {
  const vm = fresh(filterCode);
  expect(vm.call("proxy_on_configure", vm.newContext(plugin("")), 100)).toBe(1);
  expect(vm.process.lines("error")).toHaveLength(1);
});

test.each(["", "routed", "routed ", "routed k", "routed k ", "baseline k t", `routed k ${"t".repeat(5000)}`, "\0\xff"])(
  "a log with the filter state %j",
  (state) => {
    const vm = fresh(watchCode);
    const root = vm.newContext(plugin(""));
    root.exchange = new Exchange([], "reviews");
    root.exchange.state.set("keyway", Buffer.from(state, "latin1"), undefined);
    vm.call("proxy_on_log", root);
    expect(vm.process.shared.entries.size).toBe(0);
  },
);

test("a log without a request", () => {
  const vm = fresh(watchCode);
  vm.call("proxy_on_log", vm.newContext(plugin("")));
  expect(vm.process.shared.entries.size).toBe(0);
});

test("a client's selection header goes, however it is written and repeated", () => {
  const { envoy, filter } = proxyWith({ routes: [{ from: "*", key: "k", to: "t" }] });
  envoy.process.clusters.set("t", true);
  for (const key of ["k", "none", "no key"]) {
    const { headers } = filter.request({
      headers: [
        ["X-Keyway-Cluster", "a"],
        ["x-keyway-cluster", ""],
        ["X-KEYWAY-CLUSTER", "b"],
        ["x-routing-key", key],
      ],
    });
    const left = headers.filter(([name]) => name === "x-keyway-cluster").map(([, value]) => value);
    expect(left).toEqual(key === "k" ? ["t"] : []);
  }
});
