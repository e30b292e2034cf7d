// What an operator sees: counters, gauges and the access log.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bed, startBed } from "./bed/bed.ts";
import type { Answer, Headers } from "./bed/client.ts";
import { until } from "./bed/until.ts";

let bed: Bed;
beforeAll(async () => {
  bed = await startBed({
    config: {
      keys: ["header:x-routing-key", "cookie:preview"],
      routes: [
        { from: "reviews", key: "pr-42", to: "pr-42" },
        { from: "reviews", key: "pr-9", to: "gone" },
        { from: "reviews", when: [{ header: "x-user", exact: "alice" }], to: "alice" },
      ],
    },
    targets: ["pr-42", "alice"],
  });
});
afterAll(() => bed.stop());

let asked = 0;

/** Asks under a path of its own, by which the log's line is found, however late it comes. */
async function askLogged(headers: Headers): Promise<{ answer: Answer; line: string | undefined }> {
  const path = `/asked/${++asked}`;
  const answer = await bed.ask({ path, headers });
  return { answer, line: await bed.envoy.accessLog.find(new RegExp(` ${path} `)) };
}

const COUNTED: [what: string, headers: Headers, counter: string, logged: string][] = [
  ["a routed request", { "x-routing-key": "pr-42" }, "routed", "routed pr-42 pr-42"],
  ["a request routed by a condition", { "x-user": "alice" }, "routed", "routed - alice"],
  ["a key without a route", { "x-routing-key": "pr-43" }, "baseline", "baseline pr-43"],
  ["no key", {}, "no_key", "-"],
  ["an empty key", { "x-routing-key": "" }, "invalid_key", "invalid_key"],
  ["what is no key", { "x-routing-key": "a b" }, "invalid_key", "invalid_key"],
  ["what is no key beside a key", { "x-routing-key": "a b", cookie: "preview=pr-42" }, "routed", "routed pr-42 pr-42"],
  [
    "a request that has been through its target",
    { "x-routing-key": "pr-42", "x-keyway-routed": "pr-42" },
    "already_routed",
    "already_routed pr-42 pr-42",
  ],
];

test.each(COUNTED)("%s is counted once and logged", async (_, headers, counter, logged) => {
  const before = await bed.metrics();
  const { answer, line } = await askLogged(headers);
  expect(answer.status).toBe(200);
  expect(line).toMatch(new RegExp(`keyway: ${logged}$`));
  const after = await bed.metrics();
  const grown = Object.keys(after).filter((name) => after[name] !== before[name]);
  expect(grown).toEqual([`keyway_requests_${counter}`]);
  expect(after[`keyway_requests_${counter}`]).toBe((before[`keyway_requests_${counter}`] ?? 0) + 1);
});

test("a request that is kept from a missing target is counted and logged with the target", async () => {
  await until(
    "the baseline",
    () => bed.keyed("pr-9"),
    ({ status }) => status === 200,
  );
  const before = (await bed.metrics()).keyway_requests_missing_target ?? 0;
  const { answer, line } = await askLogged({ "x-routing-key": "pr-9" });
  expect(answer.service).toBe("reviews");
  expect(line).toMatch(/keyway: missing_target pr-9 gone$/);
  expect((await bed.metrics()).keyway_requests_missing_target).toBe(before + 1);
});

test("the gauges tell the table", async () => {
  const { keyway_table_routes, keyway_table_version, keyway_config_rejected } = await bed.metrics();
  expect(keyway_table_routes).toBe(3);
  expect(keyway_table_version).toBeGreaterThan(0);
  expect(keyway_config_rejected).toBe(0);
});

test("all metrics of the contract are there, and no others", async () => {
  const requests = ["routed", "baseline", "no_key", "invalid_key", "missing_target", "already_routed"];
  const names = [...requests.map((name) => `requests_${name}`), "table_routes", "table_version", "config_rejected"];
  expect(Object.keys(await bed.metrics()).sort()).toEqual(names.map((name) => `keyway_${name}`).sort());
});

test("what is no key is never logged raw", async () => {
  const lines = bed.envoy.accessLog.all.length;
  await bed.ask({ headers: { "x-routing-key": "attack;at dawn" } });
  await bed.envoy.accessLog.find(/keyway: invalid_key$/, lines);
  expect([...bed.envoy.accessLog.all, ...bed.envoy.log.all].filter((line) => line.includes("dawn"))).toEqual([]);
});
