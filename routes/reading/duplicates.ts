import type { Condition, Route } from "../model/model.ts";
import type { Diagnostic } from "./diagnostic.ts";

/** Key routes that repeat the baseline, the key and the conditions of an earlier one. */
export function duplicates(routes: readonly Route[]): Diagnostic[] {
  const seen = new Map<string, number>();
  return routes.flatMap((route, index) => {
    if (!("key" in route)) return [];
    const identity = JSON.stringify([route.from, route.key, (route.when ?? []).map(identityOf)]);
    const earlier = seen.get(identity);
    if (earlier === undefined) seen.set(identity, index);
    const what = route.when ? "from, key and conditions" : "from and key";
    return earlier === undefined ? [] : [{ path: ["routes", index], message: `same ${what} as routes[${earlier}]` }];
  });
}

/** Equal for conditions that say the same, in whatever order their fields stand. */
function identityOf({ header, not, ...rest }: Condition): unknown {
  const said = { ...rest, ...(header !== undefined && { header: header.toLowerCase() }), ...(not && { not }) };
  return Object.entries(said).sort(([a], [b]) => (a < b ? -1 : 1));
}
