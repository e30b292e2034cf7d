import { isSameService, overlap, type Place } from "../../routes/reading/place.ts";
import { byAge, type OwnRoute, type Sandbox } from "./sandbox.ts";
import { targetText } from "./texts.ts";

/** Two included Sandboxes have different targets for the same requests. */
export interface Conflict {
  /** `NAMESPACE/NAME` of each. */
  includer: string;
  winner: string;
  loser: string;
  service: string;
  /** The targets of winner and loser. */
  targets: readonly [string, string];
}

export interface Included extends OwnRoute {
  sandbox: Sandbox;
}

/** The routes that come from other Sandboxes, the older one's first; `own` are the including one's, which win. */
export function includedRoutes(
  includer: Sandbox,
  own: readonly OwnRoute[],
  others: Iterable<readonly [Sandbox, readonly OwnRoute[]]>,
): { routes: Included[]; conflicts: Conflict[] } {
  const routes: Included[] = [];
  const conflicts: Conflict[] = [];
  const owned = groupByName(own);
  const taken = new Map<string, Included[]>();
  for (const [sandbox, theirs] of [...others].sort(([a], [b]) => byAge(a, b))) {
    for (const { place, route } of theirs) {
      if (owned.get(place.name)?.some((mine) => isSameService(mine.place, place))) continue;
      const there = taken.get(place.name) ?? [];
      taken.set(place.name, there);
      const winner = there.find((one) => overlap(one.place, place));
      if (winner === undefined) {
        const included = { place, route, from: `include ${sandbox.shortName}`, sandbox };
        there.push(included);
        routes.push(included);
      } else if (targetText(winner.route) !== targetText(route)) {
        conflicts.push({
          includer: includer.name,
          winner: winner.sandbox.name,
          loser: sandbox.name,
          service: serviceOfPlace(place),
          targets: [targetText(winner.route), targetText(route)],
        });
      }
    }
  }
  return { routes, conflicts };
}

function groupByName(routes: readonly OwnRoute[]): Map<string, OwnRoute[]> {
  const groups = new Map<string, OwnRoute[]>();
  for (const one of routes) {
    const group = groups.get(one.place.name);
    if (group) group.push(one);
    else groups.set(one.place.name, [one]);
  }
  return groups;
}

function serviceOfPlace({ name, namespace, port }: Place): string {
  return `${name}${namespace === undefined ? "" : `.${namespace}`}${port === undefined ? "" : `:${port}`}`;
}
