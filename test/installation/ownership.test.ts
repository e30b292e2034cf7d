// What is Keyway's, whatever GitOps tools write on it; and what counts as an edit.
import { afterEach, beforeEach, expect, test } from "vitest";
import { installedNames, readLive } from "../../installer/lifecycle/installed.ts";
import { problemsOf, statusOf } from "../../installer/lifecycle/status.ts";
import { envoyFilter } from "../../installer/manifests/envoyfilter.ts";
import { wasmPlugin } from "../../installer/manifests/wasmplugin.ts";
import { keyOf } from "../double/handle.ts";
import type { Stored } from "../double/store.ts";
import { desired, type Fleet, filterKey, pluginKey, put, startFleet, stored } from "./fleet.ts";

let fleet: Fleet;
beforeEach(async () => {
  fleet = await startFleet();
});
afterEach(() => fleet.close());

const status = async () => {
  const signal = new AbortController().signal;
  return statusOf({ cluster: fleet.cluster, namespace: "demo", istioNamespace: "istio-system", signal });
};

const installation = { ...desired, version: 1_800_000_000 };

function applyAs(manager: string, ...objects: object[]): void {
  for (const object of objects as Stored[]) {
    fleet.server.store.apply(keyOf(object), object, { manager, force: false, operation: "Apply" }, false);
  }
}

test("objects that Argo CD applies as they were rendered, with its own instance label, are an installation without edits", async () => {
  const tracked = [wasmPlugin(installation), envoyFilter(installation)].map((object) => {
    const labels = { ...object.metadata?.labels, "app.kubernetes.io/instance": "shop-staging" };
    return { ...object, metadata: { ...object.metadata, labels } };
  });
  applyAs("argocd-controller", ...tracked);
  const [found] = await status();
  expect(found?.name).toBe("keyway");
  expect(found && problemsOf(found)).toEqual([]);
  expect((await readLive(fleet.cluster, "demo", "keyway")).installation).toEqual(installation);
});

test("a tool that only relabels what keyway installed has edited nothing", async () => {
  await put(fleet);
  const labels = { "app.kubernetes.io/instance": "shop-staging" };
  fleet.server.edit("argocd-controller", { ...pluginKey, metadata: { ...pluginKey.metadata, labels } });
  const [found] = await status();
  expect(found && problemsOf(found)).toEqual([]);
});

test("an edit on top of what was rendered is told, with its editor", async () => {
  applyAs("argocd-controller", wasmPlugin(installation), envoyFilter(installation));
  fleet.server.edit("kubectl-edit", { ...pluginKey, spec: { priority: 77 } });
  const [found] = await status();
  expect(found && problemsOf(found)).toEqual(["WasmPlugin demo/keyway was edited by kubectl-edit: spec.priority"]);
});

test("an installation with the old labels alone is known, and gets the new one with the next change", async () => {
  const old = [wasmPlugin(installation), envoyFilter(installation)].map((object) => {
    const { "keyway.dev/installation": _, ...labels } = object.metadata?.labels ?? {};
    return { ...object, metadata: { ...object.metadata, labels } };
  });
  applyAs("keyway", ...old);
  expect(await installedNames(fleet.cluster, "demo")).toEqual(["keyway"]);
  await put(fleet, { ...desired, priority: 20 });
  for (const key of [pluginKey, filterKey])
    expect(stored(fleet, key)?.metadata.labels).toMatchObject({ "keyway.dev/installation": "keyway" });
});

test("an object that bears the name of another installation is not ours", async () => {
  const plugin = wasmPlugin(installation);
  const labels = { ...plugin.metadata?.labels, "keyway.dev/installation": "another" };
  applyAs("keyway", { ...plugin, metadata: { ...plugin.metadata, labels } });
  await expect(put(fleet)).rejects.toThrow(/keyway did not make it/);
});
