// The numbers of proxy-wasm ABI 0.2.1, and the functions that a module may import with their WebAssembly types.

export const Result = {
  Ok: 0,
  NotFound: 1,
  BadArgument: 2,
  SerializationFailure: 3,
  ParseFailure: 4,
  BadExpression: 5,
  InvalidMemoryAccess: 6,
  Empty: 7,
  CasMismatch: 8,
  ResultMismatch: 9,
  InternalFailure: 10,
  BrokenConnection: 11,
  Unimplemented: 12,
} as const;

export const HeaderMapType = { RequestHeaders: 0, ResponseHeaders: 2, HttpCallResponseHeaders: 6 } as const;
export const BufferType = { HttpCallResponseBody: 4, VmConfiguration: 6, PluginConfiguration: 7 } as const;
export const MetricType = { Counter: 0, Gauge: 1, Histogram: 2 } as const;
export const LogLevels = ["trace", "debug", "info", "warn", "error", "critical"] as const;
export type LogLevel = (typeof LogLevels)[number];

export const ABI_MARKER = "proxy_abi_version_0_2_1";

/** Parameters of each host function: `i` is i32, `I` is i64. All answer one i32. */
const parameters = {
  proxy_log: "iii",
  proxy_get_log_level: "i",
  proxy_get_status: "iii",
  proxy_set_property: "iiii",
  proxy_get_property: "iiii",
  proxy_continue_stream: "i",
  proxy_close_stream: "i",
  proxy_send_local_response: "iiiiiiii",
  proxy_get_shared_data: "iiiii",
  proxy_set_shared_data: "iiiii",
  proxy_register_shared_queue: "iii",
  proxy_resolve_shared_queue: "iiiii",
  proxy_dequeue_shared_queue: "iii",
  proxy_enqueue_shared_queue: "iii",
  proxy_get_header_map_value: "iiiii",
  proxy_add_header_map_value: "iiiii",
  proxy_replace_header_map_value: "iiiii",
  proxy_remove_header_map_value: "iii",
  proxy_get_header_map_pairs: "iii",
  proxy_set_header_map_pairs: "iii",
  proxy_get_header_map_size: "ii",
  proxy_get_buffer_status: "iii",
  proxy_get_buffer_bytes: "iiiii",
  proxy_set_buffer_bytes: "iiiii",
  proxy_http_call: "iiiiiiiiii",
  proxy_grpc_call: "iiiiiiiiiiii",
  proxy_grpc_stream: "iiiiiiiii",
  proxy_grpc_close: "i",
  proxy_grpc_cancel: "i",
  proxy_grpc_send: "iiii",
  proxy_set_tick_period_milliseconds: "i",
  proxy_get_current_time_nanoseconds: "i",
  proxy_define_metric: "iiii",
  proxy_increment_metric: "iI",
  proxy_record_metric: "iI",
  proxy_get_metric: "ii",
  proxy_set_effective_context: "i",
  proxy_done: "",
  proxy_call_foreign_function: "iiiiii",
} as const;

/** Of WASI, which Envoy's host links as well. */
const wasiParameters = { clock_time_get: "iIi" } as const;

export type HostFunction = keyof typeof parameters | keyof typeof wasiParameters;

/** `MODULE.NAME(types)` of everything that Envoy's host links. */
export const hostSignatures = new Set(
  Object.entries({ env: parameters, wasi_snapshot_preview1: wasiParameters }).flatMap(([module, functions]) =>
    Object.entries(functions).map(([name, types]) => `${module}.${name}(${types})i`),
  ),
);

/** The module broke the rules of the ABI: the test fails, whatever the module makes of it. */
export class AbiViolation extends Error {}
