import { toLatin1 } from "../model/bytes.ts";
import type { SplitRoute } from "../model/model.ts";
import { sourcesOf } from "../model/sources.ts";
import { toUnits, WHOLE } from "../model/weight.ts";
import { hash } from "./hash.ts";
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
  let point = Number(hash(value, hash(toLatin1(from))) % BigInt(WHOLE));
  for (const { to, units } of shares) {
    if (point < units) return { to };
    point -= units;
  }
  return { to: null };
}
