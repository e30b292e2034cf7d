// What the memory of traces was held to: a chain of four services at 500 traces at once, ten million traces, ten million hostile headers. A table goes to
// stdout, the figures to bench/trace.json; a part that is measured anew takes the place of its earlier figures, and further runs of the chain are added with --more.
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { wrk } from "../scripts/parts/wrk.ts";
import { NONE, ROUTED, startServices, UNROUTED } from "../test/envoy/bed/service-chain.ts";
import { attack, flood, known, randomFrom, sizeOf } from "../test/host/trace-load.ts";
import { counted, workload } from "../test/host/workload.ts";
import { project } from "./lib/compile.ts";
import { machine } from "./lib/machine.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "chain,evicted,memory,hostile" },
    seconds: { type: "string", default: "300" },
    more: { type: "boolean", default: false },
    keep: { type: "boolean", default: true },
  },
  allowNegative: true,
});
const FILE = join(project, "bench", "trace.json");
const SERVICES = 4;
const AT_ONCE = 500;
const run = promisify(execFile);

type Figures = Record<string, number | Record<string, number>>;

/** `requests` counts each trace once for each service; `evicted` are ids that were forgotten, most of them of traces that had ended. */
async function chain(seconds: number, trace: object): Promise<Figures> {
  const services = await startServices({ trace, concurrency: 2 });
  try {
    const shape = [
      "-t1",
      `-c${AT_ONCE}`,
      `-d${seconds}s`,
      "--timeout",
      "30s",
      "-s",
      join(project, "bench", "traces.lua"),
    ];
    const drawn = [String(Date.now() % 1_000_000), NONE, ...ROUTED, ...UNROUTED];
    const started = performance.now();
    const { stdout } = await run(await wrk(), [...shape, `http://127.0.0.1:${services.port}/`, "--", ...drawn]);
    const took = (performance.now() - started) / 1000;
    const [, , failed] = /RESULT (\d+) (\d+)/.exec(stdout) ?? [];
    const { right, lost, wrong } = await services.arrived();
    const counters = await services.counters();
    const sum = (name: string) => counters.reduce((total, own) => total + (own[`keyway_${name}`] ?? 0), 0);
    const traces = right + lost + wrong;
    return {
      ...{
        traces,
        requests: traces * SERVICES,
        atOnce: AT_ONCE,
        seconds: Math.round(took),
        right,
        lost,
        wrong,
        failed: Number(failed),
      },
      ...{
        recovered: sum("requests_recovered"),
        evicted: sum("traces_evicted"),
        conflicting: sum("traces_conflicting"),
      },
    };
  } finally {
    await services.stop();
  }
}

function memory(): Figures {
  const traces = 10_000_000;
  const one = workload({ trace: { entries: 16384 } });
  const started = performance.now();
  flood(one, 0, 500_000);
  const full = sizeOf(one);
  let most = full;
  for (let from = 500_000; from < traces; from += 500_000) {
    flood(one, from, from + 500_000);
    const now = sizeOf(one);
    if (now.values > most.values || now.sharedBytes > most.sharedBytes || now.moduleBytes > most.moduleBytes)
      most = now;
  }
  const remembered = known(one, traces - 200_000, traces);
  return {
    traces,
    entries: 16384,
    remembered,
    evicted: counted(one, "traces_evicted"),
    full,
    most,
    seconds: secondsSince(started),
  };
}

function hostile(): Figures {
  const one = workload({ trace: { entries: 16384 } });
  const random = randomFrom(20261126);
  const started = performance.now();
  attack(one, 20_000, random);
  const before = sizeOf(one);
  let headers = 0;
  while (headers < 10_000_000) headers += attack(one, 10_000, random);
  const after = sizeOf(one);
  return {
    headers,
    moduleBytesBefore: before.moduleBytes,
    moduleBytesAfter: after.moduleBytes,
    sharedBytes: after.sharedBytes,
    values: after.values,
    seconds: secondsSince(started),
  };
}

function secondsSince(started: number): number {
  return Math.round((performance.now() - started) / 1000);
}

const seconds = Number(values.seconds);
const parts: Record<string, () => Figures | Promise<Figures>> = {
  chain: () => chain(seconds, {}),
  evicted: () => chain(Math.min(seconds, 30), { entries: 1024 }),
  memory,
  hostile,
};
const results = read();
for (const name of values.only.split(",")) {
  const part = parts[name];
  if (part === undefined) throw new Error(`no part "${name}": there are ${Object.keys(parts).join(", ")}`);
  const figures = await part();
  console.log(name.padEnd(8), JSON.stringify(figures));
  results[name] = name === "chain" && values.more && results.chain ? added(results.chain as Figures, figures) : figures;
}
if (values.keep) {
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(FILE, `${JSON.stringify({ ...results, date, machine: await machine() }, null, 2)}\n`);
}

function read(): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(FILE, "utf8"));
  } catch {
    return {};
  }
}

function added(before: Figures, more: Figures): Figures {
  const total = Object.entries(more).map(([name, value]) => [
    name,
    name === "atOnce" ? value : Number(before[name]) + Number(value),
  ]);
  return Object.fromEntries(total);
}
