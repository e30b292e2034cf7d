import { z } from "zod";
import { parseDate } from "../model/date.ts";
import { object, optional } from "../model/fields.ts";
import { fromFileEntry } from "../model/file-entry.ts";
import { inOrder, type LiveRoute } from "../model/live-route.ts";
import { configurationFields } from "../model/schema.ts";
import { ConfigurationError, type Diagnostic } from "./diagnostic.ts";
import { duplicates } from "./duplicates.ts";
import { readLiveRoute } from "./live-route.ts";
import { validate } from "./validate.ts";
import { readYaml } from "./yaml.ts";

/** A route of a file, and which of the file's routes it is. */
export interface ListedRoute {
  index: number;
  route: LiveRoute;
  /** How long it lives once it is in a table; `expires` is left out then. */
  ttl?: string;
  /** Whether its time is over. */
  expired: boolean;
}

/** The routes of a route file, or of a list that the route server gave out, for the live table. */
export interface RouteList {
  routes: ListedRoute[];
  /** What else the file says: settings of proxies, which are no part of the table. */
  settings: string[];
  locate(diagnostics: readonly Diagnostic[]): Diagnostic[];
}

export interface ReadingOptions {
  /** Seconds since 1970. */
  now: number;
  /** The id of a route that has none. */
  idFor(route: Omit<LiveRoute, "id">): string;
}

const UNNAMED = "unnamed";
const file = object({
  ...configurationFields(z.unknown()),
  revision: optional(z.number(), "The revision of the table that the list was read from."),
});

/** Reads YAML (and so JSON); throws a ConfigurationError whose diagnostics have lines and columns. */
export function parseRouteList(content: string, { now, idFor }: ReadingOptions): RouteList {
  const { value, locate } = readYaml(content);
  const { routes: values = [], revision: _, ...settings } = validate(file, value ?? {}, locate);
  const diagnostics: Diagnostic[] = [];
  const routes = values.flatMap((one, index): ListedRoute[] => {
    const { id, ttl } = (typeof one === "object" && one !== null ? one : {}) as { id?: unknown; ttl?: unknown };
    // A date that is over is no mistake of a file, which may be older than that.
    const context = { now: ttl === undefined ? 0 : now, path: ["routes", index] };
    const read = readLiveRoute(one, id === undefined ? { ...context, id: UNNAMED } : context);
    if (Array.isArray(read)) {
      diagnostics.push(...read);
      return [];
    }
    const { id: name, expires, ...rest } = fromFileEntry(read);
    const route = inOrder({ ...rest, id: id === undefined ? idFor(rest) : name });
    if (ttl !== undefined) return [{ index, route, ttl: String(ttl), expired: false }];
    const expired = expires !== undefined && (parseDate(expires) ?? 0) <= now;
    return [{ index, route: inOrder({ ...route, ...(expires !== undefined && { expires }) }), expired }];
  });
  const all = diagnostics.length > 0 ? diagnostics : repeated(routes);
  if (all.length > 0) throw new ConfigurationError(locate(all));
  return { routes, settings: Object.keys(settings), locate };
}

function repeated(routes: readonly ListedRoute[]): Diagnostic[] {
  const twins = duplicates(routes.map(({ route }) => ({ ...route, from: route.service ?? { cluster: route.from } })));
  if (twins.length > 0) return twins;
  const places = new Map<string, number>();
  return routes.flatMap(({ route: { id }, index }) => {
    const earlier = places.get(id);
    if (earlier === undefined) places.set(id, index);
    const message = `the same id as routes[${earlier}]: ${id}; give each an id of its own`;
    return earlier === undefined ? [] : [{ path: ["routes", index], message }];
  });
}
