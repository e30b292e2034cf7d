// `emit`: the forms in which a key leaves.
import fc from "fast-check";
import { expect, test } from "vitest";
import { check } from "../property.ts";
import type { Pairs } from "./emulator/headers.ts";
import { keys, liveProxy } from "./live.ts";
import { proxyWith } from "./module.ts";

const ALL = ["header:x-routing-key", "baggage:sd-routing-key", "tracestate:sd", "cookie:k"];
const KEYS = [...ALL, "query:k", "host:.preview.example.com", "jwt:k"];
const routes = [{ from: "reviews", key: "pr-1", to: "target" }];

/** The lines of a header as they leave. */
function leaving(headers: Pairs | Record<string, string>, emit: string[], name: string, config = {}): string[] {
  const { envoy, filter } = proxyWith({ keys: KEYS, routes, emit, ...config });
  envoy.process.clusters.set("target", true);
  return filter
    .request({ headers })
    .headers.filter(([own]) => own === name)
    .map(([, value]) => value);
}
const token = `Bearer e30.${Buffer.from('{"k":"pr-1"}').toString("base64url")}.s`;

test.each<[string, Record<string, string>]>([
  ["a header", { "x-routing-key": "pr-1" }],
  ["baggage", { baggage: "sd-routing-key=pr%2d1" }],
  ["tracestate", { tracestate: "sd=pr-1" }],
  ["a cookie", { cookie: "k=pr-1" }],
  ["the query", { ":path": "/a?k=pr-1" }],
  ["the host", { ":authority": "pr-1.preview.example.com" }],
  ["a token", { authorization: token }],
])("a key that came in %s leaves in all forms, whether it was routed or not", (_, headers) => {
  for (const known of [routes, []]) {
    const { envoy, filter } = proxyWith({ keys: KEYS, routes: known, emit: ALL });
    envoy.process.clusters.set("target", true);
    const passed = filter.request({ headers });
    expect(passed.cluster).toBe(known.length > 0 ? "target" : "reviews");
    const left = Object.fromEntries(passed.headers);
    expect(left).toMatchObject({ "x-routing-key": "pr-1", tracestate: "sd=pr-1", cookie: "k=pr-1" });
    expect(decodeURIComponent(left.baggage ?? "")).toBe("sd-routing-key=pr-1");
  }
});

test.each([
  ["there is no key", {}],
  ["what stands in a source is no key", { "x-routing-key": "no key" }],
])("nothing is written where %s", (_, headers) => {
  const { filter } = proxyWith({ keys: KEYS, routes, emit: ALL });
  const names = filter.request({ headers }).headers.map(([name]) => name);
  expect(names.filter((name) => /baggage|tracestate|cookie/.test(name))).toEqual([]);
});

test("a parent's route takes the request, and the whole key leaves", () => {
  const config = { hierarchy: "." };
  expect(leaving({ cookie: "k=pr-1.x" }, ["header:x-routing-key"], "x-routing-key", config)).toEqual(["pr-1.x"]);
});

test("the key that had a route here leaves in place of another", () => {
  const headers: Pairs = [
    ["x-routing-key", "other"],
    ["x-routing-key", "another"],
    ["cookie", "k=pr-1"],
  ];
  expect(leaving(headers, ["header:x-routing-key"], "x-routing-key")).toEqual(["pr-1"]);
});

test("the source that the key was read from stays as it is, with its other candidates", () => {
  const headers: Pairs = [
    ["x-routing-key", "other, pr-1"],
    ["x-routing-key", "third"],
  ];
  expect(leaving(headers, ALL, "x-routing-key")).toEqual(["other, pr-1", "third"]);
  expect(leaving(headers, ALL, "baggage")).toEqual(["sd-routing-key=pr-1"]);
});

test("a request that the proxy answers itself, as the route says, gets no headers", () => {
  const { filter } = proxyWith({ keys: KEYS, routes: [{ ...routes[0], missing: "fail" }], emit: ALL });
  expect(filter.request({ headers: { cookie: "k=pr-1" } }).status).toBe(424);
});

const members = (n: number, from = 0) => Array.from({ length: n }, (_, i) => `m${i + from}=v`).join(",");

test.each([
  ["joins others, which stay as they are", "a=1;p=x, b = %20 ;q", "sd-routing-key=pr-1,a=1;p=x,b = %20 ;q"],
  ["takes the place of all of its name", "sd-routing-key=x,a=1,sd-routing-key=y;p", "sd-routing-key=pr-1,a=1"],
  ["is not confused with names that resemble it", "sd-routing-keys=x,sd-routing=y", undefined],
  ["is not written where it is there already", "a=1, sd-routing-key = pr-1 ;p=1", "a=1, sd-routing-key = pr-1 ;p=1"],
  ["drops empty members and keeps broken ones", ",a=1,, broken ,\t", "sd-routing-key=pr-1,a=1,broken"],
  ["lets the last go where there are 64", members(64), `sd-routing-key=pr-1,${members(63)}`],
  ["keeps as many as there were, where there are more", members(100), `sd-routing-key=pr-1,${members(99)}`],
  [
    "lets whole members go beyond 8,192 bytes",
    `a=${"x".repeat(8100)},b=${"y".repeat(80)}`,
    `sd-routing-key=pr-1,a=${"x".repeat(8100)}`,
  ],
])("a member of baggage %s", (_, baggage, wanted) => {
  const expected = wanted ?? `sd-routing-key=pr-1,${baggage}`;
  expect(leaving({ "x-routing-key": "pr-1", baggage }, ["baggage:sd-routing-key"], "baggage")).toEqual([expected]);
});

test("several lines of baggage become one", () => {
  const headers: Pairs = [
    ["x-routing-key", "pr-1"],
    ["baggage", "a=1"],
    ["baggage", "sd-routing-key=pr-1"],
    ["baggage", "sd-routing-key=old,b=2"],
  ];
  expect(leaving(headers, ["baggage:sd-routing-key"], "baggage")).toEqual(["sd-routing-key=pr-1,a=1,b=2"]);
});

test("baggage has a key percent-encoded, and what was encoded is the same key", () => {
  for (const key of ['a"b\\c%d', "100%", "a=b/c", "!#$&'()*+-./:<>?@[]^_`{|}~"]) {
    const config = { routes: [{ from: "reviews", key, to: "target" }] };
    const [line = ""] = leaving({ "x-routing-key": key }, ["baggage:k"], "baggage", config);
    const [, value = ""] = /^k=(.*)$/.exec(line) ?? [];
    expect(value).toMatch(/^[!#-+\--:<-[\]-~]*$/);
    expect(decodeURIComponent(value)).toBe(key);
    const back = proxyWith({ keys: ["baggage:k"], ...config });
    back.envoy.process.clusters.set("target", true);
    expect(back.filter.request({ headers: { baggage: line } }).cluster).toBe("target");
  }
});

test.each([
  ["goes first", "a=1,b=2", "sd=pr-1,a=1,b=2"],
  ["goes first where it has changed, in place of the old one", "a=1,sd=old,b=2", "sd=pr-1,a=1,b=2"],
  ["stays where it was, unchanged", "a=1,sd=pr-1,b=2", "a=1,sd=pr-1,b=2"],
  ["lets the last of 32 go", members(32), `sd=pr-1,${members(31)}`],
  ["leaves no more than 32 of a longer list", members(40), `sd=pr-1,${members(31)}`],
])("an entry of tracestate %s", (_, tracestate, wanted) => {
  expect(leaving({ "x-routing-key": "pr-1", tracestate }, ["tracestate:sd"], "tracestate")).toEqual([wanted]);
});

test("several forms in one header, whose lines come one by one, each find what the one before wrote", () => {
  const lines: Pairs = [
    ["cookie", "a=1; k=x"],
    ["cookie", "b=2"],
  ];
  expect(leaving([["x-routing-key", "pr-1"], ...lines], ["cookie:k", "cookie:l"], "cookie")).toEqual([
    "a=1; b=2; k=pr-1; l=pr-1",
  ]);
  const members: Pairs = [
    ["baggage", "a=1"],
    ["baggage", "b=2"],
  ];
  expect(leaving([["x-routing-key", "pr-1"], ...members], ["baggage:k", "baggage:l"], "baggage")).toEqual([
    "l=pr-1,k=pr-1,a=1,b=2",
  ]);
});

test("a key that tracestate or cookies can't hold is not written there", () => {
  expect(leaving({ "x-routing-key": "a=b" }, ["tracestate:sd"], "tracestate")).toEqual([]);
  expect(leaving({ "x-routing-key": 'a"b' }, ["cookie:k"], "cookie")).toEqual([]);
  expect(leaving({ "x-routing-key": "a\\b" }, ["cookie:k"], "cookie")).toEqual([]);
});

test.each<[string, Pairs, string[]]>([
  ["stands behind the others", [["cookie", "a=1;b"]], ["a=1; b; k=pr-1"]],
  ["takes the place of all of its name", [["cookie", 'k=old; a="k=x"; k=older']], ['a="k=x"; k=pr-1']],
  [
    "makes one line of several",
    [
      ["cookie", "a=1; k=x"],
      ["cookie", "b=2"],
    ],
    ["a=1; b=2; k=pr-1"],
  ],
  ["is not written where it is there already", [["cookie", "k=pr-1;a=1"]], ["k=pr-1;a=1"]],
])("a cookie %s", (_, cookies, wanted) => {
  expect(leaving([["x-routing-key", "pr-1"], ...cookies], ["cookie:k"], "cookie")).toEqual(wanted);
});

test("a live table's routes change nothing of the forms", () => {
  const { envoy, filter, server } = liveProxy({ workers: 1, emit: ["baggage:k"] });
  envoy.process.clusters.set("to-1", true);
  server.apply(keys(3));
  envoy.run(1000);
  const { cluster, headers } = filter.request({ headers: { "x-routing-key": "key-1" } });
  expect([cluster, Object.fromEntries(headers).baggage]).toEqual(["to-1", "k=key-1"]);
});

test("a host that refuses to change a header fails no request", () => {
  const { envoy, filter } = proxyWith({ keys: KEYS, routes: [], emit: ALL });
  envoy.process.fault = ({ name }) => (name === "proxy_replace_header_map_value" ? 2 : undefined);
  expect(filter.request({ headers: { cookie: "k=pr-1" } })).toMatchObject({ status: 200, cluster: "reviews" });
});

const pieces = fc.constantFrom(
  "sd",
  "a",
  "b",
  "=",
  "=",
  ",",
  ",",
  ";",
  " ",
  "\t",
  "%20",
  '"',
  "pr-1",
  "\xff",
  "x".repeat(300),
);
const wild = fc.array(pieces, { maxLength: 60 }).map((own) => own.join(""));

/** The members of a list that are not empty and not called `sd`. */
function others(list: string): string[] {
  const all = list.split(",").map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""));
  return all.filter((member) => member !== "" && !/^sd[ \t]*=/.test(member));
}

test("whatever stands in a list, the key is in it once, and the others stay in their order", () => {
  const emit = ["baggage:sd", "tracestate:sd"];
  const { envoy, filter } = proxyWith({ routes: [], emit });
  const [bytes, shared] = [envoy.wasmBytes, envoy.process.shared.size];
  check(
    [fc.array(wild, { maxLength: 3 }), fc.constantFrom("baggage", "tracestate")],
    (lines, name) => {
      const before = lines.map((line): [string, string] => [name, line]);
      const passed = filter.request({ headers: [["x-routing-key", "pr-1"], ...before] });
      const after = passed.headers.filter(([own]) => own === name).map(([, value]) => value);
      const all = after.join(",");
      expect(all.split(",").filter((member) => /^[ \t]*sd[ \t]*=[ \t]*pr-1[ \t]*(;|$)/.test(member))).toHaveLength(1);
      const wanted = others(lines.join(","));
      expect(others(all)).toEqual(wanted.slice(0, name === "tracestate" ? 31 : wanted.length));
    },
    2000,
  );
  expect(envoy.wasmBytes).toBeLessThanOrEqual(bytes + (1 << 17));
  expect(envoy.process.shared.size).toBe(shared);
});
