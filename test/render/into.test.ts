// Keyway put into configurations that somebody else wrote.
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { runCli } from "../cli/run.ts";
import { into, LISTENER, listener, MANAGER, manager, names, plainRoutes, read, routes, shows } from "./into-bed.ts";

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
