import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Bed, startBed } from "./bed/bed.ts";
import type { Ask, Headers } from "./bed/client.ts";

const istio = (subset: string, host = "reviews.demo.svc.cluster.local") => `outbound|9080|${subset}|${host}`;

const BASELINES = {
  "/": "reviews",
  "/ratings": "ratings",
  "/split": "split",
  "/none": "none",
  "/random": "random",
  "/v1": istio("v1"),
  "/v2": istio("v2"),
  "/v3": istio("v3"),
  "/elsewhere": istio("v1", "reviews.other.svc.cluster.local"),
  "/inbound": "inbound|9080||",
};
const TARGETS = [
  "pr-42",
  "pr-7",
  "any",
  "anyone",
  "alice",
  "mobile",
  "beta",
  "a",
  "b",
  "half",
  "subsetless",
  "exact",
  "sandbox",
];

let bed: Bed;
beforeAll(async () => {
  bed = await startBed({
    config: {
      routes: [
        { from: "*", key: "pr-7", to: "any" },
        { from: "reviews", key: "pr-7", to: "pr-7" },
        { from: "reviews", key: "pr-42", to: "pr-42" },
        { from: "reviews", key: "first", to: "a" },
        { from: "reviews", key: "second", to: "b" },
        { from: "reviews", key: "gone", to: "pr-42", expires: "2020-01-01T00:00:00Z" },
        { from: "reviews", key: "lasting", to: "pr-42", expires: "2120-01-01T00:00:00+02:00" },
        { from: "reviews", when: [{ cookie: "user", exact: "alice" }], to: "alice" },
        {
          from: "reviews",
          when: [
            { header: "user-agent", contains: "Mobile" },
            { query: "beta", present: true },
          ],
          to: "beta",
        },
        { from: "reviews", when: [{ header: "user-agent", contains: "Mobile" }], to: "mobile" },
        {
          from: "reviews",
          when: [
            { header: "x-tier", prefix: "gold" },
            { header: "x-tier", suffix: "plus" },
          ],
          to: "a",
        },
        {
          from: "reviews",
          when: [
            { header: "x-internal", present: true },
            { header: "x-tier", present: false },
          ],
          to: "b",
        },
        { from: "ratings", when: [{ header: "x-past", present: true }], to: "a", expires: "2020-01-01T00:00:00Z" },
        { from: "*", when: [{ header: "x-anyone", present: true }], to: "anyone" },
        { from: "split", key: "pr-42", to: "pr-42" },
        { from: "split", when: [{ cookie: "user", exact: "alice" }], to: "alice" },
        {
          from: "split",
          split: [
            { to: "a", weight: 40 },
            { to: "b", weight: 40 },
          ],
          sticky: "cookie:session",
        },
        { from: "none", split: [{ to: "a", weight: 0 }] },
        { from: "random", split: [{ to: "half", weight: 50 }] },
        { from: istio(""), key: "pr-42", to: "subsetless" },
        { from: istio("v2"), key: "pr-42", to: "exact" },
        { from: "*", key: "pr-42", to: "any" },
        { from: "inbound|9080||", key: "pr-1", to: "sandbox" },
      ],
    },
    baselines: BASELINES,
    targets: TARGETS,
  });
});
afterAll(() => bed.stop());

type Case = [what: string, ask: Ask, service: string];
const keyed = (key: string, path = "/", more: Record<string, string> = {}): Ask => ({
  path,
  headers: { "x-routing-key": key, ...more },
});
const with_ = (headers: Headers, path = "/"): Ask => ({ path, headers });

describe("key routes", () => {
  test.each<Case>([
    ["a key with a route goes to its target", keyed("pr-42"), "pr-42"],
    ["no key stays at the baseline", {}, "reviews"],
    ["a key without a route stays at the baseline", keyed("pr-43"), "reviews"],
    ["a key in another case stays at the baseline", keyed("Pr-42"), "reviews"],
    ["an exact from beats *", keyed("pr-7"), "pr-7"],
    ["* takes every other destination", keyed("pr-7", "/ratings"), "any"],
    ["the first candidate wins", keyed("first,second"), "a"],
    ["in the order of the request", keyed("second,first"), "b"],
    ["a candidate without a route is passed over", keyed("nothing,second,first"), "b"],
    ["an expired route is none", keyed("gone"), "reviews"],
    ["a route that expires later is one", keyed("lasting"), "pr-42"],
  ])("%s", async (_, what, service) => {
    expect((await bed.ask(what)).service).toBe(service);
  });
});

describe("Istio's cluster names", () => {
  test.each<Case>([
    ["a name without a subset also matches a subset", keyed("pr-42", "/v1"), "subsetless"],
    ["the exact subset wins over the name without one", keyed("pr-42", "/v2"), "exact"],
    ["another subset", keyed("pr-42", "/v3"), "subsetless"],
    ["the name without a subset wins over *; another host is left to *", keyed("pr-42", "/elsewhere"), "any"],
    ["an inbound name", keyed("pr-1", "/inbound"), "sandbox"],
  ])("%s", async (_, what, service) => {
    expect((await bed.ask(what)).service).toBe(service);
  });
});

describe("routes with conditions", () => {
  test.each<Case>([
    ["exact", with_({ cookie: "user=alice" }), "alice"],
    ["exact is case-sensitive", with_({ cookie: "user=Alice" }), "reviews"],
    ["contains", with_({ "user-agent": "A Mobile B" }), "mobile"],
    ["all conditions must hold, and the first route wins", with_({ "user-agent": "Mobile" }, "/?beta=1"), "beta"],
    ["prefix and suffix", with_({ "x-tier": "gold-plus" }), "a"],
    ["prefix without suffix", with_({ "x-tier": "gold" }), "reviews"],
    ["present, and another not present", with_({ "x-internal": "" }), "b"],
    ["present, but the other too", with_({ "x-internal": "1", "x-tier": "x" }), "reviews"],
    ["expired", with_({ "x-past": "1" }, "/ratings"), "ratings"],
    ["from *", with_({ "x-anyone": "1" }, "/ratings"), "anyone"],
    ["exact from before *", with_({ "x-anyone": "1", cookie: "user=alice" }), "alice"],
    ["a key route goes first", keyed("pr-42", "/", { cookie: "user=alice" }), "pr-42"],
    ["a key without a route leaves it to the conditions", keyed("pr-43", "/", { cookie: "user=alice" }), "alice"],
  ])("%s", async (_, what, service) => {
    expect((await bed.ask(what)).service).toBe(service);
  });
});

describe("split routes", () => {
  const split = async (session: string) => (await bed.ask(with_({ cookie: `session=${session}` }, "/split"))).service;

  test("key and condition routes go first", async () => {
    const headers = { cookie: "session=1; user=alice" };
    expect((await bed.ask(with_(headers, "/split"))).service).toBe("alice");
    expect((await bed.ask(keyed("pr-42", "/split", headers))).service).toBe("pr-42");
  });

  test("a sticky value always takes the same way, and all ways are taken", async () => {
    const sessions = Array.from({ length: 60 }, (_, i) => `session-${i}`);
    const first = await Promise.all(sessions.map(split));
    expect(await Promise.all(sessions.map(split))).toEqual(first);
    expect(new Set(first)).toEqual(new Set(["a", "b", "split"]));
  });

  test("a share of nothing is never taken", async () => {
    const services = await Promise.all(Array.from({ length: 50 }, () => bed.ask({ path: "/none" })));
    expect(new Set(services.map(({ service }) => service))).toEqual(new Set(["none"]));
  });

  test("half takes about half", async () => {
    const answers = await Promise.all(Array.from({ length: 400 }, () => bed.ask({ path: "/random" })));
    const half = answers.filter(({ service }) => service === "half").length;
    // Six standard deviations of a fair coin: once in 500 million runs.
    expect(Math.abs(half - 200)).toBeLessThanOrEqual(60);
  });
});

test("a route that expires while Envoy runs is gone when its time comes", async () => {
  // An Envoy has started by then on a busy machine, too.
  const expires = new Date(Date.now() + 8000).toISOString();
  const short = await startBed({
    config: { routes: [{ from: "reviews", key: "short", to: "sandbox", expires }] },
    targets: ["sandbox"],
  });
  try {
    expect((await short.keyed("short")).service).toBe("sandbox");
    await expect.poll(async () => (await short.keyed("short")).service, { timeout: 20_000 }).toBe("reviews");
  } finally {
    await short.stop();
  }
});
