import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { cached } from "../../scripts/parts/cache.ts";

const part = (make: (directory: string) => Promise<void>) =>
  cached({ name: "part", version: "1", doing: "making a part", make });
const fill = async (directory: string) => await writeFile(join(directory, "content"), "whole");

let cache: string;
let told: string[];
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "keyway-cache-"));
  vi.stubEnv("XDG_CACHE_HOME", cache);
  told = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => told.push(String(text)) > 0);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(cache, { recursive: true });
});

test("a part is made once, with one line told, and found from then on", async () => {
  const make = vi.fn(fill);
  const first = await part(make);
  expect(await part(make)).toBe(first);
  expect(first).toBe(join(cache, "keyway", "part-1"));
  expect(make).toHaveBeenCalledTimes(1);
  expect(told).toEqual(["keyway: making a part\n"]);
  expect(readFileSync(join(first, "content"), "utf8")).toBe("whole");
});

test("two that want it at once make it once", async () => {
  const make = vi.fn(async (directory: string) => {
    await sleep(50);
    await fill(directory);
  });
  expect(await Promise.all([part(make), part(make)])).toHaveLength(2);
  expect(make).toHaveBeenCalledTimes(1);
});

test("what fails leaves nothing behind and can be tried again", async () => {
  const broken = async (directory: string) => {
    await fill(directory);
    throw new Error("cut off");
  };
  await expect(part(broken)).rejects.toThrow("cut off");
  expect(readdirSync(join(cache, "keyway"))).toEqual([]);
  expect(existsSync(await part(fill))).toBe(true);
});

test("the lock of a process that is gone is taken over", async () => {
  await part(fill);
  const directory = join(cache, "keyway", "part-1");
  rmSync(directory, { recursive: true });
  // Above the largest process id that Linux gives.
  writeFileSync(`${directory}.lock`, "4194305");
  expect(await part(fill)).toBe(directory);
});
