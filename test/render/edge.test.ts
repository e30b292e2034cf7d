// What `render` puts around the filter where a route file says which keys are taken from outside.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { TRACE_HEADERS } from "../../routes/model/model.ts";
import { runCli } from "../cli/run.ts";

const file = (edge: string) => `edge: ${edge}\nroutes: [{service: shop:80, key: pr-42, to: shop-pr-42:80}]\n`;
const REMOVAL = {
  name: "keyway.trace_ids",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
    mutations: TRACE_HEADERS.map((remove) => ({ remove })),
  },
};
const MODULE = `oci://registry.example/keyway@sha256:${"0".repeat(64)}`;
const render = (edge: string, ...flags: string[]) => runCli(["render", ...flags, "-f", "-"], { input: file(edge) });

test.each([
  ["{accept: none}", true],
  ["{accept: none, traces: keep}", false],
  ["{accept: any}", false],
  ["{accept: any, traces: remove}", true],
])("a plain Envoy with edge: %s takes trace ids off before its tracer reads them: %s", async (edge, removes) => {
  const manager = parse((await render(edge, "envoy")).out).static_resources.listeners[0].filter_chains[0].filters[0]
    .typed_config;
  expect(manager.early_header_mutation_extensions).toEqual(removes ? [REMOVAL] : undefined);
  expect(JSON.parse(manager.http_filters[0].typed_config.config.configuration.value).edge).toEqual(parse(edge));
});

const CAMEL = `resources:
  - "@type": type.googleapis.com/envoy.config.listener.v3.Listener
    name: web
    filterChains:
      - filters:
          - name: http
            typedConfig:
              "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
              statPrefix: web
              earlyHeaderMutationExtensions:
                # somebody's own
                - {name: own, typedConfig: {"@type": type.googleapis.com/x}}
              httpFilters: [{name: envoy.filters.http.router}]
              routeConfig: {virtualHosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: shop}}]}]}
`;

test("in a file that exists the removal is added once, beside what is there, and goes when it is not asked for", async () => {
  const folder = await mkdtemp(join(tmpdir(), "keyway-edge-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const into = async (text: string, edge: string) => {
    await writeFile(join(folder, "lds.yaml"), text);
    return (await render(edge, "envoy", "--into", join(folder, "lds.yaml"))).out;
  };
  const extensions = (text: string) =>
    parse(text).resources[0].filterChains[0].filters[0].typedConfig.earlyHeaderMutationExtensions;
  const before = await into(CAMEL, "{accept: any}");
  expect(extensions(before)).toHaveLength(1);
  const once = await into(before, "{accept: none}");
  expect(extensions(once).map(({ name }: { name: string }) => name)).toEqual(["own", "keyway.trace_ids"]);
  expect(extensions(once)[1].typedConfig.mutations).toEqual(REMOVAL.typed_config.mutations);
  expect(once).toContain("# somebody's own");
  expect(await into(once, "{accept: none}")).toBe(once);
  expect(await into(once, "{accept: any}")).toBe(before);
});

test("at a gateway the EnvoyFilter takes them off, at gateways alone, and the plugin has the settings", async () => {
  const documents = async (edge: string) => {
    const { out } = await render(edge, "istio", "--target-ref", "gateway/public", "-n", "demo", "--module", MODULE);
    return parseAllDocuments(out).map((one) => one.toJS());
  };
  const made = await documents("{accept: none}");
  expect(made.find(({ kind }) => kind === "WasmPlugin").spec.pluginConfig.edge).toEqual({ accept: "none" });
  const patches = (
    all: {
      kind: string;
      spec: {
        configPatches: {
          applyTo: string;
          match: { context: string };
          patch: { value: { typed_config: Record<string, unknown> } };
        }[];
      };
    }[],
  ) =>
    all
      .filter(({ kind }) => kind === "EnvoyFilter")
      .flatMap(({ spec }) => spec.configPatches)
      .filter(
        ({ applyTo, patch }) =>
          applyTo === "NETWORK_FILTER" && patch.value.typed_config.early_header_mutation_extensions,
      );
  expect(patches(made as never)).toMatchObject([
    {
      match: { context: "GATEWAY" },
      patch: { operation: "MERGE", value: { typed_config: { early_header_mutation_extensions: [REMOVAL] } } },
    },
  ]);
  expect(patches((await documents("{accept: any}")) as never)).toEqual([]);
});

test.each([
  ["{accept: none}", "inbound", true],
  ["{accept: none}", "both", true],
  ["{accept: none}", "gateway", false],
  ["{accept: any}", "inbound", false],
])("edge: %s in mode %s is told of where it takes off what comes from inside: %s", async (edge, mode, told) => {
  const { err, code } = await render(edge, "istio", "-l", "app=shop", "--mode", mode, "-n", "demo", "--module", MODULE);
  expect([code, err.includes("edge.accept none takes")]).toEqual([0, told]);
});

describe("ids of traces that are taken off inside of a mesh are told", () => {
  const told = async (edge: string, keys: string, mode: string) => {
    const input = `keys: ${keys}\n${file(edge)}`;
    const how = ["-l", "app=shop", "--mode", mode, "-n", "demo", "--module", MODULE];
    const { err } = await runCli(["render", "istio", "-f", "-", ...how], { input });
    return err.split("\n").filter((line) => line.includes("ids of traces"));
  };
  const TRACED = "[header:x-routing-key, trace]";

  test.each(["inbound", "outbound", "both"])("in mode %s, with what becomes of the memory", async (mode) => {
    expect(await told("{accept: any, traces: remove}", TRACED, mode)).toEqual([
      "‼ edge.traces remove takes the ids of traces off, all but x-request-id, also those of your own services, so their " +
        "traces end here, and `trace` among the keys gives keys back by x-request-id alone; say `traces: keep`",
    ]);
    expect(await told("{accept: none}", "[header:x-routing-key]", mode)).toEqual([
      "‼ edge.accept none without `traces: keep` takes the ids of traces off, all but x-request-id, also those of your own " +
        "services, so their traces end here; say `traces: keep`",
    ]);
  });

  test("and not where they are kept, nor at gateways", async () => {
    expect(await told("{accept: any}", TRACED, "both")).toEqual([]);
    expect(await told("{accept: none, traces: keep}", TRACED, "both")).toEqual([]);
    expect(await told("{accept: any, traces: remove}", TRACED, "gateway")).toEqual([]);
  });
});

test.each([
  ["istio", ["-n", "demo", "--module", MODULE]],
  ["envoy", []],
])("render %s tells of a route that has ended, and renders it", async (kind, flags) => {
  const route = "{service: shop:80, key: pr-42, to: shop-pr-42:80, expires: 2001-01-01T00:00:00Z}";
  const input = `routes:\n  - ${route.replace("2001", "2999").replace("pr-42,", "pr-1,")}\n  - ${route}\n`;
  const { code, out, err } = await runCli(["render", kind, "-f", "-", ...flags], { input });
  expect(code).toBe(0);
  expect(out).toContain("2001-01-01T00:00:00Z");
  const told = err.split("\n").filter((line) => line.includes("has passed"));
  expect(told).toEqual([
    "‼ standard input:3:55: routes[1].expires: 2001-01-01T00:00:00Z has passed, so proxies ignore the route",
  ]);
});
