// What status tells, and the exit code that a script can use.
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCli } from "../cli/run.ts";
import { addPod, desired, type Fleet, filterKey, pluginKey, put, SANDBOX, startFleet } from "./fleet.ts";

let fleet: Fleet;
beforeEach(async () => {
  fleet = await startFleet();
});
afterEach(() => fleet.close());

const status = (...args: string[]) => runCli(["status", "-n", "demo", "--kubeconfig", fleet.kubeconfig, ...args]);

test("with nothing installed, and with all well, the exit code is 0", async () => {
  expect(await status()).toMatchObject({ code: 0, err: expect.stringContaining("nothing is installed in demo") });
  await put(fleet);
  const { code, out } = await status();
  expect(out).toMatch(/caller-1 +ready +0 +0 +0 +0 +ok/);
  expect(code).toBe(0);
});

test.each([
  ["the proxy has no such cluster", () => fleet.clusters.delete(SANDBOX)],
  ["no healthy endpoint", () => fleet.clusters.set(SANDBOX, 0)],
])("a target is missing, since %s: it is counted, named, and the exit code is 1", async (why, takeAway) => {
  await put(fleet);
  takeAway();
  const { code, out, err } = await status();
  expect(out).toContain("1 missing");
  expect(err).toContain(`target ${SANDBOX} is missing (${why}) in 1 of 1 proxies`);
  expect(code).toBe(1);
  const [found] = JSON.parse((await status("-o", "json")).out);
  expect(found.pods[0].missingTargets).toEqual([{ target: SANDBOX, why }]);
});

test("without its WasmPlugin an installation is shown by what its EnvoyFilter tells, and with what to do", async () => {
  await put(fleet);
  fleet.server.delete(pluginKey);
  const { code, out, err } = await status();
  expect(out).toContain("demo/keyway  outbound, for app=caller");
  expect(out).toContain("unknown");
  expect(out).toContain("caller-1");
  expect(err).toMatch(/WasmPlugin is missing.*`keyway install` makes it anew/);
  expect(code).toBe(1);
});

test.each([
  ["check", "out"],
  ["upgrade", "err"],
] as const)("without the WasmPlugin of its installation %s fails, and says what to do", async (command, where) => {
  await put(fleet);
  fleet.server.delete(pluginKey);
  const run = await runCli([command, "-n", "demo", "--kubeconfig", fleet.kubeconfig]);
  expect(run.code, run.err).toBe(1);
  expect(run[where]).toMatch(/its WasmPlugin is missing, so nothing is routed[\s\S]*`keyway install` makes it anew/);
});

test("without its EnvoyFilter the exit code is 1", async () => {
  await put(fleet);
  fleet.server.delete(filterKey);
  expect(await status()).toMatchObject({ code: 1, err: expect.stringContaining("its EnvoyFilter is missing") });
});

test("a version that is no number is told, and no reason to fall", async () => {
  await put(fleet);
  fleet.server.edit("somebody", {
    ...pluginKey,
    spec: { vmConfig: { env: [{ name: "KEYWAY_VERSION", value: "new" }] } },
  });
  const { code, out, err } = await status();
  expect(out).toMatch(/version +unknown/);
  expect(err).not.toContain("unexpected");
  expect(code).toBe(1);
});

test("--diff prints JSON when that is asked for", async () => {
  const { module, config: _ } = desired;
  await put(fleet);
  const args = ["upgrade", "-n", "demo", "--kubeconfig", fleet.kubeconfig, "--module", module, "--priority", "3"];
  const { out } = await runCli([...args, "--diff", "-o", "json"]);
  const [, plugin] = JSON.parse(out);
  expect(plugin).toMatchObject({ object: "WasmPlugin demo/keyway", diff: expect.stringContaining("+   priority: 3") });
  const dry = await runCli([...args, "--dry-run=client", "-o", "json"]);
  expect(JSON.parse(dry.out).outcomes).toEqual([
    { object: "EnvoyFilter demo/keyway", outcome: "not sent (dry run)" },
    { object: "WasmPlugin demo/keyway", outcome: "not sent (dry run)" },
  ]);
});

test("a proxy that does not answer is shown as such, with its pod, and the others as they are", async () => {
  await put(fleet);
  addPod(fleet, "caller-2", { app: "caller" });
  fleet.server.pods.silence("demo/caller-2", 15000);
  const { code, out, err } = await status();
  expect(out).toMatch(/caller-1 +ready/);
  expect(out).toMatch(/caller-2 +does not answer/);
  expect(err).toContain(
    "the proxy of pod demo/caller-2 does not answer: an error occurred forwarding 15000: connection refused",
  );
  expect(code).toBe(1);
});
