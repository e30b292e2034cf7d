// A plain Envoy's configuration. Every function here is pure.
import { isIP } from "node:net";
import { removesTraces } from "../../routes/model/edge.ts";
import type { Configuration } from "../../routes/model/model.ts";
import { STATE_KEY } from "../../routes/model/names.ts";
import type { Remark } from "../cli/output.ts";
import type { Proof } from "../twins/headers.ts";
import { withTwins } from "../twins/twins.ts";
import { type Address, httpFilter, type Modules, ROUTER, socket, type, watcher } from "./parts.ts";
import { type Table, tableCluster } from "./table.ts";
import { EARLY_EXTENSIONS, traceIdRemoval } from "./trace-ids.ts";

export interface Plain extends Modules {
  configuration: Configuration;
  listen: Address;
  admin: Address | undefined;
  /** Which cluster requests to a path go to without Keyway, in the order in which they are looked at. */
  baselines: readonly { prefix: string; cluster: string }[];
  clusters: ReadonlyMap<string, Address>;
  proof: Proof;
  /** Where the live table comes from, if there is one. */
  table?: Table | undefined;
}

const MANAGER = ["static_resources", "listeners", 0, "filter_chains", 0, "filters", 0, "typed_config"];

/** What the parts of the whole configuration are for. */
export const REMARKS: readonly Remark[] = [
  [[...MANAGER, "http_filters", 0], "The filter. It reads the key and says which cluster the request goes to."],
  [
    [...MANAGER, "route_config", "virtual_hosts", 0, "routes", 0],
    "A twin before each route: the same for the requests that the filter selected. A client can't forge the filter state.",
  ],
  [[...MANAGER, "route_config", "virtual_hosts", 0, "routes", 1], "The baseline: where requests go without Keyway."],
  [
    [...MANAGER, "access_log", 0],
    "The watcher. It runs only where a target is missing (NC), has no healthy host (UH) or can't be reached (UF), and tells the filter.",
  ],
  [[...MANAGER, "access_log", 1], "A line that ends with outcome, key and target: keyway: routed pr-42 reviews-pr-42"],
];

export function envoyConfiguration(plain: Plain) {
  const { admin, clusters, table } = plain;
  return {
    ...(admin && { admin: { address: socket(admin) } }),
    static_resources: {
      listeners: [listener(plain)],
      clusters: [
        ...[...clusters].map(([name, address]) => cluster(name, address)),
        ...(table ? [tableCluster(table)] : []),
      ],
    },
  };
}

function listener(plain: Plain) {
  const host = { name: "all", domains: ["*"], routes: plain.baselines.map(baselineRoute) };
  const manager = {
    "@type": type("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "keyway",
    upgrade_configs: [{ upgrade_type: "websocket" }],
    ...(removesTraces(plain.configuration.edge) && { [EARLY_EXTENSIONS]: [traceIdRemoval()] }),
    http_filters: [
      httpFilter(plain),
      {
        name: ROUTER,
        typed_config: { "@type": type("extensions.filters.http.router.v3.Router") },
      },
    ],
    route_config: withTwins({ virtual_hosts: [host] }, { proof: plain.proof }),
    access_log: accessLogs(plain),
  };
  const filters = [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }];
  return { name: "keyway", address: socket(plain.listen), filter_chains: [{ filters }] };
}

function baselineRoute({ prefix, cluster }: { prefix: string; cluster: string }) {
  return { match: { prefix }, route: { cluster } };
}

/** The watcher, and a line per request. */
export function accessLogs(modules: Pick<Modules, "watch">) {
  const line =
    "%START_TIME% %REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS% " +
    `cluster: %UPSTREAM_CLUSTER% keyway: %FILTER_STATE(${STATE_KEY}:PLAIN)%\n`;
  return [
    watcher(modules),
    {
      name: "envoy.access_loggers.stdout",
      typed_config: {
        "@type": type("extensions.access_loggers.stream.v3.StdoutAccessLog"),
        log_format: { text_format_source: { inline_string: line } },
      },
    },
  ];
}

function cluster(name: string, address: Address) {
  const endpoint = { address: socket(address) };
  return {
    name,
    ...(isIP(address.host) === 0 && { type: "STRICT_DNS" }),
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
  };
}
