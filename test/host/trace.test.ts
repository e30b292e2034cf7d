// `trace` as a source: what came in with a key is remembered by its trace, and what goes out in that trace without one has it again.
import fc from "fast-check";
import { expect, test } from "vitest";
import { check } from "../property.ts";
import type { Pairs } from "./emulator/headers.ts";
import { counted, enter, type Headers, keys, leave, routes, workload } from "./workload.ts";

const HIGH = "5759e988bd862e3f";
const LOW = "e1be46a994272793";
const ID = HIGH + LOW;
const SPAN = "00f067aa0ba902b7";
const DECIMAL = BigInt(`0x${LOW}`).toString();
const UUID = ID.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");

/** The same trace in every format that has its 128 bits. */
const LONG: Record<string, Headers> = {
  traceparent: { traceparent: `00-${ID}-${SPAN}-01` },
  "a later version of traceparent": { traceparent: `01-${ID}-${SPAN}-01-more` },
  b3: { b3: `${ID}-${SPAN}-1-${SPAN}` },
  "b3 without the rest": { b3: ID },
  "x-b3-traceid": { "x-b3-traceid": ID, "x-b3-spanid": SPAN, "x-b3-sampled": "1" },
  "x-datadog-trace-id with its tag": {
    "x-datadog-trace-id": DECIMAL,
    "x-datadog-tags": `_dd.p.dm=-0,_dd.p.tid=${HIGH}`,
  },
  "x-amzn-trace-id": { "x-amzn-trace-id": `Self=1-0-0;Root=1-${ID.slice(0, 8)}-${ID.slice(8)};Sampled=1` },
  "x-cloud-trace-context": { "x-cloud-trace-context": `${ID}/123;o=1` },
  "uber-trace-id": { "uber-trace-id": `${ID}:${SPAN}:0:1` },
  "uber-trace-id with its colons encoded": { "uber-trace-id": `${ID}%3A${SPAN}%3A0%3A1` },
  "x-request-id": { "x-request-id": UUID },
  "x-request-id without dashes": { "x-request-id": ID },
  "x-request-id as Envoy has changed it": { "x-request-id": UUID.replace(/^(.{14})./, "$1a") },
};
/** Its lower 64 bits. */
const SHORT: Record<string, Headers> = {
  "b3 of 64 bits": { b3: `${LOW}-${SPAN}` },
  "x-b3-traceid of 64 bits": { "x-b3-traceid": LOW },
  "x-datadog-trace-id": { "x-datadog-trace-id": DECIMAL },
  "uber-trace-id of 64 bits": { "uber-trace-id": `${LOW}:${SPAN}:0:1` },
  "x-request-id of 64 bits": { "x-request-id": LOW },
};
/** What can't be translated. */
const OWN: Record<string, Headers> = {
  sw8: { sw8: "1-TUtLUEFUUk9MLTE5Mi4xNjg=-c2VnbWVudA==-3-UE9TVA==-djE=-L2FwaQ==-MTI3" },
  "x-request-id of any text": { "x-request-id": "request 4711 of Tuesday" },
};

test.each(Object.entries({ ...LONG, ...SHORT, ...OWN }))("a trace is known again by %s", (_, headers) => {
  const one = workload();
  expect(enter(one, "a", headers).headers).toContainEqual(["x-routing-key", "a"]);
  expect(leave(one, headers)).toBe("a");
  expect(
    ["remembered", "recovered", "unrecovered", "untraced"].map((name) => counted(one, `requests_${name}`)),
  ).toEqual([...[1, 1, 0, 0]]);
});

const formats = Object.entries({ ...LONG, ...SHORT });
test.each(formats)("%s is known again in every other format", (_, headers) => {
  for (const [format, others] of formats) {
    const one = workload();
    enter(one, "a", headers);
    expect([format, leave(one, others)]).toEqual([format, "a"]);
  }
});

test.each([
  ["too long", `_dd.p.tid=${HIGH}12`],
  ["too short", "_dd.p.tid=5759"],
  ["no number at its end", "_dd.p.tid=0123456789abcdefzz,_dd.p.dm=-1"],
  ["of two traces", `_dd.p.tid=${HIGH}${HIGH}`],
  ["empty", "_dd.p.tid="],
  ["no number", "_dd.p.tid=malformed"],
])("a tag of Datadog that is %s counts as none", (_, tags) => {
  for (const turned of [false, true]) {
    const one = workload();
    const ways: Headers[] = [{ "x-datadog-trace-id": DECIMAL, "x-datadog-tags": tags }, { b3: `${ID}-${SPAN}` }];
    const [came, went] = turned ? [ways[1], ways[0]] : ways;
    enter(one, "a", came as Headers);
    expect(leave(one, went as Headers)).toBe("a");
  }
});

test("the version that no traceparent may have is none in either case", () => {
  for (const version of ["ff", "FF", "fF"]) {
    const one = workload();
    const headers = { traceparent: `${version}-${ID}-${SPAN}-01` };
    enter(one, "a", headers);
    expect([version, leave(one, headers)]).toEqual([version, undefined]);
  }
});

test("of several ids any one is enough, and names of headers are told apart from others", () => {
  const all = { ...LONG["x-request-id"], traceparent: `00-${"1".repeat(32)}-${SPAN}-01`, b3: `${"2".repeat(32)}-1-1` };
  for (const [name, value] of Object.entries(all)) {
    const one = workload();
    enter(one, "a", all);
    expect(leave(one, { "x-trace": "1", [name]: value })).toBe("a");
  }
});

const zeros = "0".repeat(32);
test.each<[string, Headers]>([
  ["traceparent of zeros", { traceparent: `00-${zeros}-${SPAN}-01` }],
  ["traceparent of version ff", { traceparent: `ff-${ID}-${SPAN}-01` }],
  ["traceparent cut short", { traceparent: `00-${ID}-` }],
  ["traceparent with a letter too many", { traceparent: `00-${ID.slice(1)}x-${SPAN}-01` }],
  ["b3 that only says not to sample", { b3: "0" }],
  ["b3 of another length", { b3: `${LOW}0-${SPAN}` }],
  ["b3 of zeros", { b3: `${zeros}-${SPAN}` }],
  ["x-b3-traceid with more behind it", { "x-b3-traceid": `${ID}0` }],
  ["a decimal number of more than 64 bits", { "x-datadog-trace-id": "18446744073709551616" }],
  ["a decimal number that is none", { "x-datadog-trace-id": "0x1234567890" }],
  ["a number that could be guessed", { "x-datadog-trace-id": "4711" }],
  ["a short jaeger id", { "uber-trace-id": "12ab:1:0:1" }],
  ["a jaeger id alone", { "uber-trace-id": ID }],
  ["an id of Amazon's without Root", { "x-amzn-trace-id": `Self=1-${ID.slice(0, 8)}-${ID.slice(8)}` }],
  ["an id of Amazon's with a digit less", { "x-amzn-trace-id": `Root=1-${ID.slice(0, 8)}-${ID.slice(9)}` }],
  ["an id of Google's of 64 bits", { "x-cloud-trace-context": `${LOW}/1` }],
  ["sw8 without a trace", { sw8: "1--c2VnbWVudA==" }],
  ["sw8 with one field", { sw8: "1" }],
  ["a short request id", { "x-request-id": "1234567" }],
  ["an empty one", { traceparent: "", b3: "", "x-request-id": "" }],
  ["none at all", {}],
])("%s is no id, so the key is not remembered, and both ways are counted", (_, headers) => {
  const one = workload();
  enter(one, "a", headers);
  expect(leave(one, headers)).toBeUndefined();
  expect(["remembered", "untraced", "unrecovered"].map((name) => counted(one, `requests_${name}`))).toEqual([0, 1, 0]);
  enter(one, "b", LONG.b3 as Headers);
  expect(leave(one, headers)).toBeUndefined();
  expect(counted(one, "requests_unrecovered")).toBe(1);
});

test("what is not recovered stays as it was, and a trace that is not known goes to the baseline", () => {
  const one = workload();
  enter(one, "a", LONG.traceparent as Headers);
  const other = { traceparent: `00-${LOW}${HIGH}-${SPAN}-01` };
  expect(leave(one, other)).toBeUndefined();
  expect(counted(one, "requests_recovered")).toBe(0);
});

test("only the headers that the configuration names are looked at", () => {
  const one = workload({ trace: { ids: ["X-B3-TraceId", "b3"] } });
  const many = { ...LONG.traceparent, b3: `${"2".repeat(32)}-1-1` };
  enter(one, "a", many);
  expect([leave(one, LONG.traceparent as Headers), leave(one, { b3: many.b3 })]).toEqual([undefined, "a"]);
});

test("a request with a key of its own keeps it, whatever its trace came in with", () => {
  const one = workload();
  enter(one, "a", LONG.b3 as Headers);
  expect(leave(one, { ...LONG.b3, "x-routing-key": "b" })).toBe("b");
  expect(leave(one, { ...LONG.b3, "x-routing-key": "unknown" })).toBe("unknown");
  expect(counted(one, "requests_recovered")).toBe(0);
  // What is no key does not count as one.
  expect(leave(one, { ...LONG.b3, "x-routing-key": "no key" })).toBe("a");
});

test("a key without a route here travels on as well", () => {
  const one = workload();
  enter(one, "unknown", LONG.b3 as Headers);
  expect(leave(one, LONG.b3 as Headers)).toBe("unknown");
  expect(counted(one, "requests_baseline")).toBe(2);
});

test.each<[string, Record<string, unknown>, [string, string][]]>([
  [
    "the first source that can be written to",
    { keys: ["query:k", "baggage:k", "header:x", "trace"] },
    [["baggage", "k=a"]],
  ],
  [
    "the forms that are configured",
    { keys: ["query:k", "trace"], emit: ["header:x-k", "tracestate:k"] },
    [
      ["x-k", "a"],
      ["tracestate", "k=a"],
    ],
  ],
  ["no form, where there is none", { keys: ["query:k", "trace"] }, []],
])("a recovered key leaves in %s", (_, config, wanted) => {
  const { envoy, inbound, outbound } = workload(config);
  const path: Pairs = [[":path", "/?k=a"]];
  inbound.request({ headers: [...path, ["b3", ID]] });
  const { cluster, headers } = outbound.request({ headers: { b3: ID }, cluster: "next" });
  expect([cluster, headers.filter(([name]) => !/^:|^b3|^x-keyway/.test(name))]).toEqual(["next-a", wanted]);
  // Without `emit` only a recovered key is written.
  const other = outbound.request({ headers: path, cluster: "next" });
  const written = other.headers.filter(([name]) => !/^:|^x-keyway/.test(name));
  expect(written).toEqual("emit" in config ? wanted : []);
  expect(envoy.process.counter("keyway_requests_recovered")).toBe(1);
});

test("what goes out with a key is not remembered, and what comes in without one has none given to it", () => {
  const one = workload();
  one.outbound.request({ headers: { "x-routing-key": "a", b3: ID }, cluster: "next" });
  expect(leave(one, { b3: ID })).toBeUndefined();
  enter(one, "a", { b3: ID });
  expect(enter(one, undefined, { b3: ID }).headers.map(([name]) => name)).not.toContain("x-routing-key");
});

test("a listener that says no direction, as many gateways have it, neither remembers nor recovers", () => {
  const { envoy } = workload();
  const edge = envoy.filter("keyway", "keyway", "");
  edge.configure({ keys, routes });
  edge.request({ headers: { "x-routing-key": "a", b3: ID }, cluster: "next" });
  expect(edge.request({ headers: { b3: ID }, cluster: "next" }).cluster).toBe("next");
  expect(envoy.process.counter("keyway_requests_remembered")).toBe(0);
});

test("the configuration can say the direction, where listeners say none", () => {
  const one = workload();
  const [way, out] = ["inbound", "outbound"].map((direction) => {
    const slot = one.envoy.filter("keyway", "keyway", "");
    slot.configure({ keys, routes, trace: { direction } });
    return slot;
  });
  way?.request({ headers: { "x-routing-key": "a", b3: ID }, cluster: "app" });
  expect(out?.request({ headers: { b3: ID }, cluster: "next" }).cluster).toBe("next-a");
});

test("the memory of two workloads is not shared", () => {
  const [one, two] = [workload(), workload()];
  enter(one, "a", { b3: ID });
  enter(two, "b", { b3: LOW });
  expect([leave(one, { b3: ID }), leave(two, { b3: ID.replace(/^./, "f") })]).toEqual(["a", "b"]);
});

const pieces = fc.constantFrom(
  ...[
    "00",
    "-",
    "-",
    ID,
    LOW,
    SPAN,
    ":",
    "%3A",
    ";",
    ",",
    "/",
    "Root=",
    "1-",
    "Self=",
    "_dd.p.tid=",
    "0",
    "f",
    "g",
    " ",
    "\xff",
  ],
  ...["18446744073709551616", DECIMAL, UUID, "x".repeat(40)],
);
const value = fc.array(pieces, { maxLength: 12 }).map((own) => own.join(""));
const names =
  "traceparent b3 x-b3-traceid x-datadog-trace-id x-datadog-tags x-amzn-trace-id x-cloud-trace-context uber-trace-id sw8 x-request-id";
const hostile = fc.array(fc.tuple(fc.constantFrom(...names.split(" ")), value), { maxLength: 20 });

test("no header of trace ids traps or makes the memory grow", () => {
  const one = workload({ trace: { entries: 1024, seconds: 1 } });
  let bytes = 0;
  check(
    [hostile, fc.constantFrom(undefined, "a", "no key")],
    (headers, key) => {
      enter(one, key, headers);
      leave(one, headers);
      one.envoy.process.advance(1);
      bytes ||= one.envoy.wasmBytes;
      expect(one.envoy.wasmBytes).toBeLessThanOrEqual(bytes + (1 << 17));
    },
    5000,
  );
  expect(one.envoy.process.shared.size).toBeLessThan(1 << 17);
});

test("inbound and outbound may have different configurations, and more of the same name may be there", () => {
  const other = [{ from: "app", key: "z", to: "z" }];
  const one = workload({ inbound: { routes: other }, workers: 2 });
  const third = one.envoy.filter("keyway", "keyway", "outbound");
  third.configure({ keys, routes: [] });
  for (const worker of [0, 1]) {
    enter(one, "a", { b3: ID }, worker);
    expect(leave(one, { b3: ID }, 1 - worker)).toBe("a");
    const passed = third.request({ headers: { b3: ID }, cluster: "next", worker });
    expect([passed.cluster, passed.headers.find(([name]) => name === "x-routing-key")?.[1]]).toEqual(["next", "a"]);
  }
});

test("explain says where the key is from, and counts nothing", () => {
  const one = workload({ explain: true });
  enter(one, "a", { b3: ID });
  const { local } = one.outbound.request({ headers: { b3: ID, "x-keyway-explain": "1" }, cluster: "next" });
  expect(JSON.parse(local?.body ?? "")).toMatchObject({ outcome: "routed", key: "a", source: "trace", to: "next-a" });
  expect(counted(one, "requests_recovered")).toBe(0);
});

test("a host that has no shared data, no clock or no direction fails no request", () => {
  for (const failing of [
    "proxy_get_shared_data",
    "proxy_set_shared_data",
    "clock_time_get",
    "proxy_get_header_map_pairs",
    "proxy_get_property",
    "proxy_get_metric",
  ]) {
    const one = workload();
    one.envoy.process.fault = ({ name }) => (name === failing ? 2 : undefined);
    const passed = enter(one, "a", { b3: ID });
    expect([failing, passed.status, passed.cluster]).toEqual([failing, 200, "app"]);
    expect(one.outbound.request({ headers: { b3: ID }, cluster: "next" }).status).toBe(200);
  }
});
