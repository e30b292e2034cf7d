// What --timeout bounds, and what is left behind when it ends a command, or when nobody reads what it tells.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
// Loaded before the commands are: on a busy machine that alone takes the second that they are given here.
import "../../installer/check/checks.ts";
import { execute } from "../../installer/execute/execute.ts";
import { readLive } from "../../installer/lifecycle/installed.ts";
import "../../installer/lifecycle/checked.ts";
import "../../installer/lifecycle/remove.ts";
import "../../installer/lifecycle/status.ts";
import { planInstallation } from "../../installer/plan/installation.ts";
import { selectPods } from "../../installer/proxies/selected-pods.ts";
import { TimeIsUp } from "../../shared/net/limit.ts";
import { runCli } from "../cli/run.ts";
import { neverAnswer } from "../double/faults.ts";
import { stopped } from "../double/port-forward.ts";
import { addPod, desired, type Fleet, filterKey, pluginKey, put, startFleet, stored } from "./fleet.ts";

let fleet: Fleet;
beforeEach(async () => {
  fleet = await startFleet();
  await put(fleet);
});
afterEach(() => fleet.close());

const uninstall = (...args: string[]) => runCli(["uninstall", "-n", "demo", "--kubeconfig", fleet.kubeconfig, ...args]);

test("one stopped proxy among several ends the command with the time, and with the pod's name", async () => {
  addPod(fleet, "caller-2", { app: "caller" });
  fleet.server.pods.listen("demo/caller-2", 15000, stopped);
  const begun = Date.now();
  const { code, err } = await uninstall("--timeout", "1");
  expect(Date.now() - begun).toBeLessThan(5000);
  expect(code).toBe(1);
  expect(err).toContain(
    "1 of 2 proxies do not have connections without the filter:\n  × demo/caller-2: it has not answered",
  );
});

test("an API server that never answers ends the command with the time, and is named", async () => {
  fleet.server.faults.add(/./, neverAnswer, 1000);
  const { code, err } = await uninstall("--timeout", "1");
  expect(code).toBe(1);
  expect(err).toMatch(/not done within the 1 s of --timeout: the API server has not answered/);
  expect(err).toMatch(/where: https:\/\/127\.0\.0\.1:\d+\/, to /);
  expect(err).toContain("--timeout SECONDS");
});

test.each(["status", "check"])("%s ends with the time, too", async (command) => {
  const asked = (...args: string[]) => runCli([command, "-n", "demo", "--kubeconfig", fleet.kubeconfig, ...args]);
  fleet.server.faults.add(/./, neverAnswer, 1000);
  const { code, err } = await asked("--timeout", "1");
  expect({ code, err }).toMatchObject({
    code: 1,
    err: expect.stringMatching(/not done within the 1 s of --timeout: the API server has not answered/),
  });
});

test.each(["status", "check"])("%s names the proxies that have not answered within its time", async (command) => {
  fleet.server.pods.listen("demo/caller-1", 15000, stopped);
  const asked = runCli([command, "-n", "demo", "--kubeconfig", fleet.kubeconfig, "--timeout", "1"]);
  const { code, out, err } = await asked;
  expect(code).toBe(1);
  expect(out + err).toMatch(/within the 1 s of --timeout.*caller-1/);
});

test("a pod that is deleted meanwhile is not waited for", async () => {
  addPod(fleet, "caller-2", { app: "caller" });
  fleet.server.pods.listen("demo/caller-2", 15000, stopped);
  setTimeout(() => {
    fleet.server.delete({ apiVersion: "v1", kind: "Pod", metadata: { name: "caller-2", namespace: "demo" } });
  }, 500);
  expect(await uninstall("--timeout", "30")).toMatchObject({ code: 0 });
  expect([stored(fleet, pluginKey), stored(fleet, filterKey)]).toEqual([undefined, undefined]);
});

test.each([
  ["an interruption", new Error("interrupted"), /^interrupted$/],
  ["the end of its time", new TimeIsUp("not done within the 5 s of --timeout"), /1 of 1 proxies do not have/],
])("%s takes back an installation that is half-done", async (_, reason, message) => {
  for (const key of [pluginKey, filterKey]) fleet.server.delete(key);
  fleet.server.pods.listen("demo/caller-1", 15000, stopped);
  const stop = new AbortController();
  const cluster = fleet.cluster.withSignal(stop.signal);
  const plan = planInstallation(desired, await readLive(cluster, "demo", "keyway"), {
    now: new Date(),
    recoveryHint: "",
  });
  const listPods = async () => (await selectPods(cluster, desired, "istio-system")).proxies;
  const steps = { update: () => {}, done: () => {}, warn: () => {}, next: () => {} };
  const { signal } = stop;
  const running = execute(plan, { cluster, listPods, force: false, wait: true, signal, steps });
  const failed = running.catch((thrown: unknown) => thrown as Error);
  await expect.poll(() => stored(fleet, filterKey)).toBeDefined();
  stop.abort(reason);
  expect(((await failed) as Error).message).toMatch(message);
  expect([stored(fleet, pluginKey), stored(fleet, filterKey)]).toEqual([undefined, undefined]);
});

test("a command whose readers have gone does all its work", async () => {
  const main = fileURLToPath(new URL("../../installer/main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, "uninstall", "-n", "demo", "--kubeconfig", fleet.kubeconfig]);
  child.stderr.destroy();
  child.stdout.destroy();
  expect((await once(child, "exit"))[0]).toBe(0);
  expect([stored(fleet, pluginKey), stored(fleet, filterKey)]).toEqual([undefined, undefined]);
});
