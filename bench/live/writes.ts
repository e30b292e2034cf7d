// A route server on one core: how long durable writes at a fixed rate take while thousands of proxies wait for changes.
import { spawn } from "node:child_process";
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Lines } from "../../scripts/proxy/lines.ts";
import { cpuSeconds } from "../lib/envoy.ts";
import { LOAD_CORE, PROXY_CORE } from "../lib/load.ts";
import { quantile } from "../lib/stats.ts";
import { fill, pinned, routeOf, withServer } from "./bed.ts";

export type Writes = {
  proxies: number;
  /** Writes a second: wanted and reached. */
  rate: number;
  reached: number;
  /** Milliseconds of a write. */
  p50: number;
  p99: number;
  /** Answers to proxies a second. */
  answers: number;
  /** The server's share of its core. */
  busy: number;
  /** Bytes of the server's resident memory for each waiting proxy. */
  perProxy: number;
  /** Milliseconds that the disk itself takes to make 4 KiB durable, right after. */
  disk: { p50: number; p99: number };
};

const KEYS = 1000;
const DISK_SYNCS = 2000;
/** Seconds of writes that do not count, in which the server compiles what it runs often. */
const WARM = 3;
const pollers = fileURLToPath(new URL("pollers.ts", import.meta.url));

export async function writesUnderPolls(proxies: number, rate: number, seconds: number): Promise<Writes> {
  process.stderr.write(`${rate} writes a second, ${proxies} proxies\n`);
  return withServer(async (server) => {
    const pid = server.child.pid as number;
    pinned(pid, PROXY_CORE);
    // Who measures shares the other core with the proxies.
    pinned(process.pid, LOAD_CORE);
    await fill(server, KEYS);
    const before = resident(pid);
    const order = JSON.stringify({ port: server.port, proxies });
    // On the core of whoever measures, who goes first.
    const child = spawn("chrt", ["-i", "0", "taskset", "-c", `${LOAD_CORE}`, process.execPath, pollers, order], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const lines = new Lines(child.stdout);
      const latest = () => JSON.parse(lines.all.at(-1) ?? '{"answers":0,"waiting":0}');
      while (latest().waiting < proxies || latest().answers < proxies) await sleep(200);
      await sleep(1000);
      const perProxy = (resident(pid) - before) / proxies;
      await write(server.port, rate, Math.min(WARM, seconds));
      const answers = latest().answers;
      const cpu = cpuSeconds(pid);
      const start = performance.now();
      const times = await write(server.port, rate, seconds);
      const took = (performance.now() - start) / 1000;
      const busy = (cpuSeconds(pid) - cpu) / took;
      await sleep(1000);
      const disk = syncs(DISK_SYNCS);
      const hundredth = (value: number) => Math.round(value * 100) / 100;
      return {
        ...{ proxies, rate, reached: Math.round(times.length / took) },
        ...{ p50: hundredth(quantile(times, 0.5)), p99: hundredth(quantile(times, 0.99)) },
        ...{ answers: Math.round((latest().answers - answers) / took), busy: hundredth(busy) },
        perProxy: Math.round(perProxy),
        disk: { p50: hundredth(quantile(disk, 0.5)), p99: hundredth(quantile(disk, 0.99)) },
      };
    } finally {
      child.kill();
    }
  });
}

/** Writes leave on time whether or not earlier ones were answered. */
async function write(port: number, rate: number, seconds: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const times: number[] = [];
  const begin = performance.now();
  const all: Promise<void>[] = [];
  for (let index = 0; index < rate * seconds; index++) {
    const due = begin + (index * 1000) / rate - performance.now();
    if (due > 1) await sleep(due);
    all.push(put(index));
  }
  await Promise.all(all);
  agent.destroy();
  return times;

  function put(index: number): Promise<void> {
    const { id, ...route } = routeOf(index % KEYS, `target-${index}`);
    const sent = performance.now();
    return new Promise((resolve, reject) => {
      const options = {
        port,
        agent,
        method: "PUT",
        path: `/v1/routes/${id}`,
        headers: { "content-type": "application/json" },
      };
      const asked = request({ host: "127.0.0.1", ...options }, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`the route server answered ${answer.statusCode}`));
        answer.resume().on("end", () => {
          times.push(performance.now() - sent);
          resolve();
        });
      });
      asked.on("error", reject).end(JSON.stringify(route));
    });
  }
}

function resident(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * 4096;
}

/** Writes 4 KiB so many times over a file beside the stores, and makes each durable before the next. */
function syncs(count: number): number[] {
  const folder = mkdtempSync(join(tmpdir(), "keyway-bench-"));
  const file = openSync(join(folder, "disk"), "w");
  const page = Buffer.alloc(4096, 1);
  const times = Array.from({ length: count }, () => {
    writeSync(file, page, 0, page.length, 0);
    const start = performance.now();
    fdatasyncSync(file);
    return performance.now() - start;
  });
  closeSync(file);
  rmSync(folder, { recursive: true });
  return times;
}
