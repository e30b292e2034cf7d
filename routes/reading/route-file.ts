import { z } from "zod";
import type { Configuration, Route } from "../model/model.ts";
import { ANY_BASELINE, DEFAULT_SOURCE } from "../model/names.ts";
import { betweenFields, cluster, configurationOf, object, routeFields, text } from "../model/schema.ts";
import { parseServiceName } from "../model/service.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { validate } from "./validate.ts";
import { readYaml } from "./yaml.ts";

/** Where a route starts or ends, as people write it. */
export type Reference = string | { service: string; subset?: string } | { cluster: string };

/** A route file that was read: names of services, not yet of clusters. */
export interface RouteFile extends Configuration<Reference, Reference> {
  /** The same diagnostics, each with its line and column. */
  locate(diagnostics: readonly Diagnostic[]): Diagnostic[];
}

const MAX_SERVICE = 400; // bytes: the longest DNS name and a port's name
const service = text(MAX_SERVICE, "a service").refine(
  (name) => name === ANY_BASELINE || parseServiceName(name) !== undefined,
  "not a service's name; expected NAME[.NAMESPACE[.svc.DOMAIN]][:PORT]",
);
const named = service.refine((name) => name !== ANY_BASELINE, "a target needs a name");
const inCluster = object({ cluster });
const inSubset = object({ service: named, subset: z.exactOptional(text(63)) });

export const routeFileSchema = configurationOf(
  object({
    service: z.union([service, inCluster]),
    ...routeFields(z.union([named, inSubset, inCluster])),
  }).check(betweenFields),
);

/** Reads YAML (and so JSON); throws a ConfigurationError whose diagnostics have lines and columns. */
export function parseRouteFile(content: string): RouteFile {
  const { value, locate } = readYaml(content);
  const { keys, routes, explain, strict } = validate(routeFileSchema, value ?? {}, locate);
  return {
    keys: keys ?? [DEFAULT_SOURCE],
    routes: (routes ?? []).map(({ service, ...rest }) => ({ from: service, ...rest }) as Route<Reference, Reference>),
    explain: explain ?? false,
    strict: strict ?? false,
    locate,
  };
}
