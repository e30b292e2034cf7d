import type { Route } from "../../routes/model/model.ts";
import { Batch } from "../../routes/table/batch.ts";
import { RouteTable } from "../../routes/table/table.ts";

/** A table made of these routes at once. */
export function tableOf(routes: Iterable<{ id: string; route: Route }>): RouteTable {
  const batch = new Batch();
  for (const { id, route } of routes) batch.set(id, route);
  const table = new RouteTable();
  table.apply(batch);
  return table;
}
