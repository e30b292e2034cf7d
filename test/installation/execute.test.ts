// What an installation does to the cluster, and what it leaves behind when something stops it.
import { afterEach, beforeEach, expect, test } from "vitest";
import { removeOwned } from "../../installer/execute/apply.ts";
import { readLive } from "../../installer/lifecycle/installed.ts";
import { readInstallation } from "../../installer/manifests/installation.ts";
import { previousOf } from "../../installer/manifests/previous.ts";
import { runCli } from "../cli/run.ts";
import { admissionRefusal, namespaceTerminating } from "../double/faults.ts";
import { desired, type Fleet, filterKey, pluginKey, put, putOver, startFleet, stored } from "./fleet.ts";

let fleet: Fleet;
beforeEach(async () => {
  fleet = await startFleet();
});
afterEach(() => fleet.close());

const writes = () => fleet.server.requests.filter((one) => /^(PATCH|DELETE)/.test(one) && !one.includes("dryRun"));

test("everything is tried before the first write", async () => {
  expect((await put(fleet)).map(({ outcome }) => outcome)).toEqual(["created", "created"]);
  const [first, second] = fleet.server.requests.filter((one) => one.startsWith("PATCH"));
  expect([first, second]).toEqual([expect.stringContaining("dryRun=All"), expect.stringContaining("dryRun=All")]);
  expect(writes()).toHaveLength(2);
});

test.each([
  ["a namespace that is being deleted", namespaceTerminating("wasmplugins.extensions.istio.io", "keyway", "demo")],
  ["a policy", admissionRefusal("denied: no plugins on Fridays", 403)],
  ["a validating policy", admissionRefusal("denied: no plugins on Fridays")],
])("%s refuses the plugin: nothing was written, and the server's own reason is told", async (_, refusal) => {
  fleet.server.faults.add(/^PATCH .*wasmplugins/, refusal, 9);
  await expect(put(fleet)).rejects.toThrow(/being terminated|no plugins on Fridays/);
  expect(writes()).toEqual([]);
  expect(stored(fleet, filterKey)).toBeUndefined();
});

test("what is refused only in earnest takes back what was made before it", async () => {
  fleet.server.faults.add(/^PATCH .*wasmplugins(?!.*dryRun)/, admissionRefusal("quota exceeded"));
  await expect(put(fleet)).rejects.toThrow(/quota exceeded/);
  expect(stored(fleet, filterKey)).toBeUndefined();
});

test("an upgrade that is refused half-way puts the EnvoyFilter back as it was", async () => {
  await put(fleet);
  const before = stored(fleet, filterKey)?.spec;
  fleet.server.faults.add(/^PATCH .*wasmplugins(?!.*dryRun)/, admissionRefusal("quota exceeded"));
  await expect(put(fleet, { ...desired, scope: { labels: {} } })).rejects.toThrow(/quota exceeded/);
  expect(stored(fleet, filterKey)?.spec).toEqual(before);
});

test("a watcher that a proxy refuses is taken off again, and the proxy's reason is told", async () => {
  fleet.refusesWatcher = true;
  await expect(put(fleet)).rejects.toThrow(/refuses listener 0\.0\.0\.0_9080 .*Unable to create Wasm plugin/);
  expect([stored(fleet, filterKey), stored(fleet, pluginKey)]).toEqual([undefined, undefined]);
});

test("of two upgrades at once the later one is refused, and overwrites nothing", async () => {
  await put(fleet);
  const read = await readLive(fleet.cluster, "demo", "keyway");
  await putOver(fleet, read, { ...desired, priority: 20 });
  await expect(putOver(fleet, read, { ...desired, priority: 30 })).rejects.toThrow(/somebody else changed WasmPlugin/);
  const { plugin, installation } = await readLive(fleet.cluster, "demo", "keyway");
  expect(installation?.priority).toBe(20);
  expect(plugin && previousOf(plugin)?.priority).toBe(10);
});

test("a change between the reading and the writing is refused by the API server itself", async () => {
  await put(fleet);
  fleet.server.faults.add(/^PATCH .*wasmplugins(?!.*dryRun)/, (_, response) => {
    const message =
      'Operation cannot be fulfilled on wasmplugins.extensions.istio.io "keyway": the object has been modified; please apply your changes to the latest version and try again';
    response.writeHead(409, { "content-type": "application/json" });
    response.end(JSON.stringify({ kind: "Status", status: "Failure", reason: "Conflict", code: 409, message }));
  });
  await expect(put(fleet, { ...desired, priority: 20 })).rejects.toThrow(/somebody else changed WasmPlugin/);
});

test("a status that a controller writes meanwhile is nobody's change", async () => {
  await put(fleet);
  const read = await readLive(fleet.cluster, "demo", "keyway");
  const there = stored(fleet, pluginKey);
  if (there) fleet.server.put({ ...there, status: { conditions: [] } });
  await putOver(fleet, read, { ...desired, priority: 20 });
  expect((await readLive(fleet.cluster, "demo", "keyway")).installation?.priority).toBe(20);
});

test("what others have edited is not overwritten without --force-conflicts", async () => {
  await put(fleet);
  fleet.server.edit("kubectl-edit", { ...pluginKey, spec: { priority: 77 } });
  await expect(put(fleet, { ...desired, priority: 20 })).rejects.toThrow(/others have changed fields.*priority/);
  await put(fleet, { ...desired, priority: 20 }, { force: true });
  const plugin = stored(fleet, pluginKey);
  expect(plugin && readInstallation(plugin as never).priority).toBe(20);
});

test("an uninstall that would be refused half-way deletes nothing", async () => {
  await put(fleet);
  fleet.server.faults.add(/^DELETE .*envoyfilters/, admissionRefusal("protected by a policy"), 9);
  const { code, err } = await runCli(["uninstall", "-n", "demo", "--kubeconfig", fleet.kubeconfig]);
  expect([code, err]).toEqual([1, expect.stringContaining("protected by a policy")]);
  expect(stored(fleet, pluginKey)).toBeDefined();
  expect(stored(fleet, filterKey)).toBeDefined();
});

test("what somebody else changes while an uninstall waits is not deleted, whereas a status is nobody's change", async () => {
  await put(fleet);
  const { plugin, filter } = await readLive(fleet.cluster, "demo", "keyway");
  if (plugin === undefined || filter === undefined) throw new Error("nothing was installed");
  const there = stored(fleet, pluginKey);
  if (there) fleet.server.put({ ...there, status: { conditions: [] } });
  await removeOwned(fleet.cluster, plugin);
  expect(stored(fleet, pluginKey)).toBeUndefined();
  fleet.server.edit("kubectl-edit", { ...filterKey, spec: { priority: 3 } });
  await expect(removeOwned(fleet.cluster, filter)).rejects.toThrow(/somebody else changed EnvoyFilter/);
  expect(stored(fleet, filterKey)).toBeDefined();
});
