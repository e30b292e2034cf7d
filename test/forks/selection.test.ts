// Whatever finds the baseline's pods must not find those of a copy.
import type { V1LabelSelector } from "@kubernetes/client-node";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Labels, selects } from "../../controller/forks/labels.ts";
import { makeFork } from "../../controller/forks/make.ts";
import { check } from "../property.ts";
import { sandbox, service, workload } from "./objects.ts";

const KEYS = ["app", "version", "team", "sidecar.istio.io/inject", "istio.io/rev", "keyway.dev/fork"];
const key = fc.constantFrom(...KEYS);
const value = fc.constantFrom("a", "b", "c");
const labels = fc.dictionary(key, value, { maxKeys: KEYS.length });
const expression = fc.record({
  key,
  operator: fc.constantFrom("In", "NotIn", "Exists", "DoesNotExist"),
  values: fc.array(value, { minLength: 1, maxLength: 2 }),
});
const selector: fc.Arbitrary<V1LabelSelector> = fc.record(
  { matchLabels: labels, matchExpressions: fc.array(expression, { maxLength: 2 }) },
  { requiredKeys: [] },
);
const cluster = fc.record({
  /** The baseline's pods have these and those of its selector: no API server takes a workload whose selector does not select its pods. */
  labels,
  selector,
  roles: fc.array(labels, { maxLength: 2 }),
  /** A Service selects by some labels of the baseline's pods, or by any. */
  services: fc.array(fc.record({ own: fc.subarray(KEYS), others: labels, isOfBaseline: fc.boolean() }), {
    maxLength: 4,
  }),
});

test("neither a Service nor the controller of the baseline selects a copy's pods, and the copy selects none of the baseline's", () => {
  let copies = 0;
  let refusals = 0;
  check(
    [cluster],
    ({ labels: own, selector, roles: [stable, canary], services }) => {
      const template: Labels = { ...own, ...selector.matchLabels };
      fc.pre(selects(selector, template));
      const listed = services.map(({ own, others, isOfBaseline }, index) =>
        service(
          `s${index}`,
          isOfBaseline
            ? Object.fromEntries(own.flatMap((key) => (key in template ? [[key, template[key] as string]] : [])))
            : others,
        ),
      );
      const strategy = { canary: { stableMetadata: { labels: stable }, canaryMetadata: { labels: canary } } };
      const baseline = workload("Rollout", "w", {
        selector,
        strategy,
        template: { metadata: { labels: template }, spec: { containers: [{ name: "app" }] } },
      });
      const made = makeFork({ workload: baseline, fork: { workload: "Rollout/w" }, sandbox, services: listed });
      if (Array.isArray(made)) {
        refusals++;
        return;
      }
      copies++;
      const pods = [template, { ...template, ...stable }, { ...template, ...canary }];
      const copy = made.workload.spec?.template.metadata?.labels ?? {};
      const copySelector = made.workload.spec?.selector ?? {};
      expect(selects(selector, copy)).toBe(false);
      expect([copySelector, ...pods.map((one) => selects(copySelector, one))]).toEqual([
        copySelector,
        false,
        false,
        false,
      ]);
      expect(selects(copySelector, copy)).toBe(true);
      const serving = listed.filter(({ spec }) => {
        const matchLabels = spec?.selector ?? {};
        return Object.keys(matchLabels).length > 0 && pods.some((one) => selects({ matchLabels }, one));
      });
      for (const { spec } of serving) expect(selects({ matchLabels: spec?.selector ?? {} }, copy)).toBe(false);
      expect(made.services).toHaveLength(serving.length);
      for (const { spec } of made.services) expect(spec?.selector).toEqual(copySelector.matchLabels);
      // What the mesh reads is what it was.
      for (const key of KEYS.filter((one) => one.includes("istio.io/"))) expect(copy[key]).toBe(template[key]);
    },
    2000,
  );
  expect(copies).toBeGreaterThan(500);
  expect(refusals).toBeGreaterThan(20);
});
