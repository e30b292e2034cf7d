// The memory of traces: what it keeps, for how long, and what becomes of it when it is full or when workers meet in it.
import { expect, test } from "vitest";
import { counted, enter, type Headers, leave, workload } from "./workload.ts";

const HIGH = "5759e988bd862e3f";
const LOW = "e1be46a994272793";
const ID = HIGH + LOW;
const SPAN = "00f067aa0ba902b7";

test("a trace follows the newest key that it came in with, and that is counted", () => {
  const one = workload();
  enter(one, "a", { b3: ID });
  enter(one, "a", { b3: ID });
  expect(counted(one, "traces_conflicting")).toBe(0);
  enter(one, "b", { traceparent: `00-${ID}-${SPAN}-01` });
  expect([leave(one, { b3: ID }), counted(one, "traces_conflicting")]).toEqual(["b", 1]);
});

test("whoever sends the id of somebody's trace without a key gets nothing, and ends what is remembered of it", () => {
  const one = workload();
  enter(one, "a", { traceparent: `00-${ID}-${SPAN}-01` });
  enter(one, undefined, { b3: LOW });
  expect([leave(one, { traceparent: `00-${ID}-${SPAN}-01` }), counted(one, "traces_conflicting")]).toEqual([
    undefined,
    1,
  ]);
  // A stranger whose trace nobody knows changes nothing.
  enter(one, "a", { traceparent: `00-${ID}-${SPAN}-01` });
  enter(one, undefined, { b3: HIGH });
  expect(leave(one, { traceparent: `00-${ID}-${SPAN}-01` })).toBe("a");
});

test("a trace is remembered for a while after its last request that came in", () => {
  const one = workload({ trace: { seconds: 10 } });
  enter(one, "a", { b3: ID });
  one.envoy.process.advance(9_900);
  enter(one, "a", { b3: ID });
  one.envoy.process.advance(10_100);
  expect(leave(one, { b3: ID })).toBeUndefined();
  enter(one, "b", { b3: ID });
  expect([leave(one, { b3: ID }), counted(one, "traces_conflicting")]).toEqual(["b", 0]);
});

test("work that goes on in a trace keeps its key, on every worker and for as long as it likes, and loses it by silence", () => {
  const one = workload({ workers: 2, trace: { seconds: 10 } });
  enter(one, "a", { b3: ID });
  for (let passed = 0; passed < 3_600_000; passed += 9_000) {
    one.envoy.process.advance(9_000);
    expect(leave(one, { b3: ID }, (passed / 9_000) % 2)).toBe("a");
  }
  expect(counted(one, "requests_remembered")).toBe(1);
  one.envoy.process.advance(10_100);
  expect([leave(one, { b3: ID }), leave(one, { b3: ID }, 1)]).toEqual([undefined, undefined]);
});

test("a shorter id that goes out keeps the longer one known", () => {
  const one = workload({ trace: { seconds: 10 } });
  enter(one, "a", { b3: ID });
  one.envoy.process.advance(9_000);
  expect(leave(one, { b3: LOW })).toBe("a");
  one.envoy.process.advance(9_000);
  expect([leave(one, { b3: `${LOW}${LOW}` }), leave(one, { b3: ID })]).toEqual([undefined, "a"]);
});

test.each([undefined, "b"])("what comes in meanwhile with key %s is not undone by work that goes on", (key) => {
  const one = workload({ workers: 2, trace: { seconds: 10 } });
  enter(one, "a", { b3: ID });
  one.envoy.process.advance(9_000);
  let between = 0;
  one.envoy.process.meanwhile = ({ name, vm }) => {
    if (name !== "proxy_set_shared_data" || vm.thread !== "worker 0" || between++ > 0) return;
    enter(one, key, { b3: ID }, 1);
  };
  expect(leave(one, { b3: ID })).toBe("a");
  one.envoy.process.meanwhile = undefined;
  expect(between).toBe(1);
  expect(leave(one, { b3: ID })).toBe(key);
});

const id = (n: number) =>
  (((BigInt(n) + 1n) * 0x9e3779b97f4a7c15f39cc0605cedc835n) & ((1n << 128n) - 1n)).toString(16).padStart(32, "0");

test("a flood of traces forgets the oldest and never grows", () => {
  const one = workload({ trace: { entries: 2048 } });
  const flood = (from: number, to: number) => {
    for (let n = from; n < to; n++) enter(one, n % 2 ? "a" : "b", { b3: id(n) });
  };
  flood(0, 40_000);
  const [shared, wasm] = [one.envoy.process.shared.size, one.envoy.wasmBytes];
  flood(40_000, 80_000);
  expect(one.envoy.process.shared.size).toBeLessThanOrEqual(shared * 1.01);
  expect(one.envoy.wasmBytes).toBe(wasm);
  expect(counted(one, "traces_evicted")).toBe(80_000 - 2048);
  const known = Array.from({ length: 80_000 }, (_, n) => leave(one, { b3: id(n) }));
  expect(known.filter((key) => key !== undefined)).toHaveLength(2048);
  const wrong = known.filter((key, n) => key !== undefined && key !== (n % 2 ? "a" : "b"));
  expect(wrong).toEqual([]);
  // Each bucket keeps its newest, so nothing much older than the newest 2,048 is left.
  expect(known.findIndex((key) => key !== undefined)).toBeGreaterThan(60_000);
  expect(known.slice(-500).filter((key) => key === undefined).length).toBeLessThan(20);
});

test("the longest keys take no more than the entries that there may be", () => {
  const one = workload({ trace: { entries: 1024 } });
  for (let n = 0; n < 20_000; n++) enter(one, "x".repeat(256), { b3: id(n) });
  const values = [...one.envoy.process.shared.entries].filter(([name]) => /:e....$/s.test(name));
  expect(values.length).toBeLessThanOrEqual(1024);
  for (const [, { value }] of values) expect(value.length).toBe(26 + 256);
});

/** Lower halves that differ, and whose traces lie in one bucket. */
const low = (n: number) => (0x12340000 + n).toString(16).repeat(2);
const inOneBucket = (n: number) => ({ b3: `${HIGH}${low(n)}` });

/** Another worker writes the same bucket just before worker 0 does, so many times. */
function interrupted(times: number) {
  const one = workload({ workers: 3, trace: { entries: 65536 } });
  let between = 0;
  one.envoy.process.meanwhile = ({ name, vm }) => {
    if (name !== "proxy_set_shared_data" || vm.thread !== "worker 0" || between >= times) return;
    between++;
    enter(one, "b", inOneBucket(between), 1 + (between % 2));
  };
  enter(one, "a", inOneBucket(0));
  one.envoy.process.meanwhile = undefined;
  expect(between).toBe(times);
  return one;
}

test("workers that write the same bucket at the same moment lose nothing", () => {
  const one = interrupted(15);
  expect(leave(one, inOneBucket(0), 2)).toBe("a");
  for (let n = 1; n <= 15; n++) expect(leave(one, inOneBucket(n), n % 3)).toBe("b");
});

test("a worker that always comes too late gives up, and its request goes on", () => {
  const one = interrupted(20);
  expect([leave(one, inOneBucket(0)), leave(one, inOneBucket(20))]).toEqual([undefined, "b"]);
});

test("many traces at once, with and without keys, over several workers: each has its own key again", () => {
  const one = workload({ workers: 2 });
  const open: { key: string | undefined; headers: Headers }[] = [];
  const forms = [
    (n: number) => ({ traceparent: `00-${id(n)}-${SPAN}-01` }),
    (n: number) => ({ b3: `${id(n)}-${SPAN}-1` }),
    (n: number) => ({ "x-datadog-trace-id": BigInt(`0x${id(n).slice(16)}`).toString() }),
  ];
  let random = 1;
  const below = (most: number) => {
    random = (random * 48271) % 2147483647;
    return random % most;
  };
  for (let n = 0; n < 30_000; n++) {
    const key = [undefined, "a", "b", "unknown"][below(4)];
    const trace = { key, headers: forms[below(3)]?.(n) as Headers };
    enter(one, key, { ...trace.headers, "x-request-id": `request-${n}` }, below(2));
    open.push(trace);
    if (open.length < 500) continue;
    const [{ key: wanted, headers } = { key: undefined, headers: {} }] = open.splice(below(open.length), 1);
    expect(leave(one, headers, below(2))).toBe(wanted);
  }
  expect(counted(one, "traces_conflicting")).toBe(0);
});
