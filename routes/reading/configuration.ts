import { z } from "zod";
import { object, optional, word } from "../model/fields.ts";
import { type Configuration, HOP_MARKS, type Route } from "../model/model.ts";
import { DEFAULT_SOURCE } from "../model/names.ts";
import {
  betweenFields,
  betweenSettings,
  cluster,
  configurationFields,
  liveTable,
  routeFields,
} from "../model/schema.ts";
import { ConfigurationError, type Diagnostic } from "./diagnostic.ts";
import { duplicates } from "./duplicates.ts";
import { clusterBaseline } from "./references.ts";
import { validate } from "./validate.ts";

const route = object({ from: clusterBaseline, ...routeFields(cluster) })
  .check(betweenFields)
  .meta({ description: "A route from a baseline's cluster to a target's." });

/** The plugin's configuration as proxies read it. */
const pluginSchema = object({
  ...configurationFields(route),
  hopMark: optional(
    word(HOP_MARKS),
    "Who adds the hop mark to a routed request: the filter (the default), or the route.",
  ),
  table: optional(liveTable, "Where the live table comes from; until it is there, and without it, `routes` serve."),
})
  .check(betweenSettings)
  .meta({ title: "Plugin configuration of Keyway" });

/** The plugin configuration as JSON Schema. */
export function pluginJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(pluginSchema);
}

/** Whether a value is meant as a plugin configuration, and not as a route file, which says `service` where this says `from`. */
export function isConfiguration(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const routes = "routes" in value && Array.isArray(value.routes) ? value.routes : [];
  return (
    "hopMark" in value ||
    "table" in value ||
    routes.some((one) => typeof one === "object" && one !== null && "from" in one)
  );
}

/** Checks a value read from JSON just as the filter does; throws a ConfigurationError. */
export function parseConfiguration(
  value: unknown,
  locate = (diagnostics: readonly Diagnostic[]) => [...diagnostics],
): Configuration {
  const { keys, routes, explain, strict, ...rest } = validate(pluginSchema, value, locate);
  const configuration = {
    keys: keys ?? [DEFAULT_SOURCE],
    routes: (routes ?? []) as Route[],
    explain: explain ?? false,
    strict: strict ?? false,
    ...rest,
  };
  const repeated = duplicates(configuration.routes);
  if (repeated.length > 0) throw new ConfigurationError(locate(repeated));
  return configuration;
}
