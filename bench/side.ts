// The side-by-side run: all subjects together, CPU time under full load first, then latency at a fixed rate.

import { BASELINE } from "./lib/bootstrap.ts";
import { cpuRounds, latencyRounds, overFleets, seriesOf } from "./lib/rounds.ts";
import { median, medianRatio, quantile } from "./lib/stats.ts";
import type { Measured } from "./results.ts";
import { baseOf, type Case, NATIVE, PLAIN } from "./subjects.ts";
import type { Ratio } from "./targets.ts";

export { RATE } from "./lib/pace.ts";

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
