import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bed, startBed } from "./bed/bed.ts";
import type { Ask } from "./bed/client.ts";

let bed: Bed;
beforeAll(async () => {
  bed = await startBed({
    config: {
      keys: ["header:x-routing-key", "signadot"],
      routes: [
        { from: "reviews", key: "pr-42", to: "pr-42" },
        { from: "*", key: "pr-7", to: "any" },
        { from: "reviews", key: "old", to: "pr-42", expires: "2020-01-01T00:00:00Z" },
        { from: "reviews", when: [{ cookie: "user", exact: "alice" }], to: "alice" },
      ],
      explain: true,
    },
    targets: ["pr-42", "any", "alice"],
  });
});
afterAll(() => bed.stop());

const explained = (what: Ask) =>
  bed.ask({ ...what, headers: { ...(what.headers as Record<string, string>), "x-keyway-explain": "1" } });

const CASES: [what: string, ask: Ask, decision: Record<string, string>][] = [
  [
    "a key with a route",
    { headers: { "x-routing-key": "pr-42" } },
    { outcome: "routed", key: "pr-42", source: "header:x-routing-key", from: "reviews", to: "pr-42" },
  ],
  [
    "a key from a preset",
    { headers: { baggage: "sd-routing-key=pr-42" } },
    { outcome: "routed", key: "pr-42", source: "baggage:sd-routing-key", from: "reviews", to: "pr-42" },
  ],
  [
    "a key with a route from *",
    { headers: { "x-routing-key": "pr-7" } },
    { outcome: "routed", key: "pr-7", to: "any" },
  ],
  [
    "a key without a route",
    { headers: { "x-routing-key": "pr-43" } },
    { outcome: "baseline", key: "pr-43", from: "reviews" },
  ],
  ["an expired route", { headers: { "x-routing-key": "old" } }, { outcome: "baseline", key: "old", from: "reviews" }],
  ["a condition", { headers: { cookie: "user=alice" } }, { outcome: "routed", from: "reviews", to: "alice" }],
  ["no key", {}, { outcome: "no_key", from: "reviews" }],
  ["what is no key", { headers: { "x-routing-key": "a b" } }, { outcome: "invalid_key", from: "reviews" }],
  [
    "a request that has been through its target",
    { headers: { "x-routing-key": "pr-42", "x-keyway-routed": "pr-42" } },
    { outcome: "already_routed", key: "pr-42", from: "reviews", to: "pr-42" },
  ],
];

test.each(CASES)("explains %s", async (_, what, decision) => {
  const answer = await explained(what);
  expect(answer.status).toBe(200);
  expect(answer.headers["content-type"]).toContain("application/json");
  const body = JSON.parse(answer.body);
  expect(body).toMatchObject(decision);
  expect(body.why).toMatch(/\w+ \w+/);
  for (const value of Object.values(decision)) expect(answer.headers["x-keyway-decision"]).toContain(value);
});

test("an explained request goes nowhere", async () => {
  const { service, headers } = await explained({ headers: { "x-routing-key": "pr-42" } });
  expect(service).toBe("");
  expect(headers["x-service"]).toBeUndefined();
});

test("what is no key is not repeated in the answer", async () => {
  const answer = await explained({ headers: { "x-routing-key": "<script> alert" } });
  expect(answer.body + answer.headers["x-keyway-decision"]).not.toContain("script");
});

test.each(["0", "", "true", "11"])("x-keyway-explain: %j is no question", async (value) => {
  expect((await bed.keyed("pr-42", { headers: { "x-keyway-explain": value } })).service).toBe("pr-42");
});

test("explain has to be switched on", async () => {
  const silent = await startBed({
    config: { routes: [{ from: "reviews", key: "pr-42", to: "pr-42" }] },
    targets: ["pr-42"],
  });
  try {
    const answer = await silent.keyed("pr-42", { headers: { "x-keyway-explain": "1" } });
    expect(answer.service).toBe("pr-42");
    expect(answer.headers["x-keyway-decision"]).toBeUndefined();
  } finally {
    await silent.stop();
  }
});
