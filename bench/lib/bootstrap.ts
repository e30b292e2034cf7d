// Envoy's bootstrap for a benchmark: one listener, one connection manager, the routes and filters under test, one upstream.
import { withTwins } from "../../installer/twins/twins.ts";

export type Json = { [key: string]: unknown };

export const WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const LUA = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua";
const ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
const MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

export const BASELINE = "baseline";
export const TARGET = "target";

// Port 0: the system picks one, and the admin interface tells which.
const anyPort = { socket_address: { address: "127.0.0.1", port_value: 0 } };

const plugin = (file: string): Json => ({
  name: "keyway",
  root_id: "keyway",
  vm_config: { vm_id: "keyway", runtime: "envoy.wasm.runtime.v8", code: { local: { filename: file } } },
});

export function wasmFilter(file: string, configuration?: string): Json {
  const text = { "@type": "type.googleapis.com/google.protobuf.StringValue", value: configuration };
  const config = configuration === undefined ? plugin(file) : { ...plugin(file), configuration: text };
  return { name: "keyway", typed_config: { "@type": WASM, config } };
}

export function luaFilter(source: string): Json {
  return { name: "lua", typed_config: { "@type": LUA, default_source_code: { inline_string: source } } };
}

/** What differs from benchmark to benchmark. */
export type Site = {
  filters?: Json[];
  loggers?: Json[];
  /** The virtual host's routes, or its matcher. */
  host: Json;
  /** Whether the routes get Keyway's twins, as an installation gives them. */
  twins?: boolean;
};

function cluster(name: string, port: number): Json {
  const address = { socket_address: { address: "127.0.0.1", port_value: port } };
  const endpoints = [{ lb_endpoints: [{ endpoint: { address } }] }];
  return { name, type: "STATIC", load_assignment: { cluster_name: name, endpoints } };
}

export function bootstrap({ filters = [], loggers = [], host, twins = false }: Site, upstreamPort?: number): Json {
  const clusters = upstreamPort === undefined ? [] : [cluster(BASELINE, upstreamPort), cluster(TARGET, upstreamPort)];
  const routes = { name: "bench", virtual_hosts: [{ name: "bench", domains: ["*"], ...host }] };
  const manager = {
    "@type": MANAGER,
    stat_prefix: "bench",
    route_config: twins ? withTwins(routes) : routes,
    access_log: loggers,
    http_filters: [...filters, { name: "router", typed_config: { "@type": ROUTER } }],
  };
  const filterChain = { filters: [{ name: "http", typed_config: manager }] };
  return {
    admin: { address: anyPort },
    static_resources: { listeners: [{ name: "bench", address: anyPort, filter_chains: [filterChain] }], clusters },
  };
}
