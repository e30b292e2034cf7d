// Twins as patches of an EnvoyFilter: which routes get one, in which order, and when they are out of date.
import { expect, test } from "vitest";
import { staleHosts, twinsAmong, whyNotTwinned } from "../../installer/manifests/installed-twins.ts";
import { type ProxyRoutes, type TwinPatch, twinPatches } from "../../installer/manifests/twin-patches.ts";
import { proofFor } from "../../installer/twins/headers.ts";
import type { Message } from "../../installer/twins/spelling.ts";

const REVIEWS = "outbound|9080||reviews.demo.svc.cluster.local";
const RATINGS = "outbound|9080||ratings.demo.svc.cluster.local";
const scope = { owner: "demo/keyway", baselines: [REVIEWS], proofFor: () => proofFor("inside") };

const route = (cluster: string, prefix = "/", more: object = {}): Message => ({
  match: { prefix },
  route: { cluster, timeout: "0s" },
  ...more,
});
const configuration = (...hosts: [name: string, ...routes: Message[]][]): Message => ({
  name: "9080",
  virtual_hosts: hosts.map(([name, ...routes]) => ({ name, domains: [name], routes })),
});
const sidecar = (pod: string, ...hosts: [name: string, ...routes: Message[]][]): ProxyRoutes => ({
  pod,
  gateway: false,
  routeConfigurations: [configuration(...hosts)],
});

const places = (patches: readonly TwinPatch[]) =>
  patches.map(({ match, patch }) => [
    match.context,
    match.routeConfiguration.vhost.name,
    (patch.value.match as Message).prefix,
  ]);

test("a sidecar gets twins of the routes to the baselines, the last route first", () => {
  const proxy = sidecar(
    "demo/caller",
    [
      "shop",
      route(REVIEWS, "/a"),
      route(RATINGS, "/b"),
      route("outbound|9080|v2|reviews.demo.svc.cluster.local", "/c"),
    ],
    ["ratings", route(RATINGS)],
  );
  const { patches, remarks } = twinPatches([proxy], scope);
  expect(places(patches)).toEqual([
    ["SIDECAR_OUTBOUND", "shop", "/c"],
    ["SIDECAR_OUTBOUND", "shop", "/a"],
  ]);
  expect(remarks).toEqual([]);
  expect(patches[0]).toMatchObject({
    applyTo: "HTTP_ROUTE",
    match: { routeConfiguration: { name: "9080" } },
    patch: {
      operation: "INSERT_FIRST",
      value: {
        route: { cluster_header: "x-keyway-cluster" },
        metadata: { filter_metadata: { keyway: { installation: "demo/keyway" } } },
      },
    },
  });
});

test("a gateway gets twins of all routes that forward", () => {
  const proxy = {
    ...sidecar("demo/front", ["shop", route(RATINGS), { match: { prefix: "/r" }, redirect: {} }]),
    gateway: true,
  };
  expect(places(twinPatches([proxy], scope).patches)).toEqual([["GATEWAY", "shop", "/"]]);
});

test("weights that lead to a baseline count, and `*` stands for every baseline", () => {
  const weighted = {
    match: { prefix: "/" },
    route: {
      weighted_clusters: {
        clusters: [
          { name: RATINGS, weight: 1 },
          { name: REVIEWS, weight: 1 },
        ],
      },
    },
  };
  expect(twinPatches([sidecar("demo/a", ["shop", weighted])], scope).patches).toHaveLength(1);
  expect(
    twinPatches([sidecar("demo/a", ["shop", route(RATINGS)])], { ...scope, baselines: ["*"] }).patches,
  ).toHaveLength(1);
});

test("what the route says of itself is kept beside the note of whose the twin is", () => {
  const config = { istio: { config: "virtual-service/shop" } };
  const proxy = sidecar("demo/a", ["shop", route(REVIEWS, "/", { metadata: { filter_metadata: config } })]);
  expect(twinPatches([proxy], scope).patches[0]?.patch.value.metadata).toEqual({
    filter_metadata: { ...config, keyway: { installation: "demo/keyway" } },
  });
});

test("proxies that agree share the twins, and a virtual host that differs gets none and is told", () => {
  const same = (pod: string, prefix: string) =>
    sidecar(pod, ["same", route(REVIEWS)], ["other", route(REVIEWS, prefix)]);
  const { patches, remarks } = twinPatches([same("demo/a", "/a"), same("demo/b", "/b"), same("demo/c", "/a")], scope);
  expect(places(patches)).toEqual([["SIDECAR_OUTBOUND", "same", "/"]]);
  expect(remarks).toEqual([
    "virtual host other of 9080: demo/a and demo/b have different routes, so there is no twin that fits both",
  ]);
});

test("a route that can't have a twin is told when it leads to a baseline, and only then", () => {
  const plugin = { match: { prefix: "/" }, route: { cluster_specifier_plugin: "mine" } };
  const gateway = { ...sidecar("demo/front", ["shop", plugin]), gateway: true };
  expect(twinPatches([gateway], scope).remarks).toEqual([expect.stringContaining("cluster specifier plugin")]);
  expect(twinPatches([sidecar("demo/a", ["shop", plugin])], scope).remarks).toEqual([]);
});

test("twins that don't fit into one object are left out and counted", () => {
  const hosts = Array.from({ length: 40 }, (_, index): [string, Message] => [
    `host-${index}`,
    route(REVIEWS, "/", { decorator: { operation: "x".repeat(50_000) } }),
  ]);
  const { patches, remarks } = twinPatches([sidecar("demo/a", ...hosts)], scope);
  expect(JSON.stringify(patches).length).toBeLessThan(1_000_000);
  expect(patches.length).toBeGreaterThan(10);
  expect(remarks).toEqual([
    `${40 - patches.length} more virtual hosts: an EnvoyFilter has no room for their twins (1000000 bytes)`,
  ]);
});

test("twins are out of date when the proxies' own routes have changed, come or gone, and twins don't count as routes", () => {
  const first = sidecar("demo/a", ["shop", route(REVIEWS, "/a")], ["cart", route(REVIEWS)]);
  const installed = twinPatches([first], scope).patches;
  const afterwards = (hosts: [string, ...Message[]][]) =>
    staleHosts(installed, twinPatches([sidecar("demo/a", ...hosts)], scope).patches);
  const twin = installed.find(({ match }) => match.routeConfiguration.vhost.name === "shop")?.patch.value as Message;
  expect(
    afterwards([
      ["shop", twin, route(REVIEWS, "/a")],
      ["cart", route(REVIEWS)],
    ]),
  ).toEqual([]);
  expect(
    afterwards([
      ["shop", route(REVIEWS, "/b")],
      ["new", route(REVIEWS)],
    ]),
  ).toEqual([
    "virtual host cart of 9080 is gone",
    "virtual host new of 9080 has come",
    "virtual host shop of 9080 has changed",
  ]);
});

test("a proxy has its twins when each of its virtual hosts has as many as are meant for it", () => {
  const before = sidecar("demo/a", ["shop", route(REVIEWS, "/a"), route(REVIEWS, "/b")]);
  const { patches } = twinPatches([before], scope);
  expect(whyNotTwinned(before, patches)).toBe("it has not got 2 twins of virtual host shop from istiod");
  const values = patches.map(({ patch }) => patch.value).reverse();
  expect(whyNotTwinned(sidecar("demo/a", ["shop", ...values, route(REVIEWS, "/a")]), patches)).toBeUndefined();
  expect(whyNotTwinned(sidecar("demo/a", ["elsewhere", route(REVIEWS)]), patches)).toBeUndefined();
});

test("the twins are found again among all patches of an EnvoyFilter", () => {
  const { patches } = twinPatches([sidecar("demo/a", ["shop", route(REVIEWS)])], scope);
  const guard = {
    applyTo: "HTTP_ROUTE",
    match: {},
    patch: { operation: "INSERT_FIRST", value: { match: { prefix: "/" } } },
  };
  const logger = { applyTo: "NETWORK_FILTER", patch: { operation: "MERGE", value: {} } };
  expect(twinsAmong([logger, guard, ...patches])).toEqual(patches);
});
