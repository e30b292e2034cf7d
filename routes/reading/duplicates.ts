import type { Condition } from "../model/model.ts";
import type { Diagnostic } from "./diagnostic.ts";

interface Keyed {
  from?: unknown;
  key?: string;
  when?: Condition[];
}

/** Key routes that repeat the baseline, the key and the conditions of an earlier one. */
export function duplicates(routes: readonly Keyed[]): Diagnostic[] {
  return repeats(routes).map(({ at, earlier, what }) => {
    return { path: ["routes", at], message: `same ${what} as routes[${earlier}]` };
  });
}

export interface Repeat {
  /** Places in the list. */
  at: number;
  earlier: number;
  /** What is the same in both. */
  what: string;
}

export function repeats(routes: readonly Keyed[]): Repeat[] {
  const seen = new Map<string, number>();
  return routes.flatMap((route, index) => {
    if (route.key === undefined) return [];
    const identity = JSON.stringify([route.from, route.key, (route.when ?? []).map(conditionIdentity)]);
    const earlier = seen.get(identity);
    if (earlier === undefined) seen.set(identity, index);
    const what = route.when ? "from, key and conditions" : "from and key";
    return earlier === undefined ? [] : [{ at: index, earlier, what }];
  });
}

/** Equal for conditions that say the same, in whatever order their fields stand. */
export function conditionIdentity({ header, not, ...rest }: Condition): unknown {
  const said = { ...rest, ...(header !== undefined && { header: header.toLowerCase() }), ...(not && { not }) };
  return Object.entries(said).sort(([a], [b]) => (a < b ? -1 : 1));
}
