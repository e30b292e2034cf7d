import { expect, test } from "vitest";
import { editsOf } from "../../installer/manifests/edits.ts";
import { envoyFilter } from "../../installer/manifests/envoyfilter.ts";
import { type Installation, readInstallation } from "../../installer/manifests/installation.ts";
import { PREVIOUS_ANNOTATION } from "../../installer/manifests/names.ts";
import { previousOf } from "../../installer/manifests/previous.ts";
import { wasmPlugin } from "../../installer/manifests/wasmplugin.ts";
import { nextVersion } from "../../installer/plan/versions.ts";
import { diffObjects } from "../../installer/print/diff.ts";

const NOW = new Date("2026-03-01T12:00:00Z");

const installation: Installation = {
  name: "keyway",
  namespace: "demo",
  mode: "inbound",
  scope: { labels: { app: "reviews" } },
  module: `oci://registry.example.com/keyway@sha256:${"a".repeat(64)}`,
  version: 1_700_000_000,
  config: {
    keys: ["signadot"],
    routes: [{ from: "inbound|9080||", key: "pr-42", to: "outbound|9080||x.demo.svc.cluster.local" }],
  },
  failStrategy: "FAIL_OPEN",
  priority: 10,
};

test("a plugin tells the installation that it was made from", () => {
  const gateway: Installation = {
    ...installation,
    mode: "gateway",
    scope: { gateway: "public" },
    phase: "AUTHZ",
    pullSecret: "pull",
  };
  for (const one of [installation, gateway]) expect(readInstallation(wasmPlugin(one))).toEqual(one);
});

test.each([
  ["inbound", "SERVER", ["SIDECAR_INBOUND"]],
  ["outbound", "CLIENT", ["SIDECAR_OUTBOUND", "GATEWAY"]],
  ["both", "CLIENT_AND_SERVER", ["SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY"]],
  ["gateway", "CLIENT", ["SIDECAR_OUTBOUND", "GATEWAY"]],
] as const)("%s, the plugin stands where its routes do", (mode, matched, contexts) => {
  const { metadata, spec } = wasmPlugin({ ...installation, mode });
  expect(spec?.match).toEqual([{ mode: matched }]);
  const patches = envoyFilter({ ...installation, mode }).spec?.configPatches ?? [];
  expect([...new Set(patches.map(({ match }) => match?.context))]).toEqual(contexts);
  // Somebody may have taken the annotation off.
  const bare = { ...wasmPlugin({ ...installation, mode }), metadata: { ...metadata, annotations: {} } };
  expect(readInstallation(bare).mode).toBe(mode === "gateway" ? "outbound" : mode);
});

test("the module is pinned twice, by its URL and by sha256", () => {
  const { spec } = wasmPlugin(installation);
  expect(spec).toMatchObject({
    url: installation.module,
    sha256: "a".repeat(64),
    pluginName: "keyway",
    failStrategy: "FAIL_OPEN",
  });
});

const patchValue = <Value>(patch: { value?: unknown } | undefined) => patch?.value as Value;

test.each(["inbound", "outbound", "both", "gateway"] as const)(
  "%s, every route has both guards, no timeout, and keeps the selection to itself",
  (mode) => {
    const patches = envoyFilter({ ...installation, mode }).spec?.configPatches ?? [];
    const routes = patches.filter(({ applyTo }) => applyTo === "HTTP_ROUTE");
    expect(routes.length).toBe({ inbound: 2, outbound: 4, both: 6, gateway: 4 }[mode]);
    for (const { patch } of routes) {
      expect(patch?.operation).toBe("INSERT_FIRST");
      expect(patch?.value).toMatchObject({
        match: {
          headers: [{ name: "x-keyway-cluster", present_match: true }],
          filter_state: [{ key: "wasm.keyway", string_match: { prefix: "routed" } }],
        },
        route: {
          cluster_header: "x-keyway-cluster",
          timeout: "0s",
          retry_policy: { retry_on: expect.stringContaining("retriable-status-codes") },
        },
        request_headers_to_add: [{ header: { key: "x-keyway-routed", value: "%REQ(x-keyway-cluster)%" } }],
      });
    }
    const matches = routes.map(({ patch }) => patchValue<{ match: object }>(patch).match);
    expect(matches.filter((match) => "prefix" in match)).toHaveLength(routes.length / 2);
    expect(matches.filter((match) => "connect_matcher" in match)).toHaveLength(routes.length / 2);
    const removals = patches.filter(({ applyTo }) => applyTo === "ROUTE_CONFIGURATION");
    expect(removals.map(({ match }) => match?.context)).toEqual([
      ...new Set(routes.map(({ match }) => match?.context)),
    ]);
    for (const { patch } of removals)
      expect(patch).toEqual({ operation: "MERGE", value: { request_headers_to_remove: ["x-keyway-cluster"] } });
  },
);

const answersOf = (more: Partial<Installation>, context: string) =>
  envoyFilter({ ...installation, mode: "gateway", ...more })
    .spec?.configPatches?.filter(({ applyTo, match }) => applyTo === "HTTP_ROUTE" && match?.context === context)
    .flatMap(
      ({ patch }) => patchValue<{ response_headers_to_add?: { header: object }[] }>(patch).response_headers_to_add,
    )
    .map((added) => added?.header);

const SERVED = { key: "x-keyway-served", value: "%REQ(x-keyway-routed)%" };
const NO_STORE = { key: "cache-control", value: "no-store" };

test("routed answers name their target inside the mesh, and stay out of caches at its edge, unless a person says otherwise", () => {
  expect(answersOf({}, "SIDECAR_OUTBOUND")).toEqual([SERVED, SERVED]);
  expect(answersOf({}, "GATEWAY")).toEqual([NO_STORE, NO_STORE]);
  expect(answersOf({ served: true }, "GATEWAY")).toEqual([SERVED, NO_STORE, SERVED, NO_STORE]);
  expect(answersOf({ served: false }, "SIDECAR_OUTBOUND")).toEqual([undefined, undefined]);
  expect(answersOf({ cacheable: true }, "GATEWAY")).toEqual([undefined, undefined]);
});

test("where there are links, the routes of every context set their cookie and keep their answers out of caches", () => {
  const cookie = { key: "set-cookie", value: "%FILTER_STATE(wasm.keyway_link:PLAIN)%" };
  const linkCache = { key: "cache-control", value: "%FILTER_STATE(wasm.keyway_link_cache:PLAIN)%" };
  const answers = (link: unknown, context: string, more = {}) =>
    answersOf({ config: { ...installation.config, link }, ...more }, context)?.slice(0, 3);
  for (const link of [true, {}, { query: "p" }]) {
    expect(answers(link, "GATEWAY")?.slice(0, 2)).toEqual([NO_STORE, cookie]);
    expect(answers(link, "GATEWAY", { cacheable: true })?.slice(0, 2)).toEqual([linkCache, cookie]);
    expect(answers(link, "SIDECAR_OUTBOUND")).toEqual([SERVED, linkCache, cookie]);
  }
  expect(answers(false, "GATEWAY")).toEqual([NO_STORE, NO_STORE]);
});

test("what a person says of routed answers stands in the plugin, for the next upgrade", () => {
  const said = { ...installation, served: false, cacheable: true };
  expect(readInstallation(wasmPlugin(said))).toEqual(said);
});

test("the watcher stands in the access logs of every context, in the plugin's VM namespace and for missing targets alone", () => {
  const patches = envoyFilter({ ...installation, mode: "outbound" }, { watcher: "AGFzbQ==" }).spec?.configPatches ?? [];
  const watchers = patches.filter(({ applyTo }) => applyTo === "NETWORK_FILTER");
  expect(watchers.map(({ match }) => match?.context)).toEqual(["SIDECAR_OUTBOUND", "GATEWAY"]);
  for (const { patch } of watchers) {
    const { access_log } = patchValue<{ typed_config: { access_log: object[] } }>(patch).typed_config;
    expect(access_log).toMatchObject([
      {
        filter: { response_flag_filter: { flags: expect.arrayContaining(["NC", "UH"]) } },
        typed_config: {
          config: { root_id: "keyway", vm_config: { code: { local: { inline_bytes: "AGFzbQ==" } } } },
        },
      },
    ]);
    expect(JSON.stringify(access_log)).not.toContain("vm_id");
  }
  expect(envoyFilter(installation).spec?.configPatches?.some(({ applyTo }) => applyTo === "NETWORK_FILTER")).toBe(
    false,
  );
});

test("an unchanged installation keeps its version and what it keeps behind it", () => {
  const { version, ...desired } = installation;
  const next = nextVersion(desired, installation, "kept", { now: NOW });
  expect(next.installation.version).toBe(version);
  expect(next.plugin.metadata?.annotations?.[PREVIOUS_ANNOTATION]).toBe("kept");
});

test("a changed one gets a later version, even within one second, and keeps the one before", () => {
  const { version: _, ...desired } = { ...installation, priority: 3 };
  expect(nextVersion(desired, installation, undefined, { now: NOW }).installation.version).toBe(NOW.getTime() / 1000);
  const early = nextVersion(desired, installation, undefined, { now: new Date(0) });
  expect(early.installation.version).toBe(installation.version + 1);
  expect(previousOf(early.plugin)).toEqual(installation);
});

test("a version that is too large for an annotation is given up, and said to be", () => {
  const random = Array.from({ length: 12_000 }, (_, index) => ({
    from: "*",
    key: `${index}-${Math.sin(index)}`,
    to: `${Math.cos(index)}`,
  }));
  const huge = { ...installation, config: { routes: random } };
  const { version: _, ...desired } = installation;
  const next = nextVersion(desired, huge, undefined, { now: NOW });
  expect(next.canRollBack).toBe(false);
  expect(previousOf(next.plugin)).toBeUndefined();
});

test("a damaged version before is told, not guessed", () => {
  const plugin = wasmPlugin(installation);
  const annotations = { ...plugin.metadata?.annotations, [PREVIOUS_ANNOTATION]: "bm9uc2Vuc2U=" };
  expect(() => previousOf({ ...plugin, metadata: { ...plugin.metadata, annotations } })).toThrow(/is damaged/);
});

test("edits are the fields that others than keyway have written, status apart", () => {
  const written = (manager: string, fieldsV1: object, subresource?: string) => ({ manager, fieldsV1, subresource });
  const managedFields = [
    written("keyway", { "f:spec": { "f:url": {} } }),
    written("pilot-discovery", { "f:status": { "f:conditions": {} } }, "status"),
    written("kubectl-edit", {
      "f:spec": { "f:match": {}, "f:pluginConfig": { "f:routes": {} } },
      "f:metadata": { "f:labels": { ".": {}, "f:team": {} } },
    }),
  ];
  expect(editsOf({ metadata: { managedFields } })).toEqual([
    { manager: "kubectl-edit", fields: ["spec.match", "spec.pluginConfig.routes", "metadata.labels.team"] },
  ]);
});

test("a diff shows what changes with a little around it, and nothing when nothing does", () => {
  const plugin = wasmPlugin(installation);
  expect(diffObjects(plugin, plugin, "it")).toBe("");
  const changed = diffObjects(plugin, wasmPlugin({ ...installation, priority: 3 }), "it");
  expect(changed.split("\n").filter((line) => /^[-+] /.test(line))).toEqual(["-   priority: 10", "+   priority: 3"]);
  expect(diffObjects(undefined, plugin, "it")).toContain("+ kind: WasmPlugin");
});
