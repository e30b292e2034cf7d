// What live tables cost and how soon changes are in force: a table goes to stdout; a full run also writes bench/live.json and the plots.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildModule } from "../installer/module/build.ts";
import { lineChart } from "./lib/chart.ts";
import { project } from "./lib/compile.ts";
import { type Machine, machine } from "./lib/machine.ts";
import { type ChangeCost, changeCost } from "./live/change.ts";
import { type Churn, churn } from "./live/churn.ts";
import { type LiveCost, liveCost } from "./live/cost.ts";
import { type Effect, timeToEffect } from "./live/effect.ts";
import { type Replaced, replaceAll } from "./live/replace.ts";
import { type TableSize, tableSizes } from "./live/size.ts";
import { type Writes, writesUnderPolls } from "./live/writes.ts";
import { table } from "./report.ts";

interface Results {
  date: string;
  machine: Machine;
  effects: Effect[];
  sizes: TableSize[];
  cost: LiveCost;
  changes: ChangeCost[];
  churn: Churn;
  writes: Writes;
  replaced: Replaced;
}

type Row = [what: string, value: string, aim: string];
type Part = Exclude<keyof Results, "date" | "machine">;

const MEBIBYTE = 2 ** 20;
const keys = (count: number) => `${count.toLocaleString("en")} keys`;
const FILE = join(project, "bench", "live.json");
const { values } = parseArgs({
  options: { quick: { type: "boolean" }, plot: { type: "boolean" }, only: { type: "string" } },
});

if (values.plot) plot(JSON.parse(readFileSync(FILE, "utf8")));
else await measure(values.quick === true, values.only?.split(","));
process.exit(0);

/** Measures all parts or those named; what is measured takes the place of the earlier figures, unless in a quick run. */
async function measure(quick: boolean, only?: string[]): Promise<void> {
  const parts = partsOf(quick);
  const names = only ?? Object.keys(parts);
  for (const name of names) {
    if (name in parts) continue;
    console.error(`keyway: bench: --only ${name}: no such part; there are ${Object.keys(parts).join(", ")}`);
    process.exit(2);
  }
  const on = await machine();
  await buildModule();
  const measured: Partial<Results> = only ? {} : { date: new Date().toISOString().slice(0, 10), machine: on };
  for (const name of names as Part[]) Object.assign(measured, { [name]: await parts[name]() });
  console.log(shown(measured));
  if (quick) return;
  const results: Results = only ? { ...JSON.parse(readFileSync(FILE, "utf8")), ...measured } : (measured as Results);
  writeFileSync(FILE, `${JSON.stringify(results, null, 1)}\n`);
  plot(results);
}

function partsOf(quick: boolean): { [Name in Part]: () => Promise<Results[Name]> } {
  const most = quick ? 10_000 : 1_000_000;
  const each = async <T>(sizes: number[], one: (keys: number) => Promise<T>): Promise<T[]> => {
    const all: T[] = [];
    for (const keys of sizes) all.push(await one(keys));
    return all;
  };
  return {
    effects: () =>
      each(quick ? [10] : [10, 100, 1000, 5000, 100_000], (keys) => timeToEffect(keys, 20, 2, quick ? 20 : 60)),
    sizes: () => tableSizes(quick ? [most] : [1000, 10_000, 100_000, most], [1, 4]),
    cost: () => liveCost(most, quick ? 4 : 12),
    changes: () => each([1000, most], (keys) => changeCost(keys, quick ? 200 : 1000)),
    churn: () => churn(5000, quick ? 2000 : 100_000),
    writes: () => writesUnderPolls(quick ? 200 : 2000, quick ? 100 : 1000, quick ? 3 : 20),
    replaced: () => replaceAll(most),
  };
}

/** The parts that were measured. */
function shown({ effects = [], sizes = [], cost, changes = [], churn, writes, replaced }: Partial<Results>): string {
  const rows: Row[] = [
    ...effects.flatMap((one): Row[] => {
      const what = `a change in ${keys(one.keys)}, to its effect in all workers`;
      return [
        [`${what} of ${one.proxies} proxies on one core: p50, p99`, `${one.p50} ms, ${one.p99} ms`, "50 ms"],
        [`${what} of one proxy: p50, p99`, `${one.alone.p50} ms, ${one.alone.p99} ms`, ""],
      ];
    }),
    ...sizes.flatMap((one): Row[] => {
      const what = `${keys(one.keys)}, ${one.workers} ${one.workers > 1 ? "workers" : "worker"}`;
      return [
        [
          `${what}: complete after; after the server has compiled it`,
          `${(one.ms / 1000).toFixed(2)} s; ${(one.firstMs / 1000).toFixed(2)} s`,
          "3 s",
        ],
        [`${what}: more resident memory`, `${(one.resident / MEBIBYTE).toFixed(1)} MiB`, "96 MiB"],
        [`${what}: p99 of requests meanwhile, to afterwards`, (one.p99During / one.p99After).toFixed(2), "1.5"],
      ];
    }),
    ...(cost ? requestRows(cost) : []),
    ...changes.map(
      (one): Row => [
        `a change of one route among ${keys(one.keys)}: bytes; CPU of server, of proxy`,
        `${one.bytes}; ${one.server} us, ${one.proxy} us`,
        one === changes[0] ? "" : "1.5 times the first",
      ],
    ),
    ...(churn ? [churnRow(churn)] : []),
    ...(writes ? writeRows(writes) : []),
    ...(replaced ? replacedRows(replaced) : []),
  ];
  return table(["Live tables", "measured", "at most"], rows);
}

function requestRows(cost: LiveCost): Row[] {
  return [
    [`CPU of a request, ${keys(cost.keys)} to 1 key`, cost.manyToOne.toFixed(3), "1.03"],
    [
      "a read of shared data: the same 1 KB; 1 KB of 41,667 at random",
      `${cost.sameRead} ns; ${cost.randomRead} ns`,
      "",
    ],
    ["CPU of a request, live to inline", cost.liveToInline.toFixed(3), "1.01"],
    ["CPU of a request, a Lua filter that asks the server, to live", cost.askingToLive.toFixed(2), ""],
    ["p50 of a request, a Lua filter that asks the server; live", `${cost.askingP50} ms; ${cost.liveP50} ms`, ""],
  ];
}

function churnRow({ changes, allocated, resident }: Churn): Row {
  return [
    `${changes.toLocaleString("en")} changes: growth of allocated and resident memory`,
    `${(allocated / MEBIBYTE).toFixed(2)} MiB, ${(resident / MEBIBYTE).toFixed(2)} MiB`,
    "2 MiB",
  ];
}

function writeRows({ reached, proxies, p50, p99, perProxy, disk }: Writes): Row[] {
  return [
    [
      `${reached} durable writes a second, ${proxies.toLocaleString("en")} proxies: p50, p99`,
      `${p50} ms, ${p99} ms`,
      "20 ms",
    ],
    ["the disk itself, to make 4 KiB durable: p50, p99", `${disk.p50} ms, ${disk.p99} ms`, ""],
    ["the server's memory for each waiting proxy", `${(perProxy / 1024).toFixed(0)} KiB`, ""],
  ];
}

function replacedRows({ keys: count, answered, inForce, turn, idleTurn, p99During, p99After }: Replaced): Row[] {
  const what = `${keys(count)} replaced in one transaction`;
  return [
    [`${what}: answered after; in force after`, `${answered} s; ${inForce} s`, ""],
    [`${what}: a turn of the proxy's worker, p99; longest`, `${turn.p99} ms; ${turn.longest} ms`, ""],
    ["the same while nothing changes", `${idleTurn.p99} ms; ${idleTurn.longest} ms`, ""],
    [`${what}: p99 of requests meanwhile, to afterwards`, (p99During / p99After).toFixed(2), ""],
  ];
}

function plot({ effects, sizes }: Results): void {
  const write = (name: string, svg: string) => writeFileSync(join(project, "docs", "plots", `${name}.svg`), svg);
  const green = { color: "#0f766e", bold: true };
  const blue = { color: "#1d4ed8" };
  write(
    "effect",
    lineChart("A change, until it is in force", "All workers of 20 proxies; less is better", "milliseconds", [
      {
        title: "From the server's answer",
        series: [
          { label: "p50", ...green, points: effects.map(({ keys, p50 }) => ({ keys, value: p50 })) },
          { label: "p99", ...blue, points: effects.map(({ keys, p99 }) => ({ keys, value: p99 })) },
        ],
      },
    ]),
  );
  const one = sizes.filter(({ workers }) => workers === 1);
  const four = sizes.filter(({ workers }) => workers === 4);
  const memory = ({ keys, resident }: TableSize) => ({ keys, value: Math.max(resident / 1024, 1) });
  write(
    "table-memory",
    lineChart("Resident memory of a table in one proxy", "Whatever the number of workers; less is better", "KiB", [
      {
        title: "By the number of keys",
        series: [
          { label: "1 worker", ...green, points: one.map(memory) },
          { label: "4 workers", ...blue, points: four.map(memory) },
        ],
      },
    ]),
  );
  write(
    "table-time",
    lineChart("Time until a proxy holds its table", "From its start; less is better", "milliseconds", [
      {
        title: "By the number of keys",
        series: [
          { label: "compiled", ...green, points: one.map(({ keys, ms }) => ({ keys, value: ms })) },
          { label: "first of its scope", ...blue, points: one.map(({ keys, firstMs }) => ({ keys, value: firstMs })) },
        ],
      },
    ]),
  );
}
