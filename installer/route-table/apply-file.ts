// The routes of a route file become those of a server or a cluster.
import { inOrder } from "../../routes/model/live-route.ts";
import { ConfigurationError, type Path } from "../../routes/reading/diagnostic.ts";
import type { ListedRoute, RouteList } from "../../routes/reading/route-list.ts";
import { UsageError } from "../../shared/errors.ts";
import { nameOf, readInput, withFileErrors } from "../../shared/input.ts";
import type { Io } from "../../shared/io.ts";
import { count, type Format } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import type { ChangeFlags, WaitFlag } from "../cli/table-flags.ts";
import { labelsOf } from "../route-words/wanted.ts";
import { change } from "./change.ts";
import { readRouteList } from "./in-file.ts";
import { planDelete, planSet } from "./plan.ts";
import type { RouteTable, TableRoute, WantedRoute } from "./table.ts";

interface FileFlags extends ChangeFlags, WaitFlag {
  /** The file's path. */
  routes: string;
  owner?: string;
  label?: string[];
  output: Format;
}

/** Up to so many routes are asked for one by one; of more all that there are. */
const MOST_SINGLE = 64;

export async function applyFile(io: Io, table: RouteTable, flags: FileFlags & { prune?: boolean }): Promise<void> {
  const { owner, label = [], prune } = flags;
  if (prune && owner === undefined && label.length === 0) {
    throw new UsageError("--prune needs --owner or --label", { next: "say whose routes may go, so that others' stay" });
  }
  const file = readRouteFile(io, flags.routes, await readInput(flags.routes, io), flags);
  const scope = { ...(owner !== undefined && { owner }), ...(label.length > 0 && { labels: label }) };
  if (prune) refuseUnscoped(flags, file);
  const there = await present(table, file.wanted, io);
  const ids = new Set(file.list.routes.filter(({ expired }) => !expired).map(({ route }) => route.id));
  const former = prune ? (await table.list(scope)).routes.filter(({ id }) => !ids.has(id)) : [];
  await change(io, table, [...planSet(file.wanted, there), ...planDelete(former)], { ...flags, ...file.told });
}

export interface ReadFile {
  list: RouteList;
  wanted: WantedRoute[];
  told: { placeOf(id: string, path: string): string; mend: string };
}

/** The routes of a route file's text, with the owner and labels that are given to those that say none. */
export function readRouteFile(
  io: Io,
  path: string,
  text: string,
  { owner, label = [] }: { owner?: string; label?: string[] },
): ReadFile {
  const list = readRouteList(path, text);
  const labels = labelsOf(label);
  const steps = progress(io);
  if (list.settings.length > 0) {
    steps.warn(
      `${nameOf(path)}: ${list.settings.join(", ")}: settings of proxies, and no part of the live table; they stay where they are`,
    );
  }
  const expired = list.routes.filter((one) => one.expired);
  if (expired.length > 0) {
    const places = expired.slice(0, 3).map(({ index }) => placeIn(path, list, ["routes", index]));
    steps.warn(
      `${count(expired.length, "route is", "routes are")} passed over, whose time is over: ${places.join(", ")}${expired.length > 3 ? ", …" : ""}`,
    );
  }
  const lasting = list.routes.filter((one) => !one.expired);
  const indices = new Map(lasting.map(({ route, index }) => [route.id, index]));
  return {
    list,
    wanted: lasting.map((one) => ({ ...stamped(one, owner, labels), ...(one.ttl !== undefined && { ttl: one.ttl }) })),
    told: {
      placeOf: (id, field) => placeIn(path, list, ["routes", indices.get(id) ?? 0, ...stepsOf(field)]),
      mend: `mend ${nameOf(path)} and run the command again; nothing was changed`,
    },
  };
}

export function stamped(
  { route }: Pick<ListedRoute, "route">,
  owner: string | undefined,
  labels: Record<string, string>,
): WantedRoute {
  const all = { ...labels, ...route.labels };
  return inOrder({
    ...route,
    ...(owner !== undefined && { owner: route.owner ?? owner }),
    ...(Object.keys(all).length > 0 && { labels: all }),
  });
}

/** A route that --prune would not find again would stay for good. */
function refuseUnscoped({ routes: path, owner, label = [] }: FileFlags, { list, wanted }: ReadFile): void {
  const labels = labelsOf(label);
  const diagnostics = wanted.flatMap((route, at) => {
    const index = list.routes.filter(({ expired }) => !expired)[at]?.index ?? 0;
    const path = ["routes", index];
    if (owner !== undefined && route.owner !== owner)
      return [{ path: [...path, "owner"], message: `not ${owner}, as --owner says` }];
    const same = Object.entries(labels).every(([name, value]) => route.labels?.[name] === value);
    return same ? [] : [{ path: [...path, "labels"], message: "not those that --label says" }];
  });
  if (diagnostics.length > 0) {
    withFileErrors(path, () => {
      throw new ConfigurationError(list.locate(diagnostics));
    });
  }
}

export async function present(table: RouteTable, wanted: readonly WantedRoute[], io: Io): Promise<TableRoute[]> {
  const ids = wanted.map(({ id }) => id);
  if (ids.length <= MOST_SINGLE) return table.get(ids);
  const steps = progress(io);
  const { routes } = await table.list({}, (number) => steps.update(`reading what is there: ${number} routes so far`));
  return routes;
}

/** `routes.yaml:3:5: routes[1].to`. */
function placeIn(path: string, list: RouteList, at: Path): string {
  const [located] = list.locate([{ path: at, message: "" }]);
  const where = located?.at ? `:${located.at.line}:${located.at.col}` : "";
  const field = at.slice(1).map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`));
  return `${nameOf(path)}${where}: routes${field.join("")}`;
}

/** The steps of `when[0].cookie`; what the API calls `from` is `service` in a file. */
function stepsOf(field: string): Path {
  const steps = [...field.matchAll(/[^.[\]]+/g)].map(([step]) => (/^\d+$/.test(step) ? Number(step) : step));
  return steps[0] === "from" ? ["service", ...steps.slice(1)] : steps;
}
