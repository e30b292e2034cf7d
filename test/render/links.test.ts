// What `render` puts around the filter where a route file has links.
import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { runCli } from "../cli/run.ts";

const FILE = "link: {query: preview}\nroutes: [{service: shop:80, key: pr-42, to: shop-pr-42:80}]\n";
const COOKIE = {
  header: { key: "set-cookie", value: "%FILTER_STATE(wasm.keyway_link:PLAIN)%" },
  append_action: "APPEND_IF_EXISTS_OR_ADD",
};
const MODULE = `oci://registry.example/keyway@sha256:${"0".repeat(64)}`;
const render = async (...flags: string[]) => (await runCli(["render", ...flags, "-f", "-"], { input: FILE })).out;

test("a plain Envoy's twin sets the cookie, its route does not, and the filter has the settings", async () => {
  const text = await render("envoy", "--edge");
  const { route_config, http_filters } =
    parse(text).static_resources.listeners[0].filter_chains[0].filters[0].typed_config;
  const [twin, route] = route_config.virtual_hosts[0].routes;
  expect(twin.response_headers_to_add).toContainEqual(COOKIE);
  expect(route.response_headers_to_add).toBeUndefined();
  expect(JSON.parse(http_filters[0].typed_config.config.configuration.value).link).toEqual({ query: "preview" });
});

test("so do the guards of --part route", async () => {
  for (const guard of parse(await render("envoy", "--part", "route")))
    expect(guard.response_headers_to_add).toContainEqual(COOKIE);
});

test("so do the routes of an installation, whose plugin has the settings", async () => {
  const text = await render("istio", "--target-ref", "gateway/public", "-n", "demo", "--module", MODULE);
  const documents = parseAllDocuments(text).map((one) => one.toJS());
  const plugin = documents.find(({ kind }) => kind === "WasmPlugin");
  expect(plugin.spec.pluginConfig.link).toEqual({ query: "preview" });
  const filter = documents.find(({ kind }) => kind === "EnvoyFilter");
  const routes = filter.spec.configPatches.filter(({ applyTo }: { applyTo: string }) => applyTo === "HTTP_ROUTE");
  expect(routes.length).toBeGreaterThan(0);
  for (const { patch } of routes) expect(patch.value.response_headers_to_add).toContainEqual(COOKIE);
});
