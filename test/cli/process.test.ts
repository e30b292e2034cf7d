// The command as a process of its own: signals, closed pipes, full disks.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { type ApiServer, startApiServer } from "../double/api-server.ts";
import { neverAnswer } from "../double/faults.ts";
import { kubeconfig } from "../double/kubeconfig.ts";

const MAIN = fileURLToPath(new URL("../../installer/main.ts", import.meta.url));

function start(args: string[], env: Record<string, string> = {}, stdout: "pipe" | number = "pipe"): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["pipe", stdout, "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function ended(child: ChildProcess) {
  const [out, err, [code]] = await Promise.all([
    child.stdout === null ? "" : text(child.stdout),
    child.stderr === null ? "" : text(child.stderr),
    once(child, "exit"),
  ]);
  return { out, err, code };
}

async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "keyway-process-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** An API server, and the environment by which the command finds it. */
async function cluster(): Promise<{ api: ApiServer; env: { KUBECONFIG: string } }> {
  const api = await startApiServer();
  onTestFinished(() => api.close());
  const file = join(await scratch(), "config");
  await writeFile(file, kubeconfig(api));
  return { api, env: { KUBECONFIG: file } };
}

describe.each([
  ["SIGHUP", 129],
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s", (signal, exitCode) => {
  test("ends a command that waits for an API server", async () => {
    const { api, env } = await cluster();
    api.faults.add(/./, neverAnswer, 100);
    const child = start(["status"], env);
    const end = ended(child);
    await expect.poll(() => api.requests.length, { timeout: 20_000 }).toBeGreaterThan(0);
    child.kill(signal);
    expect(await end).toMatchObject({ code: exitCode, err: "keyway: interrupted\n", out: "" });
  });

  test("ends, the second time, also what does not heed it", async () => {
    const io = new URL("../../shared/io.ts", import.meta.url).href;
    const program = `(await import(${JSON.stringify(io)})).processIo(); console.log("ready"); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program]);
    onTestFinished(() => void child.kill("SIGKILL"));
    await once(child.stdout, "data");
    child.kill(signal);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(child.exitCode).toBeNull();
    child.kill(signal);
    expect((await once(child, "exit"))[0]).toBe(exitCode);
  });

  test("ends a command that reads standard input", async () => {
    const child = start(["route", "explain", "-f", "-", "/"]);
    const end = ended(child);
    child.stdin?.write("routes:\n");
    await new Promise((resolve) => setTimeout(resolve, 2000));
    child.kill(signal);
    expect(await end).toMatchObject({ code: exitCode, err: "keyway: interrupted\n" });
  });
});

test("nobody who reads what it tells does not stop a command half-way", async () => {
  const { api, env } = await cluster();
  api.faults.add(/./, neverAnswer, 1);
  const child = start(["status", "-o", "json"], env);
  child.stderr?.destroy();
  child.stdout?.destroy();
  await expect.poll(() => api.requests.length, { timeout: 20_000 }).toBeGreaterThan(0);
  api.faults.clear();
  child.kill("SIGINT");
  expect((await once(child, "exit"))[0]).toBe(130);
});

test.runIf(existsSync("/dev/full"))("a full disk is told in words", async () => {
  const child = start(["--help"], {}, openSync("/dev/full", "w"));
  const { err, code } = await ended(child);
  expect(err).toBe("keyway: can't write to standard output: no space is left on its device\n");
  expect(code).toBe(1);
});
