import { isDeepStrictEqual } from "node:util";
import { inOrder } from "../../routes/model/live-route.ts";
import type { TableRoute, WantedRoute } from "./table.ts";

export type Outcome = "created" | "changed" | "renewed" | "unchanged" | "deleted";

/** What becomes of one route. */
export interface PlannedRoute {
  id: string;
  outcome: Outcome;
  before?: TableRoute;
  after?: WantedRoute;
}

/** What putting these routes into a table does to it, in their order. */
export function planSet(wanted: readonly WantedRoute[], there: readonly TableRoute[]): PlannedRoute[] {
  const known = new Map(there.map((route) => [route.id, route]));
  return wanted.map((after) => {
    const before = known.get(after.id);
    return { id: after.id, outcome: outcomeOf(before, after), ...(before && { before }), after };
  });
}

export function planDelete(there: readonly TableRoute[]): PlannedRoute[] {
  return there.map((before) => ({ id: before.id, outcome: "deleted", before }));
}

function outcomeOf(before: TableRoute | undefined, { ttl, ...after }: WantedRoute): Outcome {
  if (before === undefined) return "created";
  if (ttl === undefined) return isDeepStrictEqual(inOrder(before), inOrder(after)) ? "unchanged" : "changed";
  const { expires: _, ...rest } = before;
  return isDeepStrictEqual(inOrder(rest), inOrder(after)) ? "renewed" : "changed";
}
