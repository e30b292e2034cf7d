import { describe, expect, test } from "vitest";
import { Envoy } from "./emulator/envoy.ts";
import { filterCode, proxyWith } from "./module.ts";
import { decisionOf } from "./observe.ts";
import { expand } from "./reference/config.ts";
import { candidates, decide } from "./reference/decide.ts";
import { isKey } from "./reference/sources.ts";
import { decisions, errors, malformed, sources } from "./vectors.ts";

const complaint = (configuration: unknown) => {
  const envoy = new Envoy(filterCode);
  envoy.filter().configure(configuration);
  return envoy.process.lines("error");
};

describe("a wrong configuration is one line with the place", () => {
  test.each(errors)("$name", ({ config, error }) => {
    expect(complaint(JSON.stringify(config))).toEqual([`keyway: config: ${error}`]);
  });

  test.each(malformed)("$name", ({ text, base64, error }) => {
    expect(complaint(base64 ? Buffer.from(base64, "base64") : text)).toEqual([`keyway: config: ${error}`]);
  });
});

describe("a source finds its keys in order", () => {
  const decided = (source: string, routes: string[], headers: [string, string][], cluster: string) => {
    const { envoy, filter } = proxyWith({ keys: [source], routes: routes.map((key) => ({ from: "*", key, to: "t" })) });
    envoy.process.clusters.set("t", true);
    return decisionOf(filter.request({ headers, cluster }));
  };

  test.each(sources)("$name", ({ source, headers, cluster = "reviews", candidates: keys }) => {
    expect(
      expand(source)
        .flatMap((own) => candidates(own, { headers, cluster }))
        .filter(isKey),
    ).toEqual(keys);
    for (let i = 0; i < keys.length; i++) {
      expect(decided(source, keys.slice(i), headers, cluster)).toEqual({ outcome: "routed", key: keys[i], to: "t" });
    }
    expect(decided(source, ["no-such-key"], headers, cluster).key).toBe(keys[0] ?? null);
  });
});

describe("decisions", () => {
  test.each(decisions)("$name", ({ config, now = "2030-01-01T00:00:00Z", requests }) => {
    const { envoy, filter } = proxyWith(config);
    envoy.process.clock = BigInt(Date.parse(now)) * 1_000_000n;
    for (const route of config.routes ?? []) {
      for (const { to } of route.split ?? [{ to: route.to ?? "" }]) envoy.process.clusters.set(to, true);
    }
    for (const { decision, ...asked } of requests) {
      expect(decide(config, { ...asked, now: Date.parse(now) / 1000 })).toEqual(decision);
      expect(decisionOf(filter.request(asked))).toEqual(decision);
    }
  });
});
