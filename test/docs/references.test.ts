import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { chartFiles } from "../../scripts/chart/chart.ts";
import { COMMAND, DEVELOPMENT, MODULE, SERVE } from "../../scripts/docs/environment.ts";
import { references } from "../../scripts/docs/references.ts";
import { ROOT } from "../../shared/package.ts";

const texts = await references();

describe("docs/reference is what the code says", () => {
  test.each(Object.keys(texts))("%s", (name) => {
    const file = join(ROOT, "docs", "reference", name);
    if (process.env.UPDATE_GOLDEN) writeFileSync(file, texts[name] ?? "");
    expect(readFileSync(file, "utf8"), `docs/reference/${name} is stale: run npm run docs`).toBe(texts[name]);
  });
});

const chart = chartFiles();

describe("charts/keyway is what the command applies", () => {
  test.each(Object.keys(chart))("%s", (name) => {
    const file = join(ROOT, "charts", "keyway", name);
    if (process.env.UPDATE_GOLDEN) writeFileSync(file, chart[name] ?? "");
    expect(readFileSync(file, "utf8"), `charts/keyway/${name} is stale: run npm run docs`).toBe(chart[name]);
  });
});

test("every variable of Keyway's own that the code names is in the reference", () => {
  const listed = Object.keys({ ...COMMAND, ...SERVE, ...DEVELOPMENT, ...MODULE });
  const search = [
    "grep",
    "-hoE",
    "KEYWAY_[A-Z_]+[A-Z]",
    "--",
    "installer",
    "scripts",
    "bench",
    "test",
    "filter",
    "server",
  ];
  const named = execFileSync("git", search, { cwd: ROOT, encoding: "utf8" }).trim().split("\n");
  expect(named.length).toBeGreaterThan(10);
  // The settings of the route server have a prefix in common, which is no variable itself.
  expect(named.filter((name) => name !== "KEYWAY_SERVE" && !listed.includes(name))).toEqual([]);
});
