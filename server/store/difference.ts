// What a transaction changes in the routes that are there.
import { isDeepStrictEqual } from "node:util";
import type { LiveRoute, StoredRoute } from "../../routes/model/live-route.ts";
import { Conflict, type Requirement, type Transaction } from "./store.ts";

export interface Difference {
  set: LiveRoute[];
  delete: string[];
  /** In the order of the transaction's `set`: the revision of what stays as it is, else whether it is created. */
  outcomes: ({ kept: number } | { created: boolean })[];
}

/** Throws Conflict where a requirement does not hold. */
export function differenceOf(transaction: Transaction, routes: ReadonlyMap<string, StoredRoute>): Difference {
  for (const requirement of transaction.require ?? []) demand(requirement, routes.get(requirement.id));
  const difference: Difference = { set: [], delete: transaction.delete.filter((id) => routes.has(id)), outcomes: [] };
  for (const route of transaction.set) {
    const before = routes.get(route.id);
    if (before !== undefined && isDeepStrictEqual({ ...route, revision: before.revision }, { ...before })) {
      difference.outcomes.push({ kept: before.revision });
    } else {
      difference.set.push(route);
      difference.outcomes.push({ created: before === undefined });
    }
  }
  return difference;
}

function demand({ id, revision, absent }: Requirement, there: StoredRoute | undefined): void {
  if (absent && there) throw new Conflict(id, `there is a route ${id} already, at revision ${there.revision}`);
  if (!absent && !there) throw new Conflict(id, `there is no route ${id}`);
  if (absent || revision === undefined || there?.revision === revision) return;
  throw new Conflict(id, `the route ${id} has changed: it is at revision ${there?.revision}, not ${revision}`);
}

/** The ids that a transaction names, for its requirements, too. */
export function idsOf({ set, delete: gone, require = [] }: Transaction): string[] {
  return [...set.map(({ id }) => id), ...gone, ...require.map(({ id }) => id)];
}
