// What must hold, and whether it does. Ratios are medians of per-round ratios.
import type { MemoryUse, Verdict } from "./results.ts";

/** The median per-round ratio of two subjects' CPU time, or undefined if one of them did not run. */
export type Ratio = (over: string, under: string) => number | undefined;

const atMost = [
  { what: "no key, to Envoy without the filter", over: "keyway-nokey", under: "envoy", limit: 1.1 },
  { what: "routed, 1 key, to Envoy's own single header route", over: "keyway-1", under: "native-1", limit: 1.25 },
  { what: "routed, 1 key, to the Lua filter", over: "keyway-1", under: "lua-1", limit: 1 },
  { what: "routed, 1 key, to the Rust filter", over: "keyway-1", under: "rust-1", limit: 0.92 },
  { what: "routed, 1 key, to the least module that routes", over: "keyway-1", under: "select", limit: 1.04 },
  { what: "no key, to a module with one empty callback", over: "keyway-nokey", under: "empty", limit: 1.03 },
  { what: "a key without a route, to no key", over: "keyway-noroute", under: "keyway-nokey", limit: 1.08 },
  { what: "no key, 100 routes with twins, to without", over: "routes-100-twins", under: "routes-100", limit: 1.02 },
  { what: "routed, 100,000 keys, to routed, 1 key", over: "keyway-100000", under: "keyway-1", limit: 1.03 },
  {
    what: "routed, 10,000 keys, to Envoy's own 10,000 header routes",
    over: "keyway-10000",
    under: "native-10000",
    limit: 1 / 7,
  },
];

export function cpuVerdicts(ratio: Ratio): Verdict[] {
  return atMost.flatMap(({ what, over, under, limit }) => {
    const value = ratio(over, under);
    return value === undefined ? [] : [verdict(what, value, limit)];
  });
}

export function memoryVerdicts(uses: MemoryUse[]): Verdict[] {
  const inText = uses
    .filter(({ workers }) => workers === 1)
    .map(({ delivery, text, grown }) => verdict(`memory by 100,000 keys, to the text (${delivery})`, grown / text, 4));
  const inWorkers = uses
    .filter(({ workers }) => workers === 4)
    .flatMap((four) => {
      const one = uses.find(({ delivery, workers }) => workers === 1 && delivery === four.delivery);
      return one ? [verdict(`the same, 4 workers to 1 (${four.delivery})`, four.grown / one.grown, 1.2)] : [];
    });
  return [...inText, ...inWorkers];
}

const verdict = (what: string, value: number, limit: number): Verdict => ({
  what,
  value,
  limit,
  passed: value <= limit,
});
