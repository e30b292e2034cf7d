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

test("the module is pinned twice, by its URL and by sha256", () => {
  const { spec } = wasmPlugin(installation);
  expect(spec).toMatchObject({
    url: installation.module,
    sha256: "a".repeat(64),
    pluginName: "keyway",
    failStrategy: "FAIL_OPEN",
  });
});

test.each(["inbound", "outbound", "gateway"] as const)(
  "%s, every route has both guards, no timeout, and keeps the selection to itself",
  (mode) => {
    const patches = envoyFilter({ ...installation, mode }).spec?.configPatches ?? [];
    expect(patches.length).toBe(mode === "inbound" ? 1 : 2);
    for (const { applyTo, patch } of patches) {
      expect([applyTo, patch?.operation]).toEqual(["HTTP_ROUTE", "INSERT_FIRST"]);
      expect(patch?.value).toMatchObject({
        match: {
          prefix: "/",
          headers: [{ name: "x-keyway-cluster", present_match: true }],
          filter_state: [{ key: "wasm.keyway", string_match: { prefix: "routed" } }],
        },
        route: { cluster_header: "x-keyway-cluster", timeout: "0s" },
        request_headers_to_remove: ["x-keyway-cluster"],
      });
    }
  },
);

test("an unchanged installation keeps its version and what it keeps behind it", () => {
  const { version, ...draft } = installation;
  const next = nextVersion(draft, installation, "kept", { now: NOW });
  expect(next.installation.version).toBe(version);
  expect(next.plugin.metadata?.annotations?.[PREVIOUS_ANNOTATION]).toBe("kept");
});

test("a changed one gets a later version, even within one second, and keeps the one before", () => {
  const { version: _, ...draft } = { ...installation, priority: 3 };
  expect(nextVersion(draft, installation, undefined, { now: NOW }).installation.version).toBe(NOW.getTime() / 1000);
  const early = nextVersion(draft, installation, undefined, { now: new Date(0) });
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
  const { version: _, ...draft } = installation;
  const next = nextVersion(draft, huge, undefined, { now: NOW });
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
