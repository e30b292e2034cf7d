// Envoy's bootstrap for a benchmark: one listener, one connection manager, the routes and filters under test, one upstream.
export type Json = { [key: string]: unknown };

export const WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const WASM_LOG = "type.googleapis.com/envoy.extensions.access_loggers.wasm.v3.WasmAccessLog";
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

/** Runs only for requests whose cluster was missing or had no healthy host. */
export function wasmLogger(file: string): Json {
  const typed_config = { "@type": WASM_LOG, config: plugin(file) };
  const filter = { response_flag_filter: { flags: ["NC", "UH", "UF"] } };
  return { name: "envoy.access_loggers.wasm", filter, typed_config };
}

export function luaFilter(source: string): Json {
  return { name: "lua", typed_config: { "@type": LUA, default_source_code: { inline_string: source } } };
}

/** What differs from benchmark to benchmark: filters, access loggers, and the virtual host's routes. */
export type Site = { filters?: Json[]; loggers?: Json[]; host: Json };

function cluster(name: string, port: number): Json {
  const address = { socket_address: { address: "127.0.0.1", port_value: port } };
  const endpoints = [{ lb_endpoints: [{ endpoint: { address } }] }];
  return { name, type: "STATIC", load_assignment: { cluster_name: name, endpoints } };
}

export function bootstrap({ filters = [], loggers = [], host }: Site, upstreamPort?: number): Json {
  const clusters = upstreamPort === undefined ? [] : [cluster(BASELINE, upstreamPort), cluster(TARGET, upstreamPort)];
  const manager = {
    "@type": MANAGER,
    stat_prefix: "bench",
    route_config: { name: "bench", virtual_hosts: [{ name: "bench", domains: ["*"], ...host }] },
    access_log: loggers,
    http_filters: [...filters, { name: "router", typed_config: { "@type": ROUTER } }],
  };
  const filterChain = { filters: [{ name: "http", typed_config: manager }] };
  return {
    admin: { address: anyPort },
    static_resources: { listeners: [{ name: "bench", address: anyPort, filter_chains: [filterChain] }], clusters },
  };
}
