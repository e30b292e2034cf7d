import { PLUGIN_NAME } from "../../routes/model/names.ts";
import { WATCHED_FLAGS } from "../render/parts.ts";
import type { Context } from "./installation.ts";

/** The name that Envoy gives the watcher in its error log. */
export const WATCHER_NAME = "keyway-watch";

const HTTP_CONNECTION_MANAGER = "envoy.filters.network.http_connection_manager";

/**
 * Adds the watcher to the access logs of every HTTP listener of a context: it runs only for requests whose target is missing, and
 * tells the filter. The VM has no id, as Istio gives its plugins none: shared data is scoped by the VM id, so filter and watcher share theirs.
 */
export function watcherPatch(context: Context, inlineBytes: string) {
  return managerPatch(context, { access_log: [accessLog(inlineBytes)] });
}

/** Adds to the connection manager of every HTTP listener of a context. */
export function managerPatch(context: Context, fields: Record<string, unknown>) {
  return {
    applyTo: "NETWORK_FILTER" as const,
    match: { context, listener: { filterChain: { filter: { name: HTTP_CONNECTION_MANAGER } } } },
    patch: {
      operation: "MERGE" as const,
      value: {
        typed_config: {
          "@type": `type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
          ...fields,
        },
      },
    },
  };
}

function accessLog(inline_bytes: string) {
  return {
    name: "envoy.access_loggers.wasm",
    filter: { response_flag_filter: { flags: WATCHED_FLAGS } },
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.access_loggers.wasm.v3.WasmAccessLog",
      config: {
        name: WATCHER_NAME,
        root_id: PLUGIN_NAME,
        failure_policy: "FAIL_OPEN",
        vm_config: { runtime: "envoy.wasm.runtime.v8", code: { local: { inline_bytes } } },
      },
    },
  };
}
