// `link`: what the filter leaves for the answer to a link, what the request goes on with, and what other requests pay for it.
import fc from "fast-check";
import { expect, test } from "vitest";
import { check } from "../property.ts";
import type { Pairs } from "./emulator/headers.ts";
import type { Slot } from "./emulator/slot.ts";
import { expectedDecision } from "./expected.ts";
import { configuration, NOW, request, targets } from "./generate.ts";
import { wildRequest } from "./generate-wild.ts";
import { keys, liveProxy } from "./live.ts";
import { proxyWith } from "./module.ts";

const routes = [{ from: "reviews", key: "pr-42", to: "sandbox" }];

function proxy(link: object | boolean = true, more = {}) {
  const { envoy, filter } = proxyWith({ link, routes, ...more });
  envoy.process.clusters.set("sandbox", true).set("reviews", true);
  return { envoy, filter };
}

/** A request, and the filter state that it leaves for the routes. */
function visit(filter: Slot, headers: Record<string, string> | Pairs, cluster: string | null = "reviews") {
  const { outcome, exchange, end } = filter.open({ headers, cluster });
  end();
  const state = (name: string) => exchange.state.get(name)?.toString("latin1");
  return { ...outcome, cookie: state("keyway_link"), cache: state("keyway_link_cache") };
}
const cookieOf = (link: object | boolean, headers: Record<string, string>) =>
  visit(proxy(link).filter, { ":path": "/?keyway=pr-42", ":scheme": "http", ...headers }).cookie;

const https = { "x-forwarded-proto": "https" };
test.each<[object | boolean, Record<string, string>, string]>([
  [true, {}, "keyway=pr-42; Max-Age=604800; Path=/; SameSite=Lax; HttpOnly"],
  [{}, https, "keyway=pr-42; Max-Age=604800; Path=/; SameSite=Lax; HttpOnly; Secure"],
  [{ secure: "auto" }, { ":scheme": "https" }, "keyway=pr-42; Max-Age=604800; Path=/; SameSite=Lax; HttpOnly; Secure"],
  [
    { secure: "auto" },
    { ":scheme": "https", "x-forwarded-proto": "http" },
    "keyway=pr-42; Max-Age=604800; Path=/; SameSite=Lax; HttpOnly",
  ],
  [{ secure: true }, {}, "keyway=pr-42; Max-Age=604800; Path=/; SameSite=Lax; HttpOnly; Secure"],
  [{ secure: false }, https, "keyway=pr-42; Max-Age=604800; Path=/; SameSite=Lax; HttpOnly"],
  [{ sameSite: "None" }, {}, "keyway=pr-42; Max-Age=604800; Path=/; SameSite=None; HttpOnly; Secure"],
  [
    { sameSite: "Strict", seconds: 34_560_000, path: "/shop", cookie: "__Secure-k.1" },
    https,
    "__Secure-k.1=pr-42; Max-Age=34560000; Path=/shop; SameSite=Strict; HttpOnly; Secure",
  ],
])("the cookie of %j with %j", (link, headers, wanted) => {
  expect(cookieOf(link, headers)).toBe(wanted);
  expect(cookieOf(link, { ...headers, ":path": "/?keyway=" })).toBe(
    wanted.replace("pr-42", "").replace(/Max-Age=\d+/, "Max-Age=0"),
  );
});

test("a link to a target, one that stays, and one that takes the key off are sent over the guarded route", () => {
  const { envoy, filter } = proxy();
  const names = (path: string, cookie: string) => {
    const { cluster, state, headers, cache } = visit(filter, { ":path": path, cookie });
    return [cluster, state, headers.filter(([name]) => name === "cookie").map(([, value]) => value), cache];
  };
  expect(names("/?keyway=pr-42", "a=1")).toEqual([
    "sandbox",
    "routed pr-42 sandbox",
    ["a=1; keyway=pr-42"],
    "no-store",
  ]);
  expect(names("/?keyway=z", "keyway=y; a=1")).toEqual(["reviews", "routed z reviews", ["a=1; keyway=z"], "no-store"]);
  expect(names("/?keyway=", "keyway=y; a=1")).toEqual(["reviews", "routed - reviews", ["a=1"], "no-store"]);
  expect(names("/?keyway=", "keyway=y")).toEqual(["reviews", "routed - reviews", [], "no-store"]);
  const counted = ["routed", "baseline", "no_key"].map((name) => envoy.process.counter(`keyway_requests_${name}`));
  expect(counted).toEqual([1, 1, 2]);
});

test("a link that takes the key off leaves a header with a key to the proxies behind, as any request of its sender has it", () => {
  const { filter } = proxy(true, { keys: ["header:x-routing-key"], emit: ["header:x-routing-key"] });
  const own = { ":path": "/?keyway=", "x-routing-key": "pr-42" };
  const { cluster, headers } = visit(filter, own);
  expect([cluster, Object.fromEntries(headers)["x-routing-key"]]).toEqual(["reviews", "pr-42"]);
  expect(visit(filter, { ...own, ":path": "/" }).cluster).toBe("sandbox");
});

test("the hop mark stays away from a request to its baseline", () => {
  const { filter } = proxy();
  const marks = (path: string) =>
    visit(filter, { ":path": path }).headers.filter(([name]) => name === "x-keyway-routed");
  expect([marks("/?keyway=pr-42"), marks("/?keyway=z")]).toEqual([[["x-keyway-routed", "sandbox"]], []]);
});

test("a link where no route has a cluster leaves the request alone", () => {
  const { cluster, state } = visit(proxy().filter, { ":path": "/?keyway=pr-42" }, null);
  expect([cluster, state]).toEqual([undefined, "baseline pr-42"]);
});

test("a key that came by a link, or by its cookie, leaves in the forms that are configured", () => {
  const { filter } = proxy({ query: "p" }, { emit: ["header:x-k", "baggage:k"] });
  for (const headers of [{ ":path": "/?p=pr-42" }, { cookie: "keyway=pr-42" }] as Record<string, string>[]) {
    const left = Object.fromEntries(visit(filter, headers).headers);
    expect([left["x-k"], left.baggage]).toEqual(["pr-42", "k=pr-42"]);
  }
  expect(Object.fromEntries(visit(filter, { ":path": "/?p=", cookie: "keyway=pr-42" }).headers)["x-k"]).toBeUndefined();
});

test("links work with a live table, too", () => {
  const { envoy, filter, server } = liveProxy({ workers: 1, link: true });
  envoy.process.clusters.set("to-1", true);
  server.apply(keys(3));
  envoy.run(1000);
  const { cluster, cookie } = visit(filter, { ":path": "/?keyway=key-1" });
  expect(`${cluster} ${cookie}`).toMatch(/^to-1 keyway=key-1; Max-Age/);
});

const LINKS = [
  "/?keyway",
  "/?KEYWAY=pr-1",
  "/?keyway=%70r-1&keyway=",
  "/?%6beyway=pr-1",
  "/??keyway=pr-1",
  "/?keyway==pr-1",
  "/?a;keyway=pr-1",
  "/%3Fkeyway=pr-1",
  "/?keyway=pr-1",
  "/?keyway=a%2Db",
  "/?x&keyway=",
  "/?keyway=a%20b",
  "/?keyway=%zz&keyway=alice",
  "/?k=1",
];
const linked = fc
  .tuple(
    fc.oneof(request, wildRequest),
    fc.constantFrom(...LINKS, undefined),
    fc.constantFrom("keyway=pr-2", "keyway=a; b=1", 'keyway="pr-1"', "keyway=pr-1; keyway=a", undefined),
  )
  .map(([asked, path, cookie]) => ({
    ...asked,
    headers: [
      ...asked.headers.filter(([name]) => path === undefined || name !== ":path"),
      ...(path === undefined ? [] : [[":path", path]]),
      ...(cookie === undefined ? [] : [["cookie", cookie]]),
    ] as Pairs,
  }));

test("the module decides of links as routes/ foretells, and every link that has a cluster is sent over the guarded route", () => {
  const seen = { cookies: 0, baselines: 0, off: 0 };
  check([configuration, fc.array(linked, { minLength: 1, maxLength: 20 })], (table, all) => {
    const own = { ...table, link: true };
    const { envoy, filter } = proxyWith(own);
    for (const name of targets) envoy.process.clusters.set(name, true);
    for (const asked of all) {
      if (asked.cluster !== null) envoy.process.clusters.set(asked.cluster, true);
      const { outcome, key, to } = expectedDecision(own, asked, NOW);
      const { outcome: passed, exchange, end } = filter.open(asked);
      end();
      const cookie = exchange.state.get("keyway_link")?.toString();
      if (cookie === undefined || asked.cluster === null || outcome === "routed") {
        const words = [
          outcome,
          ...(outcome === "no_key" || outcome === "invalid_key" ? [] : [key ?? "-"]),
          ...(to === null ? [] : [to]),
        ];
        expect(passed.state ?? "no_key").toBe(words.join(" "));
      } else {
        seen.baselines++;
        expect([passed.state, passed.cluster]).toEqual([`routed ${key ?? "-"} ${asked.cluster}`, asked.cluster]);
      }
      if (cookie !== undefined) seen.cookies++;
      if (cookie?.startsWith("keyway=;")) seen.off++;
    }
  });
  for (const [name, count] of Object.entries(seen)) expect(count, name).toBeGreaterThan(50);
});

const pieces = [
  "keyway=",
  "&",
  "?",
  "=",
  "%",
  "%0d%0a",
  "%0",
  "%3b",
  "%22",
  "%00",
  "%ff",
  "pr-42",
  ";",
  ",",
  " ",
  '"',
  "\\",
  "#",
  "\xff",
  "x".repeat(90),
];
const hostile = fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((all) => `/?keyway=${all.join("")}`);

test("whatever stands in a query, the text of the cookie has its key, its attributes and nothing else", () => {
  const { envoy, filter } = proxy();
  let [bytes, cookies] = [0, 0];
  check(
    [hostile, fc.array(fc.constantFrom(...pieces), { maxLength: 6 })],
    (path, cookie) => {
      const left = visit(filter, { ":path": path, cookie: cookie.join("") });
      const wanted = /^keyway=([!#-+\--:<-[\]-~]{1,256}; Max-Age=604800|; Max-Age=0); Path=\/; SameSite=Lax; HttpOnly$/;
      if (left.cookie !== undefined) expect(left.cookie).toMatch(wanted);
      if (left.cookie !== undefined) cookies++;
      expect(left.state ?? "").toMatch(/^[ -~]*$/);
      bytes ||= envoy.wasmBytes;
      expect(envoy.wasmBytes).toBeLessThanOrEqual(bytes + (1 << 17));
    },
    3000,
  );
  expect(cookies).toBeGreaterThan(100);
  expect(visit(filter, { ":path": `/?${"keyway=%20&".repeat(5000)}keyway=pr-42` }).cookie).toMatch(/^keyway=pr-42;/);
});

/** What a request makes of calls, after one of its kind. */
function callsOf(link: object | boolean, headers: Record<string, string>): string[] {
  const { envoy, filter } = proxy(link);
  const own: string[] = [];
  filter.request({ headers });
  envoy.process.fault = ({ name }) => void own.push(name.replace("proxy_", ""));
  filter.request({ headers });
  return own;
}

test("without links a request pays nothing for them; with links one without a query pays two looks that find nothing", () => {
  const noKey = ["get_header_map_value", "get_header_map_value", "increment_metric"];
  expect(callsOf(false, { ":path": "/?keyway=pr-42" })).toEqual(noKey);
  const [strip = "", ...rest] = noKey;
  expect(callsOf(true, {})).toEqual([strip, "get_property", "get_header_map_value", ...rest]);
  const own = [
    strip,
    "get_property",
    "get_header_map_value",
    "get_property",
    "get_header_map_value",
    "get_shared_data",
  ];
  expect(callsOf(true, { cookie: "keyway=pr-42" })).toEqual([
    ...own,
    ...["replace_header_map_value", "set_property", "replace_header_map_value", "increment_metric"],
  ]);
});
