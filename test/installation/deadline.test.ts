// What --timeout bounds, and what is left behind when it ends a command, or when nobody reads what it tells.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCli } from "../cli/run.ts";
import { neverAnswer } from "../double/faults.ts";
import { stopped } from "../double/port-forward.ts";
import { addPod, type Fleet, filterKey, pluginKey, put, startFleet, stored } from "./fleet.ts";

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

test("a pod that is deleted meanwhile is not waited for", async () => {
  addPod(fleet, "caller-2", { app: "caller" });
  fleet.server.pods.listen("demo/caller-2", 15000, stopped);
  setTimeout(() => {
    fleet.server.delete({ apiVersion: "v1", kind: "Pod", metadata: { name: "caller-2", namespace: "demo" } });
  }, 500);
  expect(await uninstall("--timeout", "30")).toMatchObject({ code: 0 });
  expect([stored(fleet, pluginKey), stored(fleet, filterKey)]).toEqual([undefined, undefined]);
});

test("a command whose readers have gone does all its work", async () => {
  const main = new URL("../../installer/main.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [main, "uninstall", "-n", "demo", "--kubeconfig", fleet.kubeconfig]);
  child.stderr.destroy();
  child.stdout.destroy();
  expect((await once(child, "exit"))[0]).toBe(0);
  expect([stored(fleet, pluginKey), stored(fleet, filterKey)]).toEqual([undefined, undefined]);
});
