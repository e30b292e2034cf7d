// Keyway put into configurations that somebody else wrote.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { expectGolden, runCli, transcript } from "../cli/run.ts";

const ROUTES = "routes: [{service: shop, key: pr-42, to: shop-pr-42}]\n";
const MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

/** A listener as people write one: comments, both styles of YAML, an anchor, quotes and a folded text. */
const LISTENER = `# The shop's listener.
name: web
address: {socket_address: {address: 0.0.0.0, port_value: 80}}   # everywhere
filter_chains:
- filters:
  - name: envoy.filters.network.http_connection_manager
    typed_config:
      '@type': ${MANAGER}
      stat_prefix: 'web'
      http_filters:
      # Limits come first.
      - name: envoy.filters.http.local_ratelimit
        typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit, stat_prefix: all}
      - name: envoy.filters.http.router   # the last
        typed_config: {'@type': ${ROUTER}}
      route_config:
        name: shop
        virtual_hosts:
        - name: shop
          domains: ['*']
          routes:
          # Moved last year.
          - match: {prefix: '/old'}
            redirect: {path_redirect: /new}

          # The basket.
          - name: cart
            match: {path: '/cart', headers: [{name: x-user, present_match: true}]}
            route: &shop {cluster: shop, timeout: 3s, retry_policy: {retry_on: 'on'}}   # slow
          - {match: {prefix: /}, route: *shop}
      access_log:
      - name: envoy.access_loggers.stdout
        typed_config:
          '@type': type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
          log_format:
            text_format_source:
              inline_string: >
                %START_TIME%
                %RESPONSE_CODE%
`;

let folder: string;
let routes: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyway-into-"));
  routes = join(folder, "routes.yaml");
  await writeFile(routes, ROUTES);
});
afterAll(() => rm(folder, { recursive: true }));

const into = (input: string, ...more: string[]) =>
  runCli(["render", "envoy", "-f", routes, "--into", "-", ...more], { input });
const shows = async (name: string, input: string, ...more: string[]) =>
  expectGolden(name, transcript(await into(input, ...more)).replaceAll(`${folder}/`, ""));

const manager = (more: object, filters: object[] = []) => ({
  "@type": MANAGER,
  http_filters: [...filters, { name: "envoy.filters.http.router", typed_config: { "@type": ROUTER } }],
  ...more,
});
const listener = (name: string, typed_config: object) => ({ name, filter_chains: [{ filters: [{ typed_config }] }] });
const plainRoutes = {
  virtual_hosts: [{ name: "shop", routes: [{ match: { prefix: "/" }, route: { cluster: "shop" } }] }],
};
// biome-ignore lint/suspicious/noExplicitAny: what the command prints is looked into at known places.
type Made = any;
const read = async (input: object, ...more: string[]): Promise<Made> => {
  const { out, err, code } = await into(JSON.stringify(input), ...more);
  expect({ code, err }).toMatchObject({ code: 0 });
  return { ...JSON.parse(out), remarks: err };
};
const names = (list: Made[]) => list.map(({ name }) => name);

test("a listener keeps its comments and its style", () => shows("render-envoy-into", LISTENER));

test("put in again, nothing changes", async () => {
  const { out } = await into(LISTENER);
  expect(await into(out)).toEqual({ code: 0, out, err: "" });
  expect(await into(out, "--check")).toEqual({ code: 0, out: "", err: "" });
});

test("what is stale is made anew, and what else was changed by hand stays", async () => {
  const { out } = await into(LISTENER);
  const edited = out.replaceAll("timeout: 3s", "timeout: 4s").replace("FAIL_OPEN", "FAIL_CLOSED");
  const stale = edited.replace("timeout: 4s", "timeout: 3s").replaceAll("shop-pr-42", "shop-pr-7");
  expect((await into(stale)).out).toBe(edited);
});

test("--check prints what would change, and fails", () => shows("render-envoy-into-check", LISTENER, "--check"));

test("twins are the routes that they stand before, whatever the YAML says by an alias", async () => {
  const { routes } = parse((await into(LISTENER)).out).filter_chains[0].filters[0].typed_config.route_config
    .virtual_hosts[0];
  expect(routes).toHaveLength(5);
  expect(routes[1]).toMatchObject({ name: "cart", route: { timeout: "3s", cluster_header: "x-keyway-cluster" } });
  expect(routes[3].route).toEqual({
    timeout: "3s",
    retry_policy: { retry_on: "on" },
    cluster_header: "x-keyway-cluster",
  });
});

describe("line ends stay", () => {
  const windows = (text: string) => text.replaceAll("\n", "\r\n");
  const json = JSON.stringify(listener("web", manager({ route_config: plainRoutes })), null, 2);
  test.each([
    ["YAML from Windows", LISTENER],
    ["JSON from Windows", `${json}\n`],
  ])("%s", async (_, text) => {
    const { out } = await into(windows(text));
    expect(out).toBe(windows((await into(text)).out));
    expect(await into(out)).toEqual({ code: 0, out, err: "" });
  });

  test("JSON without a line end gets none", async () => {
    expect((await into(json)).out).toMatch(/\}$/);
  });
});

describe("JSON", () => {
  test("stays JSON, with its indentation", async () => {
    const text = `${JSON.stringify(listener("web", manager({ route_config: plainRoutes })), null, 4)}\n`;
    const { out } = await into(text);
    expect(out).toBe(`${JSON.stringify(JSON.parse(out), null, 4)}\n`);
    expect(await into(out)).toEqual({ code: 0, out, err: "" });
  });

  test("in lowerCamelCase stays so", async () => {
    const http = { "@type": MANAGER, httpFilters: [{ name: "router" }], routeConfig: { virtualHosts: [] } };
    const made = await read({ name: "web", filterChains: [{ filters: [{ typedConfig: http }] }] });
    const { typedConfig } = made.filterChains[0].filters[0];
    expect(typedConfig.httpFilters[0].typedConfig.config.vmConfig.vmId).toBe("keyway");
    expect(typedConfig.accessLog[0].filter.responseFlagFilter.flags).toContain("NC");
    expect(typedConfig.routeConfig.requestHeadersToRemove).toEqual(["x-keyway-cluster"]);
    expect(JSON.stringify(typedConfig)).not.toMatch(/"[a-z]+_[a-z_]+":/);
  });
});

describe("the filter", () => {
  const filter = (name: string) => ({ name, typed_config: { "@type": `type.googleapis.com/${name}` } });
  const placed = async (...filters: string[]) => {
    const made = await read(listener("web", manager({ route_config: plainRoutes }, filters.map(filter))));
    return names(made.filter_chains[0].filters[0].typed_config.http_filters);
  };

  test("stands behind all that refuses, limits or changes a request, before the router", async () => {
    const first = ["envoy.filters.http.cors", "envoy.filters.http.jwt_authn", "envoy.filters.http.lua"];
    expect(await placed(...first)).toEqual([...first, "keyway", "envoy.filters.http.router"]);
  });

  test("stands before filters that act on the cluster", async () => {
    const proxy = "envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig";
    expect(await placed("envoy.filters.http.rbac", proxy)).toEqual([
      ...["envoy.filters.http.rbac", "keyway", proxy, "envoy.filters.http.router"],
    ]);
  });

  test("stays where it is, and a bucket behind it is told", async () => {
    const limit = { "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit" };
    const route = {
      name: "limited",
      match: { prefix: "/" },
      route: { cluster: "shop" },
      typed_per_filter_config: { limit },
    };
    const routeConfig = { virtual_hosts: [{ name: "shop", routes: [route] }] };
    const before = listener("web", manager({ route_config: routeConfig }, [filter("limit")]));
    expect((await read(before)).remarks).toBe("");
    const made = await read(before);
    const { http_filters } = made.filter_chains[0].filters[0].typed_config;
    http_filters.unshift(...http_filters.splice(1, 1));
    const again = await read(made);
    expect(names(again.filter_chains[0].filters[0].typed_config.http_filters)[0]).toBe("keyway");
    expect(again.remarks).toMatch(
      /route limited: limit stands behind Keyway, so a key gets a second allowance; move limit/,
    );
  });
});

describe("what is not in the file is told by name and place", () => {
  const remarksOf = async (file: object) => (await read(file)).remarks;

  test.each([
    [
      "routes in another file",
      { rds: { route_config_name: "shop", config_source: { path_config_source: { path: "/etc/shop.yaml" } } } },
      "listener web: its routes are in /etc/shop.yaml; run this command on that file, too",
    ],
    [
      "routes of a control plane",
      { rds: { route_config_name: "shop", config_source: { ads: {} } } },
      "listener web: its routes come as shop from a control plane",
    ],
    [
      "scopes of a control plane",
      { scoped_routes: { scoped_rds: {} } },
      "listener web: its routes come from a control plane",
    ],
    [
      "a matcher tree",
      { route_config: { virtual_hosts: [{ name: "tree", matcher: {} }] } },
      "virtual host tree: its routes stand in a matcher tree; its keyed requests go to the baseline",
    ],
    [
      "a plugin",
      {
        route_config: {
          virtual_hosts: [
            { name: "v", routes: [{ name: "lua", match: { prefix: "/" }, route: { cluster_specifier_plugin: "x" } }] },
          ],
        },
      },
      "virtual host v, route lua: a cluster specifier plugin chooses its cluster",
    ],
    [
      "no filters",
      { http_filters: [], route_config: plainRoutes },
      "listener web: it has no HTTP filters, not even a router",
    ],
  ])("%s", async (_, more, said) => {
    expect(await remarksOf(listener("web", manager(more)))).toContain(`standard input:1:`);
    expect(await remarksOf(listener("web", manager(more)))).toContain(said);
  });

  test("a connection manager in a TypedStruct", async () => {
    const struct = { "@type": "type.googleapis.com/xds.type.v3.TypedStruct", type_url: MANAGER, value: {} };
    expect(await remarksOf(listener("web", struct))).toContain("listener web: a connection manager in a TypedStruct");
  });

  test("a cluster that the file does not have", async () => {
    const listeners = [listener("web", manager({ route_config: plainRoutes }))];
    const file = { static_resources: { listeners, clusters: [{ name: "shop" }] } };
    expect(await remarksOf(file)).toContain("no cluster shop-pr-42, which a route names");
    expect(await remarksOf({ ...file, dynamic_resources: { cds_config: { ads: {} } } })).toBe("");
  });
});

describe("files of other kinds", () => {
  const type = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";
  test.each([
    [
      "a file of routes for RDS",
      { resources: [{ "@type": type, name: "r", ...plainRoutes }] },
      (made: Made) => made.resources[0],
    ],
    ["a route configuration alone", plainRoutes, (made: Made) => made],
    [
      "routes in scopes",
      listener(
        "web",
        manager({
          scoped_routes: {
            scoped_route_configurations_list: { scoped_route_configurations: [{ route_configuration: plainRoutes }] },
          },
        }),
      ),
      (made: Made) =>
        made.filter_chains[0].filters[0].typed_config.scoped_routes.scoped_route_configurations_list
          .scoped_route_configurations[0].route_configuration,
    ],
  ])("%s", async (_, file, found) => {
    const made = found(await read(file));
    expect(made.request_headers_to_remove).toEqual(["x-keyway-cluster"]);
    expect(made.virtual_hosts[0].routes).toHaveLength(2);
  });

  test.each([
    ["nothing", "", "standard input:1:1: it is empty"],
    ["another file", "a: 1\n", "standard input:1:1: no HTTP connection manager and no route configuration in it"],
    ["what is not YAML", "a: [1\nb: 2\n", "standard input:2:1: not YAML: "],
    ["two documents", "a: 1\n---\nb: 2\n", "a second document, and one is read"],
  ])("%s is an error with a place", async (_, text, said) => {
    const { code, out, err } = await into(text);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(said);
  });
});

describe("parts of a file", () => {
  const both = [
    listener("web", manager({ route_config: plainRoutes })),
    listener(
      "admin",
      manager({
        route_config: {
          virtual_hosts: [...plainRoutes.virtual_hosts, { name: "api", routes: plainRoutes.virtual_hosts[0]?.routes }],
        },
      }),
    ),
  ];
  const file = { static_resources: { listeners: both } };

  test("one listener", async () => {
    const [web, admin] = (await read(file, "--listener", "web")).static_resources.listeners;
    expect(admin).toEqual(both[1]);
    expect(web).not.toEqual(both[0]);
  });

  test("one virtual host", async () => {
    const { listeners } = (await read(file, "--listener", "admin", "--virtual-host", "api")).static_resources;
    const [shop, api] = listeners[1].filter_chains[0].filters[0].typed_config.route_config.virtual_hosts;
    expect(shop.routes).toHaveLength(1);
    expect(api.routes).toHaveLength(2);
  });

  test.each([
    ["--listener", "the file has no listener wbe", "it has web, admin"],
    ["--virtual-host", "the file has no virtual host wbe", "it has shop, api"],
  ])("%s with a name that is not there", async (flag, what, next) => {
    const { code, err } = await into(JSON.stringify(file), flag, "wbe");
    expect(code).toBe(2);
    expect(err).toContain(what);
    expect(err).toContain(next);
  });
});

describe("a live table", () => {
  const file = (clusters?: object[]) => ({
    static_resources: {
      listeners: [listener("web", manager({ route_config: plainRoutes }))],
      ...(clusters && { clusters }),
    },
  });
  const shop = [{ name: "shop" }, { name: "shop-pr-42" }];
  const table = ["--table", "routes.example.com:8700", "--table", "10.0.0.7:8700", "--table-scope", "demo/shop"];
  const configuration = (made: Made) =>
    JSON.parse(
      made.static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters[0].typed_config.config
        .configuration.value,
    );
  const addresses = (cluster: Made) =>
    cluster.load_assignment.endpoints[0].lb_endpoints.map(
      ({ endpoint }: Made) =>
        `${endpoint.address.socket_address.address}:${endpoint.address.socket_address.port_value}`,
    );

  test("has its place in the configuration, and a cluster of its servers", async () => {
    const made = await read(file(shop), ...table);
    expect(made.remarks).toBe("");
    expect(configuration(made).table).toEqual({
      cluster: "keyway",
      authority: "routes.example.com:8700",
      scope: "demo/shop",
    });
    const { clusters } = made.static_resources;
    expect(names(clusters)).toEqual(["shop", "shop-pr-42", "keyway"]);
    expect(clusters[2]).toMatchObject({ type: "STRICT_DNS", connect_timeout: "1s" });
    expect(addresses(clusters[2])).toEqual(["routes.example.com:8700", "10.0.0.7:8700"]);
    const { out } = await into(JSON.stringify(file(shop)), ...table);
    expect(await into(out, ...table)).toEqual({ code: 0, out, err: "" });
    expect(names((await read(file(), ...table)).static_resources.clusters)).toEqual(["keyway"]);
  });

  test("whose server has moved keeps what somebody else has said of the cluster", async () => {
    const tls = { name: "envoy.transport_sockets.tls" };
    const made = await read(
      file([...shop, { name: "keyway", connect_timeout: "9s", transport_socket: tls }]),
      ...table,
    );
    const { clusters } = made.static_resources;
    expect(names(clusters)).toEqual(["shop", "shop-pr-42", "keyway"]);
    expect(clusters[2]).toMatchObject({ type: "STRICT_DNS", connect_timeout: "9s", transport_socket: tls });
    expect(addresses(clusters[2])[0]).toBe("routes.example.com:8700");
  });

  test("in a file without clusters is told", async () => {
    const { out, err } = await into(LISTENER, "--table", "10.0.0.7:8700");
    expect(out).toContain('"table": {"cluster":"keyway","authority":"10.0.0.7:8700"}');
    expect(err).toMatch(/standard input:\d+:\d+: no clusters in this file: put what `--part cluster` prints/);
  });

  test("needs no route file; its token shows in the configuration and never in a difference", async () => {
    const token = join(folder, "token");
    await writeFile(token, "s3cret-token\n");
    const input = JSON.stringify(file(shop), null, 2);
    const args = ["render", "envoy", "--into", "-", "--table", "[::1]:8700", "--table-token-file", token];
    const { code, out } = await runCli(args, { input });
    expect(code).toBe(0);
    expect(configuration(JSON.parse(out))).toMatchObject({
      routes: [],
      table: { cluster: "keyway", authority: "[::1]:8700", token: "s3cret-token" },
    });
    const check = await runCli([...args, "--check"], { input });
    expect(check.code).toBe(1);
    expect(check.out).toContain("***");
    expect(check.out + check.err).not.toContain("s3cret");
  });

  test.each([
    ["a scope without a server", ["--table-scope", "a"], "--table is missing"],
    ["a token without a server", ["--table-token-file", "a"], "--table is missing"],
    ["its cluster without a server", ["--part", "cluster"], "--table is missing"],
    ["no server's address", ["--table", "routes"], "expected HOST:PORT"],
    ["a scope that is too long", ["--table", "a:1", "--table-scope", "a".repeat(4097)], "longer than 4096 bytes"],
  ])("%s is wrong usage", async (_, args, said) => {
    const { code, err } = await runCli(["render", "envoy", "-f", routes, ...args]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(said) });
  });
});

test("what routed answers say", async () => {
  const answers = async (...flags: string[]) => {
    const made = await read(plainRoutes, ...flags);
    const [{ response_headers_to_add = [] }] = made.virtual_hosts[0].routes;
    return response_headers_to_add.map(({ header }: { header: { key: string } }) => header.key);
  };
  expect(await answers()).toEqual(["x-keyway-served"]);
  expect(await answers("--no-served")).toEqual([]);
  expect(await answers("--edge")).toEqual(["cache-control"]);
  expect(await answers("--edge", "--served")).toEqual(["x-keyway-served", "cache-control"]);
  expect(await answers("--edge", "--cacheable")).toEqual([]);
});

test("a whole configuration can't be asked for at once", async () => {
  expect(await into(LISTENER, "--admin", "127.0.0.1:9901")).toMatchObject({ code: 2, out: "" });
  expect(await runCli(["render", "envoy", "-f", routes, "--check"])).toMatchObject({ code: 2 });
});
