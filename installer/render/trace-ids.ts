// Takes the ids of strangers' traces off before Envoy's own tracer reads them, which is before any filter does, and before Envoy gives a
// request without an id one of its own.
import { TRACE_HEADERS } from "../../routes/model/model.ts";
import { type } from "./parts.ts";

/** The field of a connection manager that holds such extensions. */
export const EARLY_EXTENSIONS = "early_header_mutation_extensions";
export const TRACE_IDS_NAME = "keyway.trace_ids";

export function traceIdRemoval() {
  return {
    name: TRACE_IDS_NAME,
    typed_config: {
      "@type": type("extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"),
      mutations: TRACE_HEADERS.map((remove) => ({ remove })),
    },
  };
}
