import { describe, expect, test } from "vitest";
import type { Service } from "../../routes/model/service.ts";
import { leftOut, namingFor } from "../../server/feed/naming.ts";
import { parseScope, scopeText } from "../../server/feed/scope.ts";
import type { Own } from "./bed.ts";

describe("a scope", () => {
  test.each([
    ["", ""],
    ["*", ""],
    ["demo/reviews", "demo/reviews"],
    ["outbound:demo", "outbound:demo"],
    ["inbound:demo/reviews:9080=8080", "inbound:demo/reviews:9080=8080"],
    ["inbound:demo/reviews:9080=8080,demo/a:80=1,demo/reviews:9080=8080", "inbound:demo/a:80=1,demo/reviews:9080=8080"],
    ["both:demo", "both:demo"],
    ["both:demo,demo/reviews:9080=8080,demo/a:80=1", "both:demo,demo/a:80=1,demo/reviews:9080=8080"],
  ])("%j is %j", (text, canonical) => {
    const scope = parseScope(text);
    if (scope instanceof Error) throw scope;
    expect(scopeText(scope)).toBe(canonical);
  });

  test.each([
    ["demo", /^scope "demo": expected nothing/],
    ["demo/Reviews", /expected nothing/],
    ["demo/reviews/v1", /expected nothing/],
    ["outbound:", /outbound:NAMESPACE/],
    ["outbound:a.b", /outbound:NAMESPACE/],
    ["inbound:demo", /"demo": expected NAMESPACE\/SERVICE:PORT=CONTAINERPORT/],
    ["inbound:demo/reviews:9080=8080,", /"": expected NAMESPACE/],
    ["inbound:demo/reviews:0=8080", /expected NAMESPACE/],
    ["inbound:demo/reviews:9080=65536", /expected NAMESPACE/],
    ["both:", /both:NAMESPACE/],
    ["both:demo/reviews:9080=8080", /both:NAMESPACE/],
    ["both:demo,", /scope both, "": expected NAMESPACE/],
    ["both:demo,other", /scope both, "other": expected NAMESPACE/],
    ["x".repeat(4097), /longer than 4096 bytes/],
  ])("%.40j is refused", (text, message) => {
    expect(parseScope(text)).toMatchObject({ message: expect.stringMatching(message) });
  });
});

const INBOUND = "inbound:demo/reviews:9080=8080,demo/reviews:9443=8443,demo/ratings:80=9090";
const host = (name: string, namespace = "demo") => `${name}.${namespace}.svc.cluster.local`;
const known: Service[] = [
  { name: "reviews", namespace: "demo", ports: [{ port: 9080, name: "http" }] },
  { name: "pages", namespace: "demo", ports: [{ port: 80 }, { port: 443, name: "tls" }] },
];
const services = {
  find: (name: string, namespace: string) => known.find((one) => one.name === name && one.namespace === namespace),
};

/** `from -> targets` of a route in a scope. */
function named(text: string, route: Partial<Own>, surroundings: { services?: typeof services } = {}): string[] {
  const scope = parseScope(text);
  if (scope instanceof Error) throw scope;
  const own = { id: "a", revision: 1, ...("split" in route ? {} : { key: "k", to: "reviews-k" }), ...route };
  const naming = namingFor(scope, { domain: "cluster.local", ...surroundings });
  return naming(own).map((one) => `${one.from} -> ${"split" in one ? one.split.map(({ to }) => to) : one.to}`);
}

describe("in scopes of plain names", () => {
  test("a service is called as its cluster is, with or without a port", () => {
    expect(named("", { service: "reviews" })).toEqual(["reviews -> reviews-k"]);
    expect(named("", { service: "reviews:9080", to: "reviews-k:9080" })).toEqual(["reviews -> reviews-k"]);
    expect(named("", { service: "*" })).toEqual(["* -> reviews-k"]);
    expect(named("", { service: { cluster: "a|b" }, to: { cluster: "c" } })).toEqual(["a|b -> c"]);
    expect(named("", { from: "outbound|9080||x", to: "y" })).toEqual(["outbound|9080||x -> y"]);
    expect(named("", { service: "reviews", to: { service: "reviews", subset: "v2" } })).toEqual([]);
  });

  test("one of a service has that service's routes alone, and those for any", () => {
    const own = ["reviews", "reviews:9080", "reviews.demo", "reviews.demo.svc", host("reviews"), "*"];
    for (const service of own) expect(named("demo/reviews", { service }), service).toHaveLength(1);
    for (const service of ["ratings", "reviews.shop", host("reviews", "shop"), "reviews.example.com"])
      expect(named("demo/reviews", { service }), service).toEqual([]);
    expect(named("demo/reviews", { from: "reviews" })).toEqual(["reviews -> reviews-k"]);
    expect(named("demo/reviews", { from: "*" })).toEqual(["* -> reviews-k"]);
    expect(named("demo/reviews", { from: `outbound|9080||${host("reviews")}` })).toEqual([]);
  });
});

describe("outbound", () => {
  const outbound = (route: Partial<Own>, own = {}) => named("outbound:demo", route, own);

  test("a service has its host's name, and a target its baseline's namespace and port unless said", () => {
    const from = `outbound|9080||${host("reviews")}`;
    expect(outbound({ service: "reviews:9080" })).toEqual([`${from} -> outbound|9080||${host("reviews-k")}`]);
    expect(outbound({ service: "reviews.shop:9080", to: "a" })).toEqual([
      `outbound|9080||${host("reviews", "shop")} -> outbound|9080||${host("a", "shop")}`,
    ]);
    expect(outbound({ service: "reviews:9080", to: "a.shop:80" })).toEqual([
      `${from} -> outbound|80||${host("a", "shop")}`,
    ]);
    expect(outbound({ service: "reviews:9080", to: { service: "reviews", subset: "v2" } })).toEqual([
      `${from} -> outbound|9080|v2|${host("reviews")}`,
    ]);
    expect(outbound({ service: "reviews:9080", to: "reviews:9443" })).toEqual([
      `${from} -> outbound|9443||${host("reviews")}`,
    ]);
    const split = [
      { to: "a", weight: 1 },
      { to: { cluster: "b" }, weight: 2 },
    ];
    expect(outbound({ service: "reviews:9080", split })).toEqual([`${from} -> outbound|9080||${host("a")},b`]);
  });

  test("hosts outside of the mesh are called with their port", () => {
    expect(outbound({ service: "api.example.com:443", to: "api-k.example.com:443" })).toEqual([
      "outbound|443||api.example.com -> outbound|443||api-k.example.com",
    ]);
    expect(outbound({ service: "api.example.com" })).toEqual([]);
  });

  test("a port that nobody says is that of the service, and of each if it has several", () => {
    expect(outbound({ service: "reviews" })).toEqual([]);
    expect(outbound({ service: "reviews:http" })).toEqual([]);
    const own = { services };
    const result = [`outbound|9080||${host("reviews")} -> outbound|9080||${host("reviews-k")}`];
    expect(outbound({ service: "reviews" }, own)).toEqual(result);
    expect(outbound({ service: "reviews:http" }, own)).toEqual(result);
    expect(outbound({ service: "pages", to: "pages-k" }, own)).toEqual([
      `outbound|80||${host("pages")} -> outbound|80||${host("pages-k")}`,
      `outbound|443||${host("pages")} -> outbound|443||${host("pages-k")}`,
    ]);
    expect(outbound({ service: "reviews", to: "pages:tls" }, own)).toEqual([
      `outbound|9080||${host("reviews")} -> outbound|443||${host("pages")}`,
    ]);
    expect(outbound({ service: "other" }, own)).toEqual([]);
  });

  test("clusters are taken as they are where they are Istio's for callers, and any baseline", () => {
    expect(outbound({ from: "outbound|1||x", to: "y" })).toEqual(["outbound|1||x -> y"]);
    expect(outbound({ from: "*", to: "y" })).toEqual(["* -> y"]);
    expect(outbound({ from: "reviews", to: "y" })).toEqual([]);
    expect(outbound({ from: "inbound|9080||", to: "y" })).toEqual([]);
    expect(outbound({ service: "*", to: "a:80" })).toEqual([`* -> outbound|80||${host("a")}`]);
    expect(outbound({ service: "*", to: "a" })).toEqual([]);
  });
});

describe("inbound", () => {
  test("a proxy has the routes of its own services, by the ports that their pods listen on", () => {
    const to = (port: number) => `outbound|${port}||${host("reviews-k")}`;
    expect(named(INBOUND, { service: "reviews:9080" })).toEqual([`inbound|8080|| -> ${to(9080)}`]);
    expect(named(INBOUND, { service: "reviews.demo" })).toEqual([
      `inbound|8080|| -> ${to(9080)}`,
      `inbound|8443|| -> ${to(9443)}`,
    ]);
    expect(named(INBOUND, { service: host("ratings"), to: "a.shop:7" })).toEqual([
      `inbound|9090|| -> outbound|7||${host("a", "shop")}`,
    ]);
    for (const service of ["pages", "reviews.shop", "reviews:80", "reviews:http", "api.example.com:443"])
      expect(named(INBOUND, { service }), service).toEqual([]);
    expect(named(INBOUND, { service: "reviews:http" }, { services })).toEqual([`inbound|8080|| -> ${to(9080)}`]);
  });

  test("clusters are taken where they are its own, and any baseline", () => {
    expect(named(INBOUND, { from: "inbound|8443||", to: "y" })).toEqual(["inbound|8443|| -> y"]);
    expect(named(INBOUND, { from: "inbound|9443||", to: "y" })).toEqual([]);
    expect(named(INBOUND, { from: `outbound|9080||${host("reviews")}`, to: "y" })).toEqual([]);
    expect(named(INBOUND, { from: "*", to: "y" })).toEqual(["* -> y"]);
    expect(named(INBOUND, { service: "*", to: "a.shop:80" })).toEqual([`* -> outbound|80||${host("a", "shop")}`]);
  });
});

describe("both ways", () => {
  const BOTH = "both:demo,demo/reviews:9080=8080";
  const to = `outbound|9080||${host("reviews-k")}`;

  test("a proxy has what callers have, and its own services' routes by the ports of its pods, too", () => {
    const ways = [`outbound|9080||${host("reviews")} -> ${to}`, `inbound|8080|| -> ${to}`];
    expect(named(BOTH, { service: "reviews:9080" })).toEqual(ways);
    expect(named(BOTH, { service: "ratings:9080" })).toEqual([`outbound|9080||${host("ratings")} -> ${to}`]);
    expect(named("both:demo", { service: "reviews:9080" })).toEqual(ways.slice(0, 1));
    expect(named(BOTH, { service: "reviews" }, { services })).toEqual(ways);
  });

  test("any baseline is there once, as are shares, which the caller cuts", () => {
    expect(named(BOTH, { from: "*", to: "y" })).toEqual(["* -> y"]);
    expect(named(BOTH, { service: "*", to: "a:80" })).toEqual([`* -> outbound|80||${host("a")}`]);
    const split = [{ to: "reviews-k", weight: 10 }];
    expect(named(BOTH, { service: "reviews:9080", split })).toEqual([`outbound|9080||${host("reviews")} -> ${to}`]);
  });

  test("clusters are taken as they are where a caller or the called proxy has them", () => {
    expect(named(BOTH, { from: "outbound|1||x", to: "y" })).toEqual(["outbound|1||x -> y"]);
    expect(named(BOTH, { from: "inbound|8080||", to: "y" })).toEqual(["inbound|8080|| -> y"]);
    expect(named(BOTH, { from: "inbound|9443||", to: "y" })).toEqual([]);
  });
});

test("it is said why a route is left out, and what to write", () => {
  const why = (route: Partial<Own>, own = {}) =>
    leftOut({ id: "a", key: "k", to: "x", revision: 1, ...route }, { domain: "cluster.local", ...own });
  expect(why({ service: "reviews:9080" })).toBeUndefined();
  expect(why({ from: "reviews" })).toBeUndefined();
  expect(why({ service: "reviews" })).toBe("which port of reviews? Write reviews:PORT");
  expect(why({ service: "reviews:http" })).toBe("nobody says which number port http of reviews has; write the number");
  expect(why({ service: "pages.shop" }, { services })).toBe(
    "no service pages.shop is known, so its port isn't, either; write pages.shop:PORT",
  );
  expect(why({ service: "reviews.demo" }, { services })).toBeUndefined();
  expect(why({ service: "api.example.com" })).toMatch(/which port of api.example.com/);
  expect(why({ service: "reviews:80", to: "b:http" })).toMatch(/b.default has no port http/);
});
