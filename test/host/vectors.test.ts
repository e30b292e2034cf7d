import { describe, expect, test } from "vitest";
import { Envoy } from "./emulator/envoy.ts";
import { filterCode, proxyWith } from "./module.ts";
import { decisionOf } from "./observe.ts";
import { decisions, edges, errors, explanations, malformed, sources, texts, tokens } from "./vectors.ts";

const errorLines = (configuration: unknown) => {
  const envoy = new Envoy(filterCode);
  envoy.filter().configure(configuration);
  return envoy.process.lines("error");
};

describe("a wrong configuration is one line with the place", () => {
  test.each(errors)("$name", ({ config, error }) => {
    expect(errorLines(JSON.stringify(config))).toEqual([`keyway: config: ${error}`]);
  });

  test.each(malformed)("$name", ({ text, base64, error }) => {
    expect(errorLines(base64 ? Buffer.from(base64, "base64") : text)).toEqual([`keyway: config: ${error}`]);
  });
});

describe("a source finds its keys in order", () => {
  const decided = (source: string, routes: string[], headers: [string, string][], cluster: string) => {
    const { envoy, filter } = proxyWith({ keys: [source], routes: routes.map((key) => ({ from: "*", key, to: "t" })) });
    envoy.process.clusters.set("t", true);
    return decisionOf(filter.request({ headers, cluster }));
  };

  test.each([...sources, ...tokens])("$name", ({ source, headers, cluster = "reviews", candidates: keys }) => {
    for (let i = 0; i < keys.length; i++) {
      expect(decided(source, keys.slice(i), headers, cluster)).toEqual({ outcome: "routed", key: keys[i], to: "t" });
    }
    expect(decided(source, ["no-such-key"], headers, cluster).key).toBe(keys[0] ?? null);
  });
});

describe("decisions", () => {
  test.each([...decisions, ...texts, ...edges])("$name", ({ config, now = "2030-01-01T00:00:00Z", requests }) => {
    const { envoy, filter } = proxyWith(config);
    envoy.process.clock = BigInt(Date.parse(now)) * 1_000_000n;
    for (const route of config.routes ?? []) {
      for (const { to } of route.split ?? [route]) if (to) envoy.process.clusters.set(to, true);
    }
    for (const { decision, ...asked } of requests) {
      expect(decisionOf(filter.request(asked))).toEqual(decision);
    }
  });
});

describe("explanations", () => {
  test.each(explanations)("$name", ({ config, requests }) => {
    for (const { explanation, missing = [], headers, cluster } of requests) {
      const { envoy, filter } = proxyWith({ ...config, explain: true });
      const { to } = explanation as { to: string | null };
      if (to !== null) envoy.process.clusters.set(to, true);
      for (const name of missing) envoy.process.clusters.set(name, false);
      const answer = filter.request({ headers: [...headers, ["x-keyway-explain", "1"]], cluster });
      expect(JSON.parse(answer.local?.body ?? "null")).toEqual(explanation);
    }
  });
});
