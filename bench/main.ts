// All benchmarks: Envoy's CPU time and latency side by side, its memory, the price of each host call. A table of ratios goes to stdout;
// a full run also writes bench/results.json and the plots, and ends with the live tables of live.ts.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildModule } from "../installer/module/build.ts";
import { crossings } from "./crossings.ts";
import { priceHostCalls } from "./hostcalls.ts";
import { project } from "./lib/compile.ts";
import { machine } from "./lib/machine.ts";
import { memoryUse } from "./memory.ts";
import { plot } from "./plots.ts";
import { showCrossings, showHostCalls, showMemory, showSubjects, showVerdicts } from "./report.ts";
import type { Measured, Results } from "./results.ts";
import { RATE, sideBySide } from "./side.ts";
import { cases, choose } from "./subjects.ts";
import { cpuVerdicts, memoryVerdicts } from "./targets.ts";

const HELP = `usage: npm run bench -- [--quick] [--only SUBJECT,...] [--rounds N]

Measures Envoy under load with Keyway and with everything else that could do its work, in one interleaved run. Takes about
three quarters of an hour, with live tables at its end (bench/live.ts measures them alone). Close other programs: the machine's two first cores are used in full.

  --quick         4 rounds instead of 20; prints, keeps nothing
  --only SUBJECT  only the subject of this name, or those whose names begin so (keyway, lua-1, ...), and those that ratios refer to; keeps nothing
  --rounds N      rounds per subject, of a second each
`;

const options = {
  quick: { type: "boolean" },
  only: { type: "string" },
  rounds: { type: "string" },
  help: { type: "boolean" },
} as const;

function asked() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return wrongUsage((error as Error).message);
  }
}

const values = asked();
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const rounds = Number(values.rounds ?? (values.quick ? 4 : 20));
if (!Number.isInteger(rounds) || rounds < 1) wrongUsage(`--rounds ${values.rounds}: not a whole number, such as 20`);

const on = await machine();
if (on.load > 0.5) {
  console.error(
    `keyway: bench: this machine is busy (load average ${on.load.toFixed(1)}), so the figures will be rough`,
  );
}
await buildModule();
const all = await cases();
const chosen = values.only === undefined ? all : choose(all, values.only.split(","));
if (chosen.length === 0) {
  wrongUsage(`--only ${values.only}: no subject begins so; there are ${all.map(({ name }) => name).join(", ")}`);
}

const { subjects, ratio } = await sideBySide(chosen, rounds);
console.log(showSubjects(subjects));
if (values.only === undefined) {
  await theRest(subjects);
  liveTables();
} else console.log(showVerdicts(cpuVerdicts(ratio)));

async function theRest(subjects: Measured[]): Promise<void> {
  const memory = await memoryUse();
  const hostCalls = await priceHostCalls(values.quick ? 11 : 101);
  const targets = [...cpuVerdicts(ratio), ...memoryVerdicts(memory)];
  const perRequest = crossings();
  const shown = [showMemory(memory), showHostCalls(hostCalls), showCrossings(perRequest), showVerdicts(targets)];
  console.log(shown.join("\n"));
  if (values.quick) return;
  const date = new Date().toISOString().slice(0, 10);
  const taken = { date, machine: on, rounds, rate: RATE };
  const results: Results = { ...taken, subjects, memory, hostCalls, crossings: perRequest, targets };
  writeFileSync(join(project, "bench", "results.json"), `${JSON.stringify(results, null, 1)}\n`);
  plot(results);
}

/** A program of its own, with results of its own: bench/live.json. */
function liveTables(): void {
  const args = [join(project, "bench", "live.ts"), ...(values.quick ? ["--quick"] : [])];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

function wrongUsage(message: string): never {
  console.error(`keyway: bench: ${message}`);
  process.exit(2);
}
