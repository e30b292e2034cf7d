import { median, quantile } from "./stats.ts";

/** Prints each series of costs in microseconds, and the median and quartiles of its ratios, round by round, to the one that it is compared with. */
export function printRatios(costs: ReadonlyMap<string, number[]>, baseOf: (name: string) => string): void {
  const width = Math.max(...[...costs.keys()].map((name) => name.length));
  for (const [name, own] of costs) {
    const base = costs.get(baseOf(name)) as number[];
    const ratios = own.map((cost, round) => cost / (base[round] as number));
    const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(ratios, share).toFixed(3));
    console.log(
      `${name.padEnd(width)} ${median(own).toFixed(1).padStart(6)} us  ${middle}  (quartiles ${low} ${high})`,
    );
  }
}
