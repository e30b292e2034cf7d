import type { Reference, Share } from "../routes/model/model.ts";
import { WHOLE } from "../routes/model/weight.ts";

const UNITS_A_PERCENT = 10_000;

/** Weights of any sum as percents that are 100 together; a single share has them all, and one of 0 is left out. Undefined for no weight at all. */
export function percents(shares: readonly Share<Reference>[]): Share<Reference>[] | undefined {
  const [only] = shares;
  if (shares.length === 1 && only) return [{ ...only, weight: 100 }];
  const sum = shares.reduce((all, { weight }) => all + weight, 0);
  if (!(sum > 0 && Number.isFinite(sum))) return undefined;
  const units = shares.map(({ to, weight }) => ({ to, weight: Math.floor((weight / sum) * WHOLE + 1e-6) }));
  const positive = units.filter(({ weight }) => weight > 0);
  const rest = WHOLE - positive.reduce((all, { weight }) => all + weight, 0);
  return positive.map(({ to, weight }, at) => {
    return { to, weight: (weight + (at === positive.length - 1 ? rest : 0)) / UNITS_A_PERCENT };
  });
}
