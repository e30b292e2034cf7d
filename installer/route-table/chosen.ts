import { didYouMean } from "../../routes/reading/diagnostic.ts";
import { KeywayError, UsageError } from "../../shared/errors.ts";
import { type FilterFlags, filterOf } from "../cli/table-flags.ts";
import type { RouteTable, TableRoute } from "./table.ts";

/** Names that are offered in place of one that is not there are looked for among so many routes. */
const MOST_HINTS = 10_000;

/** The routes that ids, or else a filter, choose. Throws for an id that is not there; a filter may choose none. */
export async function chosenRoutes(
  table: RouteTable,
  ids: readonly string[],
  flags: FilterFlags,
): Promise<TableRoute[]> {
  const filter = filterOf(flags);
  if (ids.length > 0 && filter) {
    throw new UsageError("ids and a filter exclude each other", {
      next: "give ids alone, or --key, --service and the like alone",
    });
  }
  if (ids.length === 0 && !filter)
    throw new UsageError("which routes?", { next: "give their ids, or --key KEY and the like" });
  if (filter) return (await table.list(filter)).routes;
  const found = await table.get([...new Set(ids)]);
  const missing = ids.filter((id) => !found.some((route) => route.id === id));
  if (missing.length === 0) return found;
  const known = await table.list({}).catch(() => ({ routes: [] as TableRoute[] }));
  const names = known.routes.length <= MOST_HINTS ? known.routes.map(({ id }) => id) : [];
  const hints = missing.map((id) => `there is no route ${id} in ${table.name}${didYouMean(id, names)}`);
  throw new KeywayError(hints.join("\n  "), {
    next: "nothing was changed; `keyway route list` shows the ids that there are",
  });
}
