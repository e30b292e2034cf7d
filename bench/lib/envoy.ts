// A real Envoy in a process of its own, held on one core, and what it has used of that core.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Envoy, run } from "../../scripts/proxy/run.ts";
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

/** The core that Envoy may use, and how many worker threads share it. */
export type Placement = { core: number; workers?: number };

const PAGE = 4096;

// A run that is interrupted ends by itself, and so takes its proxies with it.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

/** Starts Envoy with one listener and returns when it serves. Throws with Envoy's log when Envoy ends first, or is not live after a minute. */
export async function startEnvoy(config: Json, { core, workers = 1 }: Placement): Promise<EnvoyProcess> {
  const envoy = await run(config, { concurrency: workers, core });
  try {
    await live(envoy);
  } catch (error) {
    await envoy.stop();
    throw error;
  }
  const pid = envoy.child.pid as number;
  return {
    pid,
    port: Object.values(envoy.ports)[0] as number,
    cpu: () => cpuSeconds(pid),
    resident: () => residentBytes(pid),
    admin: (path) => envoy.ask(path),
    stop: () => envoy.stop(),
  };
}

/** Envoy accepts connections before a filter's configuration has come; only a live Envoy answers them. */
async function live(envoy: Envoy): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    if ((await envoy.ask("/ready")).trim() === "LIVE") return;
    await sleep(50);
  }
  throw new Error(`Envoy is not live after a minute:\n${envoy.lastWords()}`);
}

/** CPU seconds of all threads of a process, from the scheduler's own account in nanoseconds: /proc/PID/stat tells the same sum in steps of 10 ms. */
export function cpuSeconds(pid: number): number {
  let total = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [ran] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    total += Number(ran);
  }
  return total / 1e9;
}

function residentBytes(pid: number): number {
  const pages = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1];
  return Number(pages) * PAGE;
}
