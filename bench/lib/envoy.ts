// A real Envoy in a process of its own, held on one core, and what it has used of that core.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { envoy } from "../../scripts/parts/envoy.ts";
import type { Json } from "./bootstrap.ts";

export type EnvoyProcess = {
  pid: number;
  port: number;
  /** CPU seconds used so far by all threads. */
  cpu(): number;
  /** Resident memory in bytes. */
  resident(): number;
  admin(path: string): Promise<string>;
  stop(): Promise<void>;
};

// A run that ends early, or is interrupted, takes its proxies with it.
const leftovers = new Set<() => void>();
process.once("exit", () => {
  for (const end of leftovers) end();
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

export type Placement = { core: number; workers?: number };

// The scheduler's own account in nanoseconds: /proc/PID/stat tells the same sum in steps of 10 ms.
function cpuSeconds(pid: number): number {
  let total = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [ran] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    total += Number(ran);
  }
  return total / 1e9;
}

function residentBytes(pid: number): number {
  const pages = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1];
  return Number(pages) * 4096;
}

async function until<T>(what: string, child: ChildProcess, log: () => string, probe: () => Promise<T> | T): Promise<T> {
  for (let tries = 0; tries < 1200; tries++) {
    if (child.exitCode !== null) throw new Error(`Envoy ended with ${child.exitCode} before ${what}:\n${log()}`);
    try {
      return await probe();
    } catch {
      await sleep(50);
    }
  }
  throw new Error(`Envoy did not get to ${what} within a minute:\n${log()}`);
}

async function ask(address: string, path: string): Promise<string> {
  const answer = await fetch(`http://${address}${path}`);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`Envoy's admin interface answered ${answer.status} to ${path}: ${text}`);
  return text;
}

async function listenerPort(address: string): Promise<number> {
  const status = JSON.parse(await ask(address, "/listeners?format=json"));
  if ((await ask(address, "/ready")).trim() !== "LIVE") throw new Error("not live yet");
  return status.listener_statuses[0].local_address.socket_address.port_value;
}

export async function startEnvoy(config: Json, { core, workers = 1 }: Placement): Promise<EnvoyProcess> {
  const dir = mkdtempSync(join(tmpdir(), "keyway-bench-"));
  const configFile = join(dir, "envoy.json");
  const addressFile = join(dir, "admin");
  writeFileSync(configFile, JSON.stringify(config));
  const options = ["-c", configFile, "--concurrency", `${workers}`, "--admin-address-path", addressFile];
  const quiet = ["--disable-hot-restart", "--log-level", "warning"];
  const child = spawn("taskset", ["-c", `${core}`, await envoy(), ...options, ...quiet], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (chunk) => {
    log = (log + chunk).slice(-4000);
  });
  const pid = child.pid as number;
  const end = () => {
    child.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  };
  leftovers.add(end);
  const stop = async () => {
    leftovers.delete(end);
    const running = child.exitCode === null && child.signalCode === null;
    end();
    if (running) await once(child, "exit");
  };
  try {
    const address = await until(
      "an admin address",
      child,
      () => log,
      () => {
        const text = readFileSync(addressFile, "utf8").trim();
        if (text === "") throw new Error("not written yet");
        return text;
      },
    );
    const port = await until(
      "serving",
      child,
      () => log,
      () => listenerPort(address),
    );
    return {
      pid,
      port,
      cpu: () => cpuSeconds(pid),
      resident: () => residentBytes(pid),
      admin: (path) => ask(address, path),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
