// `edge`: which keys are taken from outside.
import { describe, expect, test } from "vitest";
import { ecdsa, hmac, LATER, rsa, type Signer, signed } from "./edge-keys.ts";
import { Envoy } from "./emulator/envoy.ts";
import type { Pairs } from "./emulator/headers.ts";
import { HOST } from "./generate.ts";
import { filterCode, proxyWith } from "./module.ts";
import { decisionOf } from "./observe.ts";

const KEYS = [
  ...["header:x-routing-key", "signadot", "baggage:k", "tracestate:k", "cookie:k", "query:k", "overrides:x-override"],
  ...["host:.preview.example.com", "jwt:k"],
];
const routes = [
  { from: "reviews", key: "pr-1", to: "target" },
  { from: "*", key: "other", to: "elsewhere" },
];
const jwt = (k: string) => `Bearer e30.${Buffer.from(JSON.stringify({ k })).toString("base64url")}.s`;

function proxy(edge: object, config: object = {}) {
  const made = proxyWith({ keys: KEYS, routes, edge, ...config });
  for (const name of ["target", "elsewhere"]) made.envoy.process.clusters.set(name, true);
  return {
    ...made,
    ask: (headers: Pairs | Record<string, string>, cluster = "reviews") => made.filter.request({ headers, cluster }),
    /** The counters of keys that are not zero. */
    counts() {
      const all = ["removed", "forged", "expired", "foreign"].map((name) => [
        name,
        made.envoy.process.counter(`keyway_keys_${name}`),
      ]);
      return Object.fromEntries(all.filter(([, count]) => count !== 0));
    },
  };
}

const strangers: [string, Pairs, Pairs][] = [
  ["a header", [["x-routing-key", "pr-1"]], []],
  [
    "a header that is there twice",
    [
      ["x-routing-key", "pr-1, b"],
      ["x-routing-key", "c"],
    ],
    [],
  ],
  ["a member of baggage", [["baggage", "a=1;p, k=pr%2d1;x=y ,b=2"]], [["baggage", "a=1;p,b=2"]]],
  ["the only member of baggage", [["baggage", "k=pr-1"]], []],
  [
    "members in several lines",
    [
      ["baggage", "k=pr-1,a=1"],
      ["baggage", "k=b"],
      ["baggage", "b=2"],
    ],
    [["baggage", "a=1,b=2"]],
  ],
  ["an entry of tracestate", [["tracestate", "k=pr-1, other=1"]], [["tracestate", "other=1"]]],
  ["a cookie", [["cookie", 'a=1; k=pr-1; b="2"; k="pr-1"']], [["cookie", 'a=1; b="2"']]],
  [
    "cookies in several lines",
    [
      ["cookie", "k=pr-1; a=1"],
      ["cookie", "b=2"],
    ],
    [["cookie", "a=1; b=2"]],
  ],
  ["the query", [[":path", "/a?x=1&k=pr-1&y=%20"]], [[":path", "/a?x=1&y=%20"]]],
  ["all of the query", [[":path", "/a?k=pr%2d1"]], [[":path", "/a"]]],
  ["an override", [["x-override", "reviews:pr-1, ratings:v2"]], []],
  [
    "Signadot's forms",
    [
      ["ot-baggage-sd-routing-key", "pr-1"],
      ["baggage", "sd-sandbox=pr-1"],
    ],
    [],
  ],
  ["the hop mark", [["x-keyway-routed", "target"]], []],
  ["the wish for an explanation", [["x-keyway-explain", "1"]], []],
  [
    "the id of a trace",
    [
      ["traceparent", `00-${"1".repeat(32)}-${"2".repeat(16)}-01`],
      ["b3", "1-2"],
      ["sw8", "1"],
    ],
    [],
  ],
];

describe("nothing from outside: `accept: none`", () => {
  test.each(strangers)("%s is taken off", (_, headers, left) => {
    const passed = proxy({ accept: "none" }, { explain: true }).ask(headers);
    expect([passed.cluster, passed.local]).toEqual(["reviews", undefined]);
    const names = new Set(headers.map(([name]) => name));
    expect(passed.headers.filter(([name]) => names.has(name))).toEqual(left);
  });

  test.each([
    ["the host", { ":authority": "pr-1.preview.example.com" }],
    ["a token", { authorization: jwt("pr-1") }],
  ])("%s is no key, and stays", (_, headers) => {
    const passed = proxy({ accept: "none" }).ask(headers);
    expect([passed.cluster, passed.state]).toEqual(["reviews", undefined]);
    expect(Object.fromEntries(passed.headers)).toMatchObject(headers);
  });
});

const signers: [string, Signer][] = [
  ["ECDSA", ecdsa()],
  ["RSA", rsa()],
  ["RSA of 4096 bits", rsa("rsa", 4096)],
  ["HMAC", hmac()],
];
const ours = ecdsa("ours");
const edge = { accept: "signed", keys: [ours.entry] };

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

describe.each(signers)("a key signed by %s", (_, signer) => {
  const own = { accept: "signed", keys: [hmac("another").entry, signer.entry] };

  test.each<[string, (token: string) => Record<string, string>]>([
    ["a header", (token) => ({ "x-routing-key": token })],
    ["baggage", (token) => ({ baggage: `a=1,k=${encodeURIComponent(token)};p` })],
    ["tracestate", (token) => ({ tracestate: `a=1,k=${token}` })],
    ["a cookie", (token) => ({ cookie: `a=1; k="${token}"` })],
    ["the query", (token) => ({ ":path": `/a?k=${token}&b=` })],
    ["an override", (token) => ({ "x-override": `reviews:${token}` })],
    ["a token", (token) => ({ authorization: jwt(token) })],
  ])("is taken from %s, and goes on as it came", (_, headersWith) => {
    const headers = headersWith(signed(signer, "pr-1"));
    const { ask, counts } = proxy(own);
    const passed = ask(headers);
    expect(decisionOf(passed)).toEqual({ outcome: "routed", key: "pr-1", to: "target" });
    expect(Object.fromEntries(passed.headers)).toMatchObject(headers);
    expect(counts()).toEqual({});
  });

  test("is worth nothing after any change of a byte", () => {
    const token = signed(signer, "pr-1", { services: "reviews" });
    const { ask, counts } = proxy(own);
    // Of the last character of base64url, decoding may leave bits out: the next one in the alphabet often stands for the same bytes.
    const last = token.at(-1) ?? "";
    const next = ALPHABET[(ALPHABET.indexOf(last) + 1) % ALPHABET.length] ?? "";
    for (let at = 0; at < token.length; at++) {
      const other = at === token.length - 1 ? next : token[at] === "A" ? "B" : "A";
      const passed = ask({ "x-routing-key": token.slice(0, at) + other + token.slice(at + 1) });
      expect([passed.cluster, Object.fromEntries(passed.headers)["x-routing-key"]]).toEqual(["reviews", undefined]);
    }
    expect(Object.values(counts()).reduce((a: number, b) => a + Number(b), 0)).toBe(token.length);
    expect(ask({ "x-routing-key": token }).cluster).toBe("target");
  });
});

describe("what is no signed key of ours is taken off, and counted", () => {
  const other = ecdsa("ours");
  test.each<[string, string, object]>([
    ["a plain key", "pr-1", { removed: 1 }],
    ["a key by somebody else under our id", signed(other, "pr-1"), { forged: 1 }],
    ["a key without a signature", `pr-1~${LATER}~~ours~`, { forged: 1 }],
    ["a signature that is none", `pr-1~${LATER}~~ours~%%%`, { forged: 1 }],
    ["a key under an id that is not known", signed(other, "pr-1", { id: "theirs" }), { foreign: 1 }],
    ["a key that has expired", signed(ours, "pr-1", { expires: 1000 }), { expired: 1 }],
    ["a time that is none", signed(ours, "pr-1", { expires: "4e9" }), { removed: 1 }],
    ["a text with less in it", `pr-1~${LATER}~ours~x`, { removed: 1 }],
    ["a signed text that is too long", signed(ours, "pr-1", { services: "s".repeat(1024) }), { removed: 1 }],
    ["a signed key that is longer than a key may be", signed(ours, "k".repeat(257)), { removed: 1 }],
  ])("%s", (_, text, counted) => {
    const { ask, counts } = proxy(edge);
    const passed = ask({ "x-routing-key": text, cookie: "a=1" });
    expect(decisionOf(passed)).toEqual({ outcome: "no_key", key: null, to: null });
    expect(Object.fromEntries(passed.headers)).toMatchObject({ cookie: "a=1" });
    expect(passed.headers.some(([name]) => name === "x-routing-key")).toBe(false);
    expect(counts()).toEqual(counted);
  });

  test("beside a good one, which stays", () => {
    const good = signed(ours, "pr-1");
    const { ask, counts } = proxy(edge);
    const passed = ask([
      ["x-routing-key", `pr-1, ${good}`],
      ["x-routing-key", signed(other, "other")],
    ]);
    expect(decisionOf(passed).to).toBe("target");
    expect(passed.headers.filter(([name]) => name === "x-routing-key")).toEqual([["x-routing-key", good]]);
    expect(counts()).toEqual({ removed: 1, forged: 1 });
  });
});

describe("for which services", () => {
  const mesh = "outbound|9080||reviews.demo.svc.cluster.local";
  const inMesh = { routes: [{ from: "*", key: "pr-1", to: "target" }] };
  test.each([
    ["", true],
    ["reviews", true],
    ["ratings+reviews.demo", true],
    ["reviews.demo.svc.cluster.local", true],
    ["reviews.other", false],
    ["ratings", false],
    ["review", false],
    ["+", false],
  ])("%j: %j", (services, counts) => {
    const token = signed(ours, "pr-1", { services });
    const made = proxy(edge, inMesh);
    const passed = made.ask({ "x-routing-key": token }, mesh);
    expect(passed.cluster).toBe(counts ? "target" : mesh);
    // It may be meant for a service further on.
    expect(Object.fromEntries(passed.headers)["x-routing-key"]).toBe(token);
    expect(made.counts()).toEqual(counts ? {} : { foreign: 1 });
  });
});

test("on the way into a workload it is for the services that the cluster's metadata names", () => {
  const inbound = "inbound|9080||";
  const { envoy, filter } = proxy(edge, { routes: [{ from: inbound, key: "pr-1", to: "target" }] });
  const goes = (names: string, services?: string[]) => {
    const headers = { "x-routing-key": signed(ours, "pr-1", { services: names }) };
    return filter.request({ cluster: inbound, headers, ...(services && { services }) }).cluster === "target";
  };
  const here = ["details.demo.svc.cluster.local", HOST];
  expect([goes("reviews", here), goes("details.demo", here), goes("", [])]).toEqual([true, true, true]);
  expect([goes("ratings", here), goes("reviews", []), goes("reviews")]).toEqual([false, false, false]);
  expect(envoy.process.lines("error")).toEqual([]);
});

test("a signed key ends at its second", () => {
  const { ask, envoy } = proxy(edge);
  const now = envoy.process.clock / 1_000_000_000n;
  const token = signed(ours, "pr-1", { expires: Number(now) + 10 });
  expect(ask({ "x-routing-key": token }).cluster).toBe("target");
  envoy.process.advance(9_000);
  expect(ask({ "x-routing-key": token }).cluster).toBe("target");
  envoy.process.advance(1_000);
  expect(ask({ "x-routing-key": token }).cluster).toBe("reviews");
});

describe("a mistake in the first configuration", () => {
  const strangers: Pairs = [
    ["x-routing-key", "pr-1"],
    ["x-own", "pr-1"],
    ["baggage", "sd-routing-key=pr-1,a=1"],
    ["traceparent", `00-${"1".repeat(32)}-${"2".repeat(16)}-01`],
    ["x-keyway-routed", "target"],
  ];
  const cleaned: Pairs = [["baggage", "a=1"]];
  const left = (config: unknown) => {
    const envoy = new Envoy(filterCode);
    const filter = envoy.filter();
    expect(filter.configure(config)).toBe(true);
    expect(envoy.process.lines("error")).toHaveLength(1);
    const ask = () => filter.request({ headers: strangers });
    const passed = ask();
    expect(passed.cluster).toBe("reviews");
    return { left: passed.headers.filter(([name]) => !name.startsWith(":")), envoy, filter, ask };
  };

  test.each<[string, unknown]>([
    ["in the edge", { keys: ["header:x-own"], edge: { accept: "signed", keys: [] } }],
    ["in the edge, before the keys", { edge: { accept: "signed", keys: [{ id: "a" }] }, keys: ["header:x-own"] }],
    ["in what it takes", { edge: { accept: "sined" }, emit: ["header:x-own"] }],
    ["among the keys", { keys: ["moon", 7, "header:x-own"], edge: { accept: "none" } }],
    ["in a route", { keys: ["header:x-own"], routes: [{ from: "a" }], edge: { accept: "none" } }],
    ["in links that there can't be", { keys: ["header:x-own"], link: true, edge: { accept: "none" } }],
    ["of JSON", '{"keys": ["header:x-own"], "edge": {"accept": "none"},}'],
  ])("%s lets no stranger's key past the proxy", (_, config) => {
    expect(left(config).left).toEqual(cleaned);
  });

  test("is no reason to take keys off where any is to be taken", () => {
    expect(left({ edge: { accept: "any", keys: [] } }).left).toEqual(strangers);
    expect(left({ keys: [] }).left).toEqual(strangers);
  });

  test("is mended by the next one, and a mistake after that leaves it in force", () => {
    const { envoy, filter, ask } = left({ edge: { accept: "none", trace: 1 } });
    envoy.process.clusters.set("target", true);
    const good = { routes, edge: { accept: "any" } };
    filter.configure(good);
    expect(ask().cluster).toBe("reviews"); // The hop mark says that it is there.
    expect(ask().headers.some(([name]) => name === "x-routing-key")).toBe(true);
    filter.configure({ ...good, edge: { accept: "none", trace: 1 } });
    expect(ask().headers.some(([name]) => name === "x-routing-key")).toBe(true);
  });
});
