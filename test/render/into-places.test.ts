// What is told of configurations in which something is missing, or that are something else.
import { describe, expect, test } from "vitest";
import { into, listener, MANAGER, type Made, manager, plainRoutes, read } from "./into-bed.ts";

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
