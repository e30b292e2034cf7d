// `keyway route explain --live` asks a real Envoy, and tells what it would tell offline.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../cli/run.ts";
import { type Bed, startBed } from "./bed/bed.ts";

const config = {
  keys: ["header:x-routing-key", "query:key"],
  routes: [
    { from: "reviews", key: "pr-42", to: "pr-42" },
    { from: "*", key: "pr-7", to: "any" },
    { from: "reviews", when: [{ cookie: "user", exact: "alice" }], to: "alice" },
  ],
};
const targets = ["pr-42", "any", "alice"];

let explaining: Bed;
let silent: Bed;
let folder: string;
beforeAll(async () => {
  explaining = await startBed({ config: { ...config, explain: true }, targets });
  silent = await startBed({ config, targets });
  folder = await mkdtemp(join(tmpdir(), "keyway-live-"));
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
});
afterAll(async () => {
  await Promise.all([explaining?.stop(), silent?.stop()]);
  await rm(folder, { recursive: true });
});

const urlOf = ({ port }: Bed) => `http://127.0.0.1:${port}`;
const explain = (...args: string[]) => runCli(["route", "explain", "-o", "json", ...args]);

test.each([
  ["a key", "-H", "x-routing-key: pr-42", "/reviews/1"],
  ["a key in the query", "POST /cart?key=pr-7"],
  ["a key without a route", "-H", "x-routing-key: pr-9", "/"],
  ["a condition", "-H", "cookie: user=alice", "/"],
  ["no key", "https://shop.example.com/"],
])("%s: the proxy says what is said offline", async (_, ...request) => {
  const live = await explain("--live", urlOf(explaining), ...request);
  const offline = await explain("-f", join(folder, "config.json"), "--from", "reviews", ...request);
  expect([live.code, offline.code]).toEqual([0, 0]);
  expect(JSON.parse(live.out)).toEqual(JSON.parse(offline.out));
});

test("a proxy whose configuration does not allow it is named, with what to do", async () => {
  const both = ["--live", urlOf(explaining), "--live", urlOf(silent)];
  const { code, out, err } = await explain(...both, "-H", "x-routing-key: pr-42", "/");
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject([{ proxy: urlOf(explaining), outcome: "routed", to: "pr-42" }]);
  expect(err).toContain(`${urlOf(silent)} answered 200 (server: envoy) without an explanation`);
  expect(err).toContain("set `explain: true`");
});
