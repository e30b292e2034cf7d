import { expect, test } from "vitest";
import { Envoy } from "./emulator/envoy.ts";
import { filterCode, proxyWith } from "./module.ts";

const good = { routes: [{ from: "reviews", key: "k", to: "t" }] };
const routed = { headers: { "x-routing-key": "k" } };

test.each([
  '{"strict": true, "routes": 3}',
  '{"routes": 3, "strict":\n\ttrue}',
  '{"routes": [{"from": "a", "key": "k", "to": "t"}, {}], "explain": false, "strict" : true}',
])("a strict configuration that is wrong is refused: %s", (configuration) => {
  const envoy = new Envoy(filterCode);
  expect(envoy.filter().configure(configuration)).toBe(false);
  expect(envoy.process.lines("error")).toHaveLength(1);
});

test.each([
  '{"routes": 3}',
  '{"strict": false, "routes": 3}',
  '{"routes": [{"from": "strict", "key": "true"}]}',
  '{"strict',
])("any other that is wrong leaves the baseline serving: %s", (configuration) => {
  const { envoy, filter } = proxyWith(configuration);
  expect(filter.request(routed)).toMatchObject({ status: 200, cluster: "reviews", state: undefined });
  expect(envoy.process.counter("keyway_config_rejected")).toBe(1);
});

test("a wrong configuration leaves the last good one serving, on all workers, and publishes nothing", () => {
  const { envoy, filter } = proxyWith(good, { workers: 2 });
  envoy.process.clusters.set("t", true);
  for (const worker of [0, 1]) expect(filter.request({ ...routed, worker }).cluster).toBe("t");
  const tables = () => [...envoy.process.shared.entries].filter(([key]) => /keyway:\d\d:[bh]/.test(key)).map(String);
  const before = tables();

  expect(filter.configure({ ...good, extra: 1 })).toBe(true);
  expect(envoy.process.lines("error")).toEqual(['keyway: config: unknown field "extra"']);
  expect(envoy.process.counter("keyway_config_rejected")).toBe(1);
  expect(tables()).toEqual(before);
  for (const worker of [0, 1]) expect(filter.request({ ...routed, worker }).cluster).toBe("t");

  expect(filter.configure({ ...good, extra: 1, strict: true })).toBe(false);
  for (const worker of [0, 1]) expect(filter.request({ ...routed, worker }).cluster).toBe("t");

  expect(filter.configure({ routes: [] })).toBe(true);
  expect(envoy.process.counter("keyway_config_rejected")).toBe(0);
  for (const worker of [0, 1]) expect(filter.request({ ...routed, worker }).cluster).toBe("reviews");
});

test("one wrong configuration after the other, and the good one in between, keep their order", () => {
  const { envoy, filter } = proxyWith(good);
  envoy.process.clusters.set("t", true).set("u", true);
  filter.configure("{");
  filter.configure("[");
  expect(filter.request(routed).cluster).toBe("t");
  filter.configure({ routes: [{ from: "reviews", key: "k", to: "u" }] });
  expect(filter.request(routed).cluster).toBe("u");
  filter.configure("{");
  expect(filter.request(routed).cluster).toBe("u");
  expect(envoy.process.counter("keyway_config_rejected")).toBe(1);
  filter.configure(good);
  expect(filter.request(routed).cluster).toBe("t");
});

test("a configuration that one module has rejected is read again by the next, and told once while it is rejected", () => {
  const envoy = new Envoy(filterCode, { workers: 2 });
  envoy.process.clusters.set("t", true);
  // The first module does not understand the text: each VM is handed out none when it reads it for the second time, to parse it.
  const reads = new Map<unknown, number>();
  envoy.process.fault = ({ name, vm }) => {
    if (name === "proxy_get_buffer_bytes") reads.set(vm, (reads.get(vm) ?? 0) + 1);
    return name === "proxy_get_buffer_bytes" && reads.get(vm) === 2 ? 1 : undefined;
  };
  expect(envoy.filter("old").configure(good)).toBe(true);
  expect(envoy.process.lines("error")).toHaveLength(1);
  envoy.process.fault = undefined;
  const filter = envoy.filter("new");
  expect(filter.configure(good)).toBe(true);
  for (const worker of [0, 1]) expect(filter.request({ ...routed, worker }).cluster).toBe("t");
  expect(envoy.process.lines("error")).toHaveLength(1);
});
