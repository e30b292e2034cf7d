import { z } from "zod";
import { object } from "../model/fields.ts";
import type { Configuration, Reference, Route } from "../model/model.ts";
import { DEFAULT_SOURCE } from "../model/names.ts";
import { betweenFields, betweenSettings, configurationFields, routeFields } from "../model/schema.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { nameFields } from "./name-fields.ts";
import { serviceBaseline, serviceTarget } from "./references.ts";
import { validate } from "./validate.ts";
import { readYaml } from "./yaml.ts";

/** A route file that was read: names of services, not yet of clusters. */
export interface RouteFile extends Configuration<Reference, Reference> {
  /** The same diagnostics, each with its line and column. */
  locate(diagnostics: readonly Diagnostic[]): Diagnostic[];
}

const route = object({ service: serviceBaseline, ...routeFields(serviceTarget), ...nameFields })
  .check(betweenFields)
  .meta({ description: "A route from a baseline service to a target service." });

/** The route file as people write it. */
const routeFileSchema = object(configurationFields(route))
  .check(betweenSettings)
  .meta({ title: "Route file of Keyway" });

/** The route file as JSON Schema. */
export function routeFileJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(routeFileSchema);
}

/** Reads YAML (and so JSON); throws a ConfigurationError whose diagnostics have lines and columns. */
export function parseRouteFile(content: string): RouteFile {
  const { value, locate } = readYaml(content);
  const { keys, routes, explain, strict, ...rest } = validate(routeFileSchema, value ?? {}, locate);
  return {
    keys: keys ?? [DEFAULT_SOURCE],
    routes: (routes ?? []).map(
      ({ service, id: _, owner: __, labels: ___, workload: ____, ...others }) =>
        ({ from: service, ...others }) as Route<Reference, Reference>,
    ),
    explain: explain ?? false,
    strict: strict ?? false,
    ...rest,
    locate,
  };
}
