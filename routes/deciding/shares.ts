import { latin1Bytes, toLatin1 } from "../model/bytes.ts";
import { hash } from "../model/hash.ts";
import type { SplitRoute } from "../model/model.ts";
import { sourcesOf } from "../model/sources.ts";
import type { U64 } from "../model/u64.ts";
import { toUnits, WHOLE } from "../model/weight.ts";
import type { DecisionInput } from "./input.ts";
import { candidates } from "./scan.ts";

/** The target of the share that falls to a request, null for the rest, and whether only chance decides. */
export type Share = { to: string | null } | "by chance";

/** The same share for the same sticky value and `from`. */
export function chooseShare({ from, split, sticky }: SplitRoute, { headers, cluster }: DecisionInput): Share {
  const shares = split.map(({ to, weight }) => ({ to, units: toUnits(weight) })).filter(({ units }) => units > 0);
  const [first] = shares;
  if (!first) return { to: null };
  if (first.units === WHOLE) return { to: first.to };
  const sources = sticky === undefined ? [] : sourcesOf(sticky);
  const value = sources.flatMap((source) => candidates(source, headers, cluster ?? "")).find((found) => found !== "");
  if (value === undefined) return "by chance";
  const bytes = latin1Bytes(value);
  let point = remainder(hash(bytes, 0, bytes.length, hash(latin1Bytes(toLatin1(from)))), WHOLE);
  for (const { to, units } of shares) {
    if (point < units) return { to };
    point -= units;
  }
  return { to: null };
}

/** What is left of a number after division by another below 2^20. */
function remainder({ lo, hi }: U64, by: number): number {
  return ((hi % by) * (0x1_0000_0000 % by) + lo) % by;
}
