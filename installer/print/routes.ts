import { Document, type YAMLMap, type YAMLSeq } from "yaml";
import { parseDate } from "../../routes/model/date.ts";
import { toFileEntry } from "../../routes/model/file-entry.ts";
import type { LiveRoute } from "../../routes/model/live-route.ts";
import type { Io } from "../../shared/io.ts";
import { deriveId } from "../../shared/route-id.ts";
import { table, toYaml } from "../cli/output.ts";
import { formatCondition } from "../route-words/condition.ts";
import { formatReference, formatShares } from "../route-words/reference.ts";

export const ROUTE_COLUMNS = ["key", "service", "to", "conditions", "expires", "owner", "id"];
const NOTHING = "-";

/** One line for each route; `first` gives what stands before, by its name. */
export function routeTable(
  io: Io,
  routes: readonly LiveRoute[],
  first?: [name: string, cells: readonly string[]],
): string {
  const rows = routes.map((route, index) => [...(first ? [first[1][index] ?? ""] : []), ...cellsOf(route)]);
  return table(io, [...(first ? [first[0]] : []), ...ROUTE_COLUMNS], rows);
}

/** The routes in the order in which people look for them: by key and service, those without a key last. */
export function inReadingOrder<Route extends LiveRoute>(routes: readonly Route[]): Route[] {
  const placeOf = (route: Route) =>
    [route.key === undefined ? "1" : "0", route.key ?? "", cellsOf(route)[1], route.id].join("\n");
  const places = routes.map((route): [string, Route] => [placeOf(route), route]);
  return places.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, route]) => route);
}

/** A route's cells, in the order of the columns. */
export function cellsOf(
  { id, service, from, key, when, split, to, expires, owner, missing }: Partial<LiveRoute>,
  now = Date.now() / 1000,
): string[] {
  const target = split ? formatShares(split) : to === undefined ? NOTHING : formatReference(to);
  return [
    key ?? NOTHING,
    service === undefined ? (from ?? NOTHING) : formatReference(service),
    missing === "fail" ? `${target} or fail` : target,
    when ? when.map(formatCondition).join(" ") : NOTHING,
    expires === undefined ? "never" : formatExpiry(expires, now),
    owner ?? NOTHING,
    id ?? NOTHING,
  ];
}

/** Seconds from which on a date says more than what remains until then. */
const FAR = 100 * 86_400;

/** What remains until the date `expires`, or its day where that is far away; `now` in seconds. */
export function formatExpiry(expires: string, now: number): string {
  const left = (parseDate(expires) ?? 0) - now;
  return left < FAR ? remaining(left) : expires.slice(0, "2030-01-31".length);
}

const UNITS = [
  ["d", 86_400],
  ["h", 3600],
  ["m", 60],
  ["s", 1],
] as const;

/** `1h 59m`: the two largest units. */
export function remaining(seconds: number): string {
  if (seconds <= 0) return "expired";
  let rest = Math.floor(seconds);
  const parts = UNITS.map(([unit, size]) => {
    const number = Math.floor(rest / size);
    rest -= number * size;
    return { unit, number };
  });
  const first = parts.findIndex(({ number }) => number > 0);
  if (first < 0) return "0s";
  return parts
    .slice(first, first + 2)
    .filter(({ number }) => number > 0)
    .map(({ unit, number }) => `${number}${unit}`)
    .join(" ");
}

/** The routes as entries of a route file; an id that is the usual one is left out. */
export function fileEntries(routes: readonly LiveRoute[]): object[] {
  return routes.map((route) => {
    const { id, ...entry } = toFileEntry(route);
    return id === deriveId(route) ? entry : { ...entry, id };
  });
}

/** A route file, a line for each route. */
export function routeFileYaml(entries: readonly object[], keys: readonly string[] = []): string {
  const document = new Document(
    { ...(keys.length > 0 && { keys }), routes: entries },
    { aliasDuplicateObjects: false, compat: "yaml-1.1" },
  );
  for (const entry of (document.get("routes") as YAMLSeq).items) (entry as YAMLMap).flow = true;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** A route as a route file has it, for comparing. */
export function routeYaml(route: LiveRoute | undefined): string {
  return route === undefined ? "" : toYaml(toFileEntry(route));
}
