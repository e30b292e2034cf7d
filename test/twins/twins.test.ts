// The twins of route configurations, in both spellings that Envoy reads.
import { expect, test } from "vitest";
import { proofFor } from "../../installer/twins/headers.ts";
import type { Message } from "../../installer/twins/spelling.ts";
import { twinsOf, withTwins } from "../../installer/twins/twins.ts";

const MARK = {
  header: { key: "x-keyway-routed", value: "%REQ(x-keyway-cluster)%" },
  append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
};
const SERVED = {
  header: { key: "x-keyway-served", value: "%REQ(x-keyway-routed)%" },
  append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
};
const GUARDS = {
  headers: [{ name: "x-keyway-cluster", present_match: true }],
  filter_state: [{ key: "wasm.keyway", string_match: { prefix: "routed" } }],
};

const hosts = (...routes: Message[]): Message => ({ virtual_hosts: [{ name: "shop", domains: ["*"], routes }] });
const twins = (...routes: Message[]) => twinsOf(hosts(...routes)).virtualHosts[0]?.twins ?? [];
const remarks = (...routes: Message[]) => twinsOf(hosts(...routes)).remarks;

test("a twin is its route for selected requests, with the selected cluster", () => {
  const route = {
    name: "cart",
    match: { prefix: "/cart", headers: [{ name: "x-a", present_match: true }], filter_state: [{ key: "mine" }] },
    route: { cluster: "cart", timeout: "3s", prefix_rewrite: "/" },
    metadata: { filter_metadata: { a: { b: 1 } } },
    request_headers_to_add: [{ header: { key: "x-set", value: "1" } }],
    response_headers_to_remove: ["server"],
    typed_per_filter_config: { "envoy.filters.http.rbac": { "@type": "t" } },
  };
  expect(twins(route)).toEqual([
    {
      before: 0,
      twin: {
        ...route,
        match: {
          prefix: "/cart",
          headers: [...GUARDS.headers, ...route.match.headers],
          filter_state: [...GUARDS.filter_state, { key: "mine" }],
        },
        route: { cluster_header: "x-keyway-cluster", timeout: "3s", prefix_rewrite: "/" },
        request_headers_to_add: [...route.request_headers_to_add, MARK],
        response_headers_to_add: [SERVED],
      },
    },
  ]);
});

test("a file in lowerCamelCase stays in it, and no field stands there twice", () => {
  const route = {
    match: { connectMatcher: {}, filterState: [{ key: "mine" }] },
    route: { weightedClusters: { clusters: [{ name: "a", weight: 1 }] }, upgradeConfigs: [{ upgradeType: "CONNECT" }] },
    requestHeadersToAdd: [{ header: { key: "x-set", value: "1" } }],
  };
  expect(withTwins({ virtualHosts: [{ name: "v", routes: [route] }], requestHeadersToRemove: ["x-other"] })).toEqual({
    virtualHosts: [
      {
        name: "v",
        routes: [
          {
            match: {
              connectMatcher: {},
              headers: [{ name: "x-keyway-cluster", presentMatch: true }],
              filterState: [{ key: "wasm.keyway", stringMatch: { prefix: "routed" } }, { key: "mine" }],
            },
            route: { clusterHeader: "x-keyway-cluster", upgradeConfigs: [{ upgradeType: "CONNECT" }] },
            requestHeadersToAdd: [
              ...route.requestHeadersToAdd,
              { header: MARK.header, appendAction: "OVERWRITE_IF_EXISTS_OR_ADD" },
            ],
            responseHeadersToAdd: [{ header: SERVED.header, appendAction: "OVERWRITE_IF_EXISTS_OR_ADD" }],
          },
          route,
        ],
      },
    ],
    requestHeadersToRemove: ["x-other", "x-keyway-cluster"],
  });
});

test("what forwards nothing has no twin, and a twin stands directly before its route", () => {
  const routes = [
    { match: { prefix: "/old" }, redirect: { path_redirect: "/" } },
    { match: { prefix: "/teapot" }, direct_response: { status: 418 } },
    { match: { prefix: "/" }, route: { cluster_header: "x-mine" } },
    { match: { prefix: "/" }, non_forwarding_action: {} },
  ];
  expect(twins(...routes).map(({ before }) => before)).toEqual([2]);
  const made = withTwins(hosts(...routes)) as { virtual_hosts: { routes: Message[] }[] };
  expect(made.virtual_hosts[0]?.routes.map(({ route }) => route)).toEqual([
    undefined,
    undefined,
    { cluster_header: "x-keyway-cluster" },
    { cluster_header: "x-mine" },
    undefined,
  ]);
  expect(remarks(...routes)).toEqual([]);
});

test("weights without settings of their own give one cluster, others stay weights", () => {
  const route = (clusters: Message[], more = {}) => ({
    match: { prefix: "/" },
    route: { weighted_clusters: { clusters, ...more }, timeout: "1s" },
  });
  const plain = [
    { name: "a", weight: 9 },
    { cluster_header: "x", weight: 1 },
  ];
  const own = [{ name: "a", weight: 9, host_rewrite_literal: "a.example" }, plain[1] as Message];
  const [first, second] = twins(route(plain), route(own, { header_name: "x-choice" }));
  expect(first?.twin.route).toEqual({ cluster_header: "x-keyway-cluster", timeout: "1s" });
  expect(second?.twin.route).toEqual({
    weighted_clusters: {
      clusters: [
        { cluster_header: "x-keyway-cluster", weight: 9, host_rewrite_literal: "a.example" },
        { cluster_header: "x-keyway-cluster", weight: 1 },
      ],
      header_name: "x-choice",
    },
    timeout: "1s",
  });
  expect(remarks(route(own, { runtime_key_prefix: "weights" }))).toMatchObject([
    { kind: "no-twin", path: ["virtual_hosts", 0, "routes", 0], why: expect.stringContaining("runtime keys") },
  ]);
  expect(twins(route(own, { runtime_key_prefix: "weights" }))).toEqual([]);
  expect(twins(route(plain, { runtime_key_prefix: "weights" }))).toHaveLength(1);
});

test.each([
  ["a plugin by name", { cluster_specifier_plugin: "mine" }],
  ["an inline plugin", { inlineClusterSpecifierPlugin: { extension: {} } }],
  ["no cluster at all", { timeout: "1s" }],
])("%s is said by the route's name", (_, route) => {
  const [remark] = remarks({ name: "odd", match: { prefix: "/" }, route });
  expect(remark).toMatchObject({ kind: "no-twin", what: "virtual host shop, route odd" });
  expect(twins({ match: { prefix: "/" }, route })).toEqual([]);
});

test("routes that are not in the list are said", () => {
  const matcher = { virtual_hosts: [{ name: "tree", matcher: {} }], vhds: { config_source: {} } };
  expect(twinsOf(matcher).remarks).toMatchObject([
    { kind: "elsewhere", path: ["vhds"] },
    { kind: "no-twin", path: ["virtual_hosts", 0, "matcher"], what: "virtual host tree" },
  ]);
});

test("a bucket of the route's own is said, however its filter's settings are wrapped", () => {
  const limit = { "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit" };
  const wrapped = { "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", config: limit };
  const struct = { "@type": "type.googleapis.com/xds.type.v3.TypedStruct", type_url: limit["@type"] };
  const entry = { name: "a", weight: 1, typed_per_filter_config: { limit } };
  const match = { prefix: "/" };
  for (const route of [
    { match, route: { cluster: "a" }, typed_per_filter_config: { limit } },
    { match, route: { cluster: "a" }, typedPerFilterConfig: { limit: wrapped } },
    { match, route: { cluster: "a" }, typedPerFilterConfig: { limit: struct } },
    { match, route: { weighted_clusters: { clusters: [entry] } } },
  ])
    expect(remarks(route)).toMatchObject([{ kind: "own-bucket", why: "limit" }]);
});

test("it can be done again, and what is stale is made anew", () => {
  const before = hosts({ match: { prefix: "/" }, route: { cluster: "a", timeout: "1s" } });
  const once = withTwins(before);
  expect(withTwins(once)).toEqual(once);
  const edited = JSON.parse(JSON.stringify(once).replaceAll('"1s"', '"2s"').replace('"2s"', '"1s"'));
  expect(withTwins(edited)).toEqual(
    withTwins(hosts({ match: { prefix: "/" }, route: { cluster: "a", timeout: "2s" } })),
  );
});

test("only the named virtual hosts get twins", () => {
  const routes = [{ match: { prefix: "/" }, route: { cluster: "a" } }];
  const both = {
    virtual_hosts: [
      { name: "one", routes },
      { name: "two", routes },
    ],
  };
  expect(twinsOf(both, { includes: (name) => name === "two" }).virtualHosts).toMatchObject([{ name: "two", index: 1 }]);
});

test("at the edge an answer names no target and is not kept in caches", () => {
  const { virtualHosts } = twinsOf(hosts({ match: { prefix: "/" }, route: { cluster: "a" } }), {
    proof: proofFor("edge"),
  });
  expect(virtualHosts[0]?.twins[0]?.twin.response_headers_to_add).toEqual([
    { header: { key: "cache-control", value: "no-store" }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" },
  ]);
});

test("where there are links, a twin adds their cookie to the service's own", () => {
  const { virtualHosts } = twinsOf(hosts({ match: { prefix: "/" }, route: { cluster: "a" } }), {
    proof: { ...proofFor("edge"), links: true },
  });
  expect(virtualHosts[0]?.twins[0]?.twin.response_headers_to_add).toMatchObject([
    { header: { key: "cache-control", value: "no-store" } },
    {
      header: { key: "set-cookie", value: "%FILTER_STATE(wasm.keyway_link:PLAIN)%" },
      append_action: "APPEND_IF_EXISTS_OR_ADD",
    },
  ]);
});

test("where the most specific header operations win, the mark does not depend on the header that is gone by then", () => {
  const { virtualHosts } = twinsOf({
    ...hosts({ match: { prefix: "/" }, route: { cluster: "a" } }),
    most_specific_header_mutations_wins: true,
  });
  expect(virtualHosts[0]?.twins[0]?.twin.request_headers_to_add).toMatchObject([
    { header: { key: "x-keyway-routed", value: "%UPSTREAM_CLUSTER_RAW%" } },
  ]);
});
