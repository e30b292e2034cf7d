// A plain Envoy's configuration. Every function here is pure.
import { isIP } from "node:net";
import { GUARD } from "../../routes/model/guard.ts";
import type { Configuration } from "../../routes/model/model.ts";
import { HEADER_CLUSTER, PLUGIN_NAME, STATE_KEY } from "../../routes/model/names.ts";
import type { Remark } from "../cli/output.ts";

export interface Address {
  host: string;
  port: number;
}

export interface Modules {
  /** Where Envoy finds build/keyway.wasm and build/keyway-watch.wasm. */
  module: string;
  watch: string;
}

export interface Plain extends Modules {
  configuration: Configuration;
  listen: Address;
  admin: Address | undefined;
  /** Which cluster requests to a path go to without Keyway, in the order in which they are looked at. */
  baselines: readonly { prefix: string; cluster: string }[];
  clusters: ReadonlyMap<string, Address>;
}

const MANAGER = ["static_resources", "listeners", 0, "filter_chains", 0, "filters", 0, "typed_config"];

/** What the parts of the whole configuration are for. */
export const REMARKS: readonly Remark[] = [
  [[...MANAGER, "http_filters", 0], "The filter. It reads the key and says which cluster the request goes to."],
  [
    [...MANAGER, "route_config", "virtual_hosts", 0, "routes", 0],
    "Where selected requests go; first in every virtual host. A client can't forge the filter state.",
  ],
  [[...MANAGER, "route_config", "virtual_hosts", 0, "routes", 1], "The baseline: where requests go without Keyway."],
  [
    [...MANAGER, "access_log", 0],
    "The watcher. It runs only where a cluster is missing (NC) or has no healthy host (UH), and tells the filter.",
  ],
  [[...MANAGER, "access_log", 1], "A line that ends with outcome, key and target: keyway: routed pr-42 reviews-pr-42"],
];

const type = (name: string) => `type.googleapis.com/envoy.${name}`;

export function envoyConfiguration(plain: Plain) {
  const { admin, clusters } = plain;
  return {
    ...(admin && { admin: { address: socket(admin) } }),
    static_resources: {
      listeners: [listener(plain)],
      clusters: [...clusters].map(([name, address]) => cluster(name, address)),
    },
  };
}

function listener(plain: Plain) {
  const manager = {
    "@type": type("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "keyway",
    upgrade_configs: [{ upgrade_type: "websocket" }],
    http_filters: [
      httpFilter(plain),
      {
        name: "envoy.filters.http.router",
        typed_config: { "@type": type("extensions.filters.http.router.v3.Router") },
      },
    ],
    route_config: {
      virtual_hosts: [{ name: "all", domains: ["*"], routes: [guardRoute(), ...plain.baselines.map(baselineRoute)] }],
    },
    access_log: accessLogs(plain),
  };
  const filters = [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }];
  return { name: "keyway", address: socket(plain.listen), filter_chains: [{ filters }] };
}

/** Reads the key and says which cluster the request goes to. */
export function httpFilter({ module, configuration }: Pick<Plain, "module" | "configuration">) {
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

/** Where selected requests go; first in every virtual host. */
export function guardRoute() {
  const route = { cluster_header: HEADER_CLUSTER, timeout: "0s" };
  return { match: GUARD, route, request_headers_to_remove: [HEADER_CLUSTER] };
}

function baselineRoute({ prefix, cluster }: { prefix: string; cluster: string }) {
  return { match: { prefix }, route: { cluster } };
}

/** The watcher, which runs only for requests whose cluster is missing or has no healthy host, and a line per request. */
export function accessLogs({ watch }: Pick<Modules, "watch">) {
  const line =
    "%START_TIME% %REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS% " +
    `cluster: %UPSTREAM_CLUSTER% keyway: %FILTER_STATE(${STATE_KEY}:PLAIN)%\n`;
  return [
    {
      name: "envoy.access_loggers.wasm",
      filter: { response_flag_filter: { flags: ["NC", "UH"] } },
      typed_config: { "@type": type("extensions.access_loggers.wasm.v3.WasmAccessLog"), config: plugin(watch) },
    },
    {
      name: "envoy.access_loggers.stdout",
      typed_config: {
        "@type": type("extensions.access_loggers.stream.v3.StdoutAccessLog"),
        log_format: { text_format_source: { inline_string: line } },
      },
    },
  ];
}

/** Filter and watcher share one VM id, and with it what they tell each other. */
function plugin(filename: string) {
  const code = { local: { filename } };
  const vm_config = { vm_id: PLUGIN_NAME, runtime: "envoy.wasm.runtime.v8", code };
  return { name: PLUGIN_NAME, root_id: PLUGIN_NAME, failure_policy: "FAIL_OPEN", vm_config };
}

function cluster(name: string, address: Address) {
  const endpoint = { address: socket(address) };
  return {
    name,
    ...(isIP(address.host) === 0 && { type: "STRICT_DNS" }),
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
  };
}

function socket({ host, port }: Address) {
  return { socket_address: { address: host, port_value: port } };
}
