import { z } from "zod";
import type { Configuration, Reference, Route } from "../model/model.ts";
import { ANY_BASELINE, DEFAULT_SOURCE } from "../model/names.ts";
import { betweenFields, cluster, configurationFields, object, optional, routeFields, text } from "../model/schema.ts";
import { parseHostName, parseServiceName } from "../model/service.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { nameFields } from "./name-fields.ts";
import { validate } from "./validate.ts";
import { readYaml } from "./yaml.ts";

/** A route file that was read: names of services, not yet of clusters. */
export interface RouteFile extends Configuration<Reference, Reference> {
  /** The same diagnostics, each with its line and column. */
  locate(diagnostics: readonly Diagnostic[]): Diagnostic[];
}

const MAX_SERVICE = 400; // bytes: the longest DNS name and a port's name
const service = text(MAX_SERVICE, "a service").refine(
  (name) => name === ANY_BASELINE || parseServiceName(name) !== undefined || parseHostName(name) !== undefined,
  "not a service's name; expected NAME[.NAMESPACE[.svc.DOMAIN]][:PORT]",
);
const named = service
  .refine((name) => name !== ANY_BASELINE, "a target needs a name")
  .meta({
    description:
      "A service, NAME[.NAMESPACE[.svc.DOMAIN]][:PORT number or name], or a host of a ServiceEntry, HOST[:PORT].",
  });
const inCluster = object({
  cluster: cluster.meta({ description: "The name of an Envoy cluster, passed through as it is." }),
});
const inSubset = object({
  service: named,
  subset: optional(text(63), "The name of a subset that a DestinationRule declares for the service."),
});

/** Where a route from a service starts. */
export const serviceBaseline = z
  .union([service, inSubset, inCluster])
  .meta({ description: "The baseline: a service, a subset of one, a cluster, or * for any." });

/** Where a route from a service leads. */
export const serviceTarget = z.union([named, inSubset, inCluster]);

const route = object({ service: serviceBaseline, ...routeFields(serviceTarget), ...nameFields })
  .check(betweenFields)
  .meta({ description: "A route from a baseline service to a target service." });

/** The route file as people write it. */
const routeFileSchema = object(configurationFields(route)).meta({ title: "Route file of Keyway" });

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
      ({ service, id: _, owner: __, labels: ___, ...others }) =>
        ({ from: service, ...others }) as Route<Reference, Reference>,
    ),
    explain: explain ?? false,
    strict: strict ?? false,
    ...rest,
    locate,
  };
}
