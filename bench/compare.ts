// Two builds of the module side by side: Envoy's CPU per request with each, as ratios to each other, to Envoy's own single header
// route and to Envoy with no filter.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { BASELINE, TARGET } from "./lib/bootstrap.ts";
import type { Subject } from "./lib/fleet.ts";
import { anyOf, lastOf, noKey, noRoute } from "./lib/load.ts";
import { cpuRounds, overFleets, seriesOf } from "./lib/rounds.ts";
import { headerRoutes, keywayConfiguration, noFilter, wasm } from "./lib/sites.ts";
import { quantile } from "./lib/stats.ts";

// Other work on the machine only ever adds to a round's cost, so the cheap rounds of each are the ones least disturbed.
const QUIET = 0.15;
const usage =
  "usage: node bench/compare.ts A.wasm B.wasm [--case routed|nokey|noroute] [--keys N] [--workers N] [--rounds N]";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    case: { type: "string", default: "routed" },
    keys: { type: "string", default: "1" },
    workers: { type: "string", default: "1" },
    rounds: { type: "string", default: "20" },
  },
});
const keys = Number(values.keys);
const load = { routed: anyOf(keys), nokey: noKey, noroute: noRoute }[values.case];
if (load === undefined || positionals.length !== 2) {
  console.error(usage);
  process.exit(2);
}

const [a, b] = positionals as [string, string];
const goesTo = values.case === "routed" ? TARGET : BASELINE;
const workers = Number(values.workers);
const module = (file: string) => wasm(resolve(file), keywayConfiguration(keys));
const subjects: Subject[] = [
  { name: "native", site: headerRoutes(1), load: lastOf(1), goesTo: TARGET, workers },
  { name: "none", site: noFilter, load, goesTo: BASELINE, workers },
  { name: "A", site: module(a), load, goesTo, workers },
  { name: "B", site: module(b), load, goesTo, workers },
];
const costs = seriesOf(subjects);
await overFleets(subjects, Number(values.rounds), (running, share) => cpuRounds(running, share, costs));
const of = (name: string) => costs.get(name) as number[];

function compare(over: string, under: string): void {
  const ratios = of(over).map((cost, round) => cost / (of(under)[round] as number));
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(ratios, share).toFixed(3));
  const quiet = quantile(of(over), QUIET) / quantile(of(under), QUIET);
  console.log(`${over} / ${under}`.padEnd(16), middle, ` quartiles ${low} ${high}, quiet rounds ${quiet.toFixed(3)}`);
}

for (const { name } of subjects) console.log(`${name} us/request`.padEnd(18), quantile(of(name), 0.5).toFixed(1));
compare("B", "A");
for (const name of ["A", "B"]) for (const under of ["native", "none"]) compare(name, under);
