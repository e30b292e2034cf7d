// Carries out what was planned for a table, and prints what became of each route.
import { KeywayError } from "../../shared/errors.ts";
import type { Io } from "../../shared/io.ts";
import { count, emit, type Format } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import type { ChangeFlags, WaitFlag } from "../cli/table-flags.ts";
import { diffTexts } from "../print/diff.ts";
import { routeTable, routeYaml } from "../print/routes.ts";
import { ServerRefusal } from "../server-client/refusal.ts";
import { waitForProxies } from "./in-force.ts";
import type { PlannedRoute } from "./plan.ts";
import { type RouteTable, type TableRoute, withExpiry } from "./table.ts";

export interface ChangeOptions extends ChangeFlags, WaitFlag {
  output: Format;
  /** Where a person wrote a field of a route that the table refuses: `routes.yaml:3:5: routes[1].to`. */
  placeOf(id: string, path: string): string;
  /** What to do about a refusal of the routes as they are. */
  mend: string;
}

/** Tables of more routes are told by their numbers. */
const MOST_LINES = 1000;

export async function change(
  io: Io,
  table: RouteTable,
  plan: readonly PlannedRoute[],
  options: ChangeOptions,
): Promise<void> {
  const { dryRun = false, diff = false, output } = options;
  const changes = plan.filter(({ outcome }) => outcome !== "unchanged");
  if (diff) {
    const both = changes.map(({ after, ...one }) => ({ ...one, ...(after && { after: withExpiry(after) }) }));
    emit(io, output, both, () =>
      both.map(({ id, before, after }) => diffTexts(routeYaml(before), routeYaml(after), id)).join(""),
    );
    progress(io).done(`nothing was changed; it would be: ${summary(plan)}`);
    return;
  }
  const revision = dryRun ? undefined : await commit(io, table, changes, options);
  const shown = dryRun ? plan.map(({ after, before }) => routeOf(after, before)) : await asTheyAre(table, plan);
  const suffix = dryRun ? " (dry run)" : "";
  const outcomes = plan.map(({ id, outcome }) => ({ id, outcome: `${outcome}${suffix}` }));
  const result = { routes: shown, outcomes, ...(revision !== undefined && { revision }) };
  const lines =
    shown.length <= MOST_LINES ? shown.map((route, index) => ({ route, outcome: outcomes[index]?.outcome ?? "" })) : [];
  // Standard output is where the file itself goes.
  const sink = table.name === "standard input" && !dryRun ? { ...io, out: io.err } : io;
  emit(sink, output, result, () => {
    const cells = lines.map(({ outcome }) => outcome);
    return lines.length === 0
      ? ""
      : routeTable(
          sink,
          lines.map(({ route }) => route),
          ["outcome", cells],
        );
  });
  if (plan.length !== 1) progress(io).done(`${summary(plan)}${suffix} in ${table.name}`);
  if (options.wait !== undefined) await waitForProxies(io, table, revision, options.wait);
}

async function commit(
  io: Io,
  table: RouteTable,
  changes: readonly PlannedRoute[],
  options: ChangeOptions,
): Promise<number | undefined> {
  const set = changes.flatMap(({ after }) => after ?? []);
  const gone = changes.filter(({ outcome }) => outcome === "deleted").map(({ id }) => id);
  try {
    return await table.commit({ set, delete: gone }, (text) => progress(io).update(text));
  } catch (thrown) {
    if (!(thrown instanceof ServerRefusal) || thrown.details.length === 0) throw thrown;
    const lines = thrown.details.map(({ path, message }) => {
      const [, at, rest = ""] = /^set\[(\d+)\]\.?(.*)$/.exec(path) ?? [];
      const id = at === undefined ? undefined : set[Number(at)]?.id;
      return id === undefined ? `${path && `${path}: `}${message}` : `${options.placeOf(id, rest)}: ${message}`;
    });
    const what = lines.length === 1 ? lines[0] : `${table.name} refuses the routes\n  ${lines.join("\n  ")}`;
    throw new KeywayError(what ?? thrown.message, {
      where: thrown.where ?? table.name,
      next: options.mend,
      cause: thrown,
    });
  }
}

/** The routes of a plan that was carried out; how long a ttl lasts is for the table's own clock to say. */
async function asTheyAre(table: RouteTable, plan: readonly PlannedRoute[]): Promise<TableRoute[]> {
  const withTtl = plan.flatMap(({ after }) => (after?.ttl === undefined ? [] : after.id));
  const read = withTtl.length > 0 && withTtl.length <= MOST_LINES ? await table.get(withTtl) : [];
  const byId = new Map(read.map((route) => [route.id, route]));
  return plan.map(({ id, after, before }) => byId.get(id) ?? routeOf(after, before));
}

function routeOf(after: PlannedRoute["after"], before: PlannedRoute["before"]): TableRoute {
  const route = after ? withExpiry(after) : before;
  if (route === undefined) throw new Error("a planned route is neither there before nor after");
  return route;
}

function summary(plan: readonly PlannedRoute[]): string {
  const numbers = Map.groupBy(plan, ({ outcome }) => outcome);
  const parts = [...numbers].map(([outcome, { length }]) => `${length} ${outcome}`);
  return parts.length === 0 ? count(0, "route", "routes") : parts.join(", ");
}
