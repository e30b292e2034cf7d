// The module and routes/ on requests that no well-formed client sends.
import fc from "fast-check";
import { expect, test } from "vitest";
import { check } from "../property.ts";
import { expectedDecision, type Outcome } from "./expected.ts";
import { configuration, NOW, targets } from "./generate.ts";
import { wildRequest } from "./generate-wild.ts";
import { proxyWith } from "./module.ts";
import { decisionOf } from "./observe.ts";

test("the module decides as routes/ foretells, whatever the pieces of a request are", () => {
  const seen = new Map<Outcome, number>();
  check(
    [configuration, fc.array(wildRequest, { minLength: 10, maxLength: 40 })],
    (table, all) => {
      const { envoy, filter } = proxyWith(table);
      for (const name of targets) envoy.process.clusters.set(name, true);
      for (const asked of all) {
        const wanted = expectedDecision(table, asked, NOW);
        // The filter state has a `-` where there is no key, and where that is the key.
        const key = wanted.key === "-" ? null : wanted.key;
        expect(decisionOf(filter.request(asked)), JSON.stringify(asked)).toEqual({ ...wanted, key });
        seen.set(wanted.outcome, (seen.get(wanted.outcome) ?? 0) + 1);
      }
    },
    200,
  );
  for (const outcome of ["routed", "baseline", "no_key", "invalid_key", "already_routed"] as const)
    expect(seen.get(outcome), `requests that end as ${outcome}`).toBeGreaterThan(10);
});
