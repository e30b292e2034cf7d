import { readdirSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../api/serve.ts";
import { startChild } from "./child.ts";

test.runIf(process.platform === "linux")("the threads that collect garbage give way to those that serve", async () => {
  const { process: child } = await startChild(join(temporaryFolder(), "keyway.db"));
  const tasks = `/proc/${child.pid}/task`;
  const threads = readdirSync(tasks).map((id) => {
    const name = readFileSync(join(tasks, id, "comm"), "utf8").trim();
    return { name, nice: getPriority(Number(id)) };
  });
  const own = getPriority();
  const helpers = threads.filter(({ name }) => name === "V8Worker");
  expect(helpers.map(({ nice }) => nice)).toEqual(helpers.map(() => Math.min(19, own + 10)));
  expect(helpers).not.toHaveLength(0);
  const others = threads.filter(({ name }) => name !== "V8Worker");
  expect(others.map(({ nice }) => nice)).toEqual(others.map(() => own));
});
