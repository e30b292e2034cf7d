// The arguments of npm test: the tiers, and those of vitest's that mean something in a run that counts its tests.
import { parseArgs } from "node:util";
import { type TierName, tierNames } from "./tiers.ts";

export type Arguments = {
  /** None stands for all. */
  tiers: TierName[];
  /** Parts of the paths of the files to run. */
  files: string[];
  options: { testNamePattern?: string; update?: boolean; bail?: number };
};

/** Throws for what is no flag and for what is no tier. */
export function parseArguments(args: string[]): Arguments {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      tier: { type: "string", multiple: true, default: [] },
      testNamePattern: { type: "string", short: "t" },
      update: { type: "boolean", short: "u" },
      bail: { type: "string" },
    },
  });
  const { tier, bail, ...options } = values;
  return {
    tiers: tier.flatMap((names) => names.split(",")).map(tierOf),
    files: positionals,
    options: { ...options, ...(bail !== undefined && { bail: Number(bail) }) },
  };
}

function tierOf(name: string): TierName {
  const tier = tierNames.find((one) => one === name);
  if (tier !== undefined) return tier;
  throw new Error(`--tier "${name}" is no tier; the tiers are ${tierNames.join(", ")}`);
}
