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

const inWords = (steps: Step[]) =>
  steps.map((step) => (step.do === "wait" ? `wait until ${step.until.is}` : `${step.do} ${step.object.kind}`));

test("the guard route is in every proxy before the filter that selects, and planning is the same each time", () => {
  const options = { now: new Date("2026-03-01T12:00:00Z"), recoveryHint: "" };
  const plan = planInstallation(desired, undefined, options);
  expect(inWords(plan.steps)).toEqual([
    "apply EnvoyFilter",
    "wait until guarded",
    "apply WasmPlugin",
    "wait until loaded",
  ]);
  expect(planInstallation(desired, undefined, options)).toEqual(plan);
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
