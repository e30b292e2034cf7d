// How soon Signadot's own Go SDK routes by a change, and what a hundred thousand rules take to reach it.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { signadotClients } from "../../scripts/parts/signadot.ts";
import type { RouteServer } from "../../scripts/proxy/route-server.ts";
import { quantile } from "../lib/stats.ts";
import { apply, withServer } from "../live/bed.ts";
import { residentOf } from "./controller.ts";

const WORKLOAD = { kind: "Deployment", namespace: "demo", name: "reviews", port: 9080 };
const BATCH = 25_000;

export interface Signadot {
  /** Milliseconds from the server's answer to a write until GetTarget gives the new target. */
  p50: number;
  p99: number;
  changes: number;
  rules: number;
  /** Milliseconds from the SDK's start until it has all of them. */
  sync: number;
  /** Bytes of memory that the server takes more while it gives them out. */
  resident: number;
}

export async function signadot(changes: number, rules: number): Promise<Signadot> {
  const flags = ["--signadot-grpc", "127.0.0.1:0", "--signadot-rest", "127.0.0.1:0"];
  const times = await withServer((server) => changesOf(server, changes), ...flags);
  const many = await withServer((server) => syncOf(server, rules), ...flags);
  const at = (share: number) => Math.round(quantile(times, share) * 10) / 10;
  return { p50: at(0.5), p99: at(0.99), changes, rules, ...many };
}

async function changesOf(server: RouteServer, changes: number): Promise<number[]> {
  const application = await start(server);
  const times: number[] = [];
  try {
    await application.ask("target 9080 pr-1");
    for (let change = 0; change < changes; change++) {
      const to = `round-${change}`;
      const arrived = application.ask(`until 9080 pr-1 ${to}.demo.svc:9080`);
      await apply(server, [rule("pr-1", to)]);
      const answered = performance.timeOrigin + performance.now();
      times.push(Math.max(0, Number(await arrived) / 1000 - answered));
      await sleep(10);
    }
  } finally {
    application.end();
  }
  return times;
}

async function syncOf(server: RouteServer, rules: number): Promise<Pick<Signadot, "sync" | "resident">> {
  for (let from = 0; from < rules; from += BATCH) {
    const length = Math.min(BATCH, rules - from);
    await apply(
      server,
      Array.from({ length }, (_, index) => rule(`key-${from + index}`, "reviews-b")),
    );
  }
  await sleep(3000);
  const before = residentOf(server);
  const begun = performance.now();
  const application = await start(server);
  try {
    // Rules come in the order of their keys as texts.
    for (const key of ["key-0", `key-${rules - 1}`]) {
      await application.ask(`until 9080 ${key} reviews-b.demo.svc:9080`);
    }
    return { sync: Math.round(performance.now() - begun), resident: residentOf(server) - before };
  } finally {
    application.end();
  }
}

const rule = (key: string, to: string) => ({ id: key, service: "reviews", key, to, workload: WORKLOAD });

/** An application with the SDK; it answers lines with lines. */
async function start(server: RouteServer) {
  const line = server.log.all.find((one) => one.includes('"signadotGrpc"'));
  const address = /"signadotGrpc":"([^"]+)"/.exec(line ?? "")?.[1] ?? "";
  const env = {
    SIGNADOT_ROUTESERVER: address,
    SIGNADOT_BASELINE_KIND: WORKLOAD.kind,
    SIGNADOT_BASELINE_NAMESPACE: WORKLOAD.namespace,
    SIGNADOT_BASELINE_NAME: WORKLOAD.name,
  };
  const child: ChildProcess = spawn(join(await signadotClients(), "probe"), {
    env,
    stdio: ["pipe", "pipe", "ignore"],
  });
  if (!child.stdout) throw new Error("the application has no output");
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    async ask(text: string): Promise<string> {
      child.stdin?.write(`${text}\n`);
      const { value } = await lines.next();
      if (value === undefined) throw new Error("the application has died");
      return value;
    },
    end: () => void child.kill("SIGKILL"),
  };
}
