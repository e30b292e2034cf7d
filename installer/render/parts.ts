// What Keyway consists of in a plain Envoy: the filter, the watcher, and the routes that obey the filter. All is written in snake_case.
import { CONNECT_GUARD, GUARD } from "../../routes/model/guard.ts";
import type { Configuration } from "../../routes/model/model.ts";
import { HEADER_CLUSTER, PLUGIN_NAME } from "../../routes/model/names.ts";
import { hopMark, type Proof, proofHeaders } from "../twins/headers.ts";

/** Where Envoy finds build/keyway.wasm and build/keyway-watch.wasm. */
export interface Modules {
  module: string;
  watch: string;
}

export interface Address {
  host: string;
  port: number;
}

export function socket({ host, port }: Address) {
  return { socket_address: { address: host, port_value: port } };
}

export const ROUTER = "envoy.filters.http.router";
/** A request's flags for a cluster that does not exist, that has no healthy host, or whose host can't be reached. */
export const WATCHED_FLAGS = ["NC", "UH", "UF"];

export const type = (name: string) => `type.googleapis.com/envoy.${name}`;

/** Reads the key and says which cluster the request goes to. */
export function httpFilter({ module, configuration }: { module: string; configuration: Configuration }) {
  return {
    name: PLUGIN_NAME,
    typed_config: {
      "@type": type("extensions.filters.http.wasm.v3.Wasm"),
      config: {
        ...plugin(module),
        configuration: {
          "@type": "type.googleapis.com/google.protobuf.StringValue",
          value: configurationText(configuration),
        },
      },
    },
  };
}

/** A line for each route, so that the configuration stays readable where it is a text within another. */
function configurationText(configuration: Configuration): string {
  const lines = configuration.routes.map((route) => `\n    ${JSON.stringify(route)}`).join(",");
  const routes = lines === "" ? "[]" : `[${lines}\n  ]`;
  const fields = Object.entries(configuration).map(([name, value]) => {
    return `  "${name}": ${name === "routes" ? routes : JSON.stringify(value)}`;
  });
  return `{\n${fields.join(",\n")}\n}\n`;
}

/** Runs only for requests whose target is missing, and tells the filter. */
export function watcher({ watch }: Pick<Modules, "watch">) {
  return {
    name: "envoy.access_loggers.wasm",
    filter: { response_flag_filter: { flags: WATCHED_FLAGS } },
    typed_config: { "@type": type("extensions.access_loggers.wasm.v3.WasmAccessLog"), config: plugin(watch) },
  };
}

/**
 * The last resort for selected requests whose route has no twin, to stand first in a virtual host: one route for requests with a
 * path, one for CONNECT. They lose what the baseline's route says, so twins are better wherever the routes are known. The route
 * configuration around them takes the selection header off.
 */
export function guardRoutes(proof: Proof) {
  const answer = proofHeaders(proof);
  return [GUARD, CONNECT_GUARD].map((match) => ({
    match,
    route: { cluster_header: HEADER_CLUSTER, timeout: "0s" },
    request_headers_to_add: [hopMark()],
    ...(answer.length > 0 && { response_headers_to_add: answer }),
  }));
}

/** Filter and watcher share one VM id, and with it what they tell each other. */
function plugin(filename: string) {
  const code = { local: { filename } };
  const vm_config = { vm_id: PLUGIN_NAME, runtime: "envoy.wasm.runtime.v8", code };
  return { name: PLUGIN_NAME, root_id: PLUGIN_NAME, failure_policy: "FAIL_OPEN", vm_config };
}
