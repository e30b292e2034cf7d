// As many proxies as a server takes, each on a connection of its own, from several processes.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { reviews, sent, temporaryFolder } from "../api/serve.ts";
import { startChild } from "./child.ts";

const CLIENTS = 4;

/** Open files that a process may be allowed here. */
function mostFiles(): number {
  const limit = execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).trim();
  return limit === "unlimited" ? Number.POSITIVE_INFINITY : Number(limit);
}

/** Polls of so many proxies, and the lines that they say. */
function startPolls(url: string, count: number): { lines: string[]; process: ChildProcess } {
  const script = join(import.meta.dirname, "many-polls.ts");
  const command = [process.execPath, script, url, String(count)];
  const child = spawn("sh", ["-c", 'ulimit -n "$(ulimit -Hn)"; exec "$@"', "sh", ...command], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  return { lines, process: child };
}

test("10,000 proxies wait on connections of their own: a write is answered, all are told of a change, and all are counted", async () => {
  // Where the machine allows a process fewer files, it is as many as that.
  const each = Math.floor(Math.min(10_000, mostFiles() - 500) / CLIENTS);
  const all = each * CLIENTS;
  const server = await startChild(join(temporaryFolder(), "keyway.db"), { before: 'ulimit -n "$(ulimit -Hn)"' });
  const rss = async () => Number(/process_resident_memory_bytes (\d+)/.exec((await server.ask("/metrics")).body)?.[1]);
  const before = await rss();
  const clients = Array.from({ length: CLIENTS }, () => startPolls(server.url, each));
  const said = () => clients.map(({ lines }) => lines.at(-1));
  await expect.poll(said, { timeout: 20_000 }).toEqual(Array(CLIENTS).fill("waiting"));
  await expect
    .poll(async () => (await server.ask("/v1/proxies?revision=0")).body)
    .toMatchObject({ proxies: all, inForce: all });
  expect((await rss()) - before).toBeLessThan(all * 50_000);
  expect((await server.ask("/v1/routes/a", sent("PUT", reviews))).status).toBe(201);
  await expect.poll(said, { timeout: 20_000 }).toEqual(Array(CLIENTS).fill(`answered ${each}`));
  expect((await server.ask("/v1/proxies")).body).toMatchObject({ revision: 1, proxies: all, inForce: 0 });
  for (const { process } of clients) process.kill("SIGKILL");
  await expect.poll(async () => (await server.ask("/v1/proxies")).body.proxies).toBe(0);
});
