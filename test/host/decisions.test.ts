import fc from "fast-check";
import { expect, test } from "vitest";
import { check } from "../property.ts";
import { type Decision, expectedDecision, type Outcome } from "./expected.ts";
import { configuration, NOW, request, targets } from "./generate.ts";
import { proxyWith } from "./module.ts";
import { assertConsistent, decisionOf } from "./observe.ts";

const requests = fc.array(request, { minLength: 1, maxLength: 20 });
const METRIC: Partial<Record<Outcome, string>> = {
  routed: "keyway_requests_routed",
  baseline: "keyway_requests_baseline",
  no_key: "keyway_requests_no_key",
  invalid_key: "keyway_requests_invalid_key",
  missing_target: "keyway_requests_missing_target",
  already_routed: "keyway_requests_already_routed",
};

test("the module decides, acts and counts as routes/ foretells", () => {
  const seen = new Map<Outcome, number>();
  check(
    [configuration, requests],
    (table, all) => {
      const { envoy, filter } = proxyWith(table);
      for (const name of targets) envoy.process.clusters.set(name, true);
      const counted = new Map<string, number>();
      for (const asked of all) {
        const passed = filter.request(asked);
        const wanted = expectedDecision(table, asked, NOW);
        expect(decisionOf(passed)).toEqual(wanted);
        assertConsistent(asked.headers, passed, asked.cluster);
        const metric = METRIC[wanted.outcome] ?? "";
        counted.set(metric, (counted.get(metric) ?? 0) + 1);
        seen.set(wanted.outcome, (seen.get(wanted.outcome) ?? 0) + 1);
      }
      for (const name of Object.values(METRIC))
        expect([name, envoy.process.counter(name)]).toEqual([name, counted.get(name) ?? 0]);
      expect(envoy.process.counter("keyway_table_routes")).toBe(table.routes.length);
    },
    400,
  );
  for (const outcome of ["routed", "baseline", "no_key", "invalid_key", "already_routed"] as const) {
    expect(seen.get(outcome), `requests that end as ${outcome}`).toBeGreaterThan(20);
  }
});

test("explain answers with the same decision and sends the request nowhere", () => {
  check(
    [configuration, requests],
    (table, all) => {
      const { envoy, filter } = proxyWith({ ...table, explain: true });
      for (const name of targets) envoy.process.clusters.set(name, true);
      for (const asked of all) {
        const passed = filter.request({ ...asked, headers: [...asked.headers, ["x-keyway-explain", "1"]] });
        const wanted = expectedDecision(table, asked, NOW);
        const body = JSON.parse(passed.local?.body ?? "null");
        const { outcome, key, to, from } = body as Decision & { from: string };
        expect({ outcome, key, to }).toEqual(wanted);
        expect(from).toBe(asked.cluster ?? "");
        expect([passed.status, passed.cluster]).toEqual([200, undefined]);
        expect(Object.keys(body)).toEqual(["outcome", "key", "source", "from", "to", "why"]);
        const decision = passed.local?.headers.find(([name]) => name === "x-keyway-decision")?.[1];
        expect(JSON.parse(decision ?? "null")).toEqual(body);
      }
    },
    100,
  );
});

test("explain is asked for in vain where the configuration does not allow it", () => {
  const { filter } = proxyWith({ routes: [{ from: "reviews", key: "k", to: "t" }] });
  expect(filter.request({ headers: { "x-keyway-explain": "1" } })).toMatchObject({ status: 200, cluster: "reviews" });
});
