import type { Configuration, Route } from "../model/model.ts";
import { DEFAULT_SOURCE } from "../model/names.ts";
import { betweenFields, cluster, configurationOf, object, routeFields } from "../model/schema.ts";
import { ConfigurationError, type Diagnostic } from "./diagnostic.ts";
import { validate } from "./validate.ts";

/** The plugin's configuration as proxies read it. */
export const pluginSchema = configurationOf(object({ from: cluster, ...routeFields(cluster) }).check(betweenFields));

/** Whether a value is meant as a plugin configuration, and not as a route file, which says `service` where this says `from`. */
export function isConfiguration(value: unknown): boolean {
  const routes = typeof value === "object" && value !== null && "routes" in value ? value.routes : undefined;
  return (
    Array.isArray(routes) && routes.some((route) => typeof route === "object" && route !== null && "from" in route)
  );
}

/** Checks a value read from JSON just as the filter does; throws a ConfigurationError. */
export function parseConfiguration(value: unknown, locate = (diagnostics: Diagnostic[]) => diagnostics): Configuration {
  const { keys, routes, explain, strict } = validate(pluginSchema, value, locate);
  const configuration = {
    keys: keys ?? [DEFAULT_SOURCE],
    routes: (routes ?? []) as Route[],
    explain: explain ?? false,
    strict: strict ?? false,
  };
  const twice = duplicates(configuration.routes);
  if (twice.length > 0) throw new ConfigurationError(locate(twice));
  return configuration;
}

/** Key routes that repeat the baseline and key of an earlier one. */
export function duplicates(routes: readonly Route[]): Diagnostic[] {
  const seen = new Map<string, number>();
  return routes.flatMap((route, index) => {
    if (!("key" in route)) return [];
    const identity = JSON.stringify([route.from, route.key]);
    const earlier = seen.get(identity);
    if (earlier === undefined) seen.set(identity, index);
    return earlier === undefined
      ? []
      : [{ path: ["routes", index], message: `same from and key as routes[${earlier}]` }];
  });
}
