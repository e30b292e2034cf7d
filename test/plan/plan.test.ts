import { expect, test } from "vitest";
import { planInstallation } from "../../installer/plan/installation.ts";
import type { Step } from "../../installer/plan/plan.ts";
import { planRemoval } from "../../installer/plan/removal.ts";
import type { DesiredState } from "../../installer/plan/versions.ts";

const desired: DesiredState = {
  name: "keyway",
  namespace: "demo",
  mode: "inbound",
  scope: { labels: { app: "reviews" } },
  module: `oci://registry.example.com/keyway@sha256:${"a".repeat(64)}`,
  config: { routes: [] },
  failStrategy: "FAIL_OPEN",
  priority: 10,
};

const nothing = { plugin: undefined, filter: undefined, installation: undefined };

const inWords = (steps: Step[]) =>
  steps.map((step) => (step.do === "wait" ? `wait until ${step.until.is}` : `${step.do} ${step.object.kind}`));

test("the guard route is in every proxy before the filter that selects, and planning is the same each time", () => {
  const options = { now: new Date("2026-03-01T12:00:00Z"), recoveryHint: "" };
  const plan = planInstallation(desired, nothing, options);
  expect(inWords(plan.steps)).toEqual([
    "apply EnvoyFilter",
    "wait until guarded",
    "apply WasmPlugin",
    "wait until loaded",
  ]);
  expect(planInstallation(desired, nothing, options)).toEqual(plan);
});

test("the filter goes before its guard route, and what is gone already is not waited for", () => {
  const plugin = { kind: "WasmPlugin", metadata: { name: "keyway", namespace: "demo" } };
  const filter = { ...plugin, kind: "EnvoyFilter" };
  expect(inWords(planRemoval(desired, { plugin, filter }).steps)).toEqual([
    "delete WasmPlugin",
    "wait until unfiltered",
    "delete EnvoyFilter",
    "wait until unrouted",
  ]);
  expect(inWords(planRemoval(desired, { plugin: undefined, filter }).steps)).toEqual([
    "delete EnvoyFilter",
    "wait until unrouted",
  ]);
});

test("a version before that does not fit beside the new one is given up, and said to be", () => {
  const routes = (salt: number) =>
    Array.from({ length: 10_000 }, (_, index) => ({
      from: "*",
      key: `${Math.sin(index + salt)}`,
      to: `cluster-${index}`.padEnd(90, "x"),
    }));
  const live = { ...desired, config: { routes: routes(1) }, version: 1 };
  const next = { ...desired, config: { routes: routes(2) } };
  const options = { now: new Date("2026-03-01T12:00:00Z"), recoveryHint: "" };
  const plan = planInstallation(next, { plugin: undefined, filter: undefined, installation: live }, options);
  expect(plan.warnings).toEqual([expect.stringContaining("too large to be kept")]);
  expect(plan.next.plugin.metadata?.annotations).not.toHaveProperty(["keyway.dev/previous"]);
});

test("a renewal is a new version of the same, and keeps the way back that there was", () => {
  const live = { ...desired, version: 1_800_000_000 };
  const options = { now: new Date("2026-03-01T12:00:00Z"), recoveryHint: "" };
  const there = { plugin: undefined, filter: undefined, installation: live };
  expect(planInstallation(desired, there, options).next).toMatchObject({ unchanged: true, installation: live });
  const renewed = planInstallation(desired, there, { ...options, renew: true }).next;
  expect(renewed).toMatchObject({ unchanged: false, canRollBack: true });
  expect(renewed.installation.version).toBe(1_800_000_001);
});
