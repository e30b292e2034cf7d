// The side-by-side run: all subjects together, CPU time under full load first, then latency at a fixed rate.

import type { Crossings } from "./crossings.ts";
import type { HostCall } from "./hostcalls.ts";
import { BASELINE } from "./lib/bootstrap.ts";
import type { Machine } from "./lib/machine.ts";
import { cpuRounds, latencyRounds, overFleets, seriesOf } from "./lib/rounds.ts";
import { median, medianRatio, quantile } from "./lib/stats.ts";
import type { MemoryUse } from "./memory.ts";
import { baseOf, type Case, NATIVE, PLAIN } from "./subjects.ts";
import type { Ratio, Verdict } from "./targets.ts";

export { RATE } from "./lib/pace.ts";

export type Measured = {
  name: string;
  title: string;
  family: string;
  keys: number;
  workers: number;
  routed: boolean;
  /** Envoy's CPU time per request; the ratios are medians of per-round ratios, to subjects with as many workers. */
  cpu: { microseconds: number; toNative: number; toPlain: number; rounds: number[] };
  /** Microseconds at the fixed rate. */
  latency: { p50: number; p99: number };
};

/** What bench/results.json holds. */
export type Results = {
  date: string;
  machine: Machine;
  rounds: number;
  rate: number;
  subjects: Measured[];
  memory: MemoryUse[];
  hostCalls: HostCall[];
  crossings: Crossings[];
  targets: Verdict[];
};

export async function sideBySide(chosen: Case[], rounds: number): Promise<{ subjects: Measured[]; ratio: Ratio }> {
  const [costs, latencies] = [seriesOf(chosen), seriesOf(chosen)];
  await overFleets(chosen, rounds, async (running, share) => {
    await cpuRounds(running, share, costs);
    await latencyRounds(running, Math.ceil(share / 3), latencies);
  });
  const ratio: Ratio = (over, under) => {
    const [above, below] = [costs.get(over), costs.get(under)];
    return above && below && medianRatio(above, below);
  };
  const subjects = chosen.map((one) => {
    const { name, title, family, keys, workers = 1, goesTo } = one;
    const spent = costs.get(name) as number[];
    const waited = latencies.get(name) as number[];
    const cpu = {
      microseconds: tenth(median(spent)),
      toNative: ratio(name, baseOf(NATIVE, one)) as number,
      toPlain: ratio(name, baseOf(PLAIN, one)) as number,
      rounds: spent.map(tenth),
    };
    const latency = { p50: tenth(median(waited)), p99: tenth(quantile(waited, 0.99)) };
    return { name, title, family, keys, workers, routed: goesTo !== BASELINE, cpu, latency };
  });
  return { subjects, ratio };
}

const tenth = (value: number): number => Math.round(value * 10) / 10;
