// The only file of the filter that calls the host. A call that hands bytes back leaves them at (`got`, `gotLen`), in
// scratch memory, and answers whether there were any.
import * as env from "@solo-io/proxy-runtime/assembly/imports";

export const OK: u32 = 0;
export const BAD_ARGUMENT: u32 = 2;
const CAS_MISMATCH: u32 = 8;
/** A compare-and-swap number that no value has: swapped for it, only a value that is not there yet is written. */
const NOT_THERE: u32 = <u32>-1;
const MONOTONIC: u32 = 1;

const REQUEST_HEADERS = 0;
const CALL_RESPONSE_HEADERS = 6;
const CALL_RESPONSE_BODY = 4;
const PLUGIN_CONFIGURATION = 7;

export const COUNTER = 0;
export const GAUGE = 1;

export const WARN = 3;
export const ERROR = 4;

const OUT_PTR = memory.data(8);
const OUT_LEN = memory.data(8);
const OUT_CAS = memory.data(8);
const OUT_U64 = memory.data(8);

export let got: usize = 0;
export let gotLen: i32 = 0;
/** The compare-and-swap number of the shared value last read; 0 when there was none. */
export let gotCas: u32 = 0;

function take(result: u32): bool {
  if (result != OK) {
    gotLen = 0;
    return false;
  }
  got = load<u32>(OUT_PTR);
  gotLen = load<i32>(OUT_LEN);
  return true;
}

/** The first value of a request header. */
export function requestHeader(name: usize, len: i32): bool {
  return take(env.proxy_get_header_map_value(REQUEST_HEADERS, name, len, OUT_PTR, OUT_LEN));
}

/** All request headers: u32 count, count times (u32 name length, u32 value length), then NUL-ended names and values. */
export function requestHeaders(): bool {
  return take(env.proxy_get_header_map_pairs(REQUEST_HEADERS, OUT_PTR, OUT_LEN));
}

export function replaceRequestHeader(name: Bytes, value: usize, len: i32): bool {
  return replaceHeader(name.start, name.len, value, len);
}

/** All lines of a request header become one with this value. */
export function replaceHeader(name: usize, nameLen: i32, value: usize, len: i32): bool {
  return env.proxy_replace_header_map_value(REQUEST_HEADERS, name, nameLen, value, len) == OK;
}

export function removeRequestHeader(name: Bytes): void {
  removeHeader(name.start, name.len);
}

export function removeHeader(name: usize, len: i32): void {
  env.proxy_remove_header_map_value(REQUEST_HEADERS, name, len);
}

/** `path`'s parts are separated by NUL. */
export function property(path: Bytes): bool {
  return propertyAt(path.start, path.len);
}

// @ts-ignore: decorator
@inline
export function propertyAt(path: usize, len: i32): bool {
  return take(env.proxy_get_property(path, len, OUT_PTR, OUT_LEN));
}

export function setProperty(path: Bytes, value: usize, len: i32): bool {
  return env.proxy_set_property(path.start, path.len, value, len) == OK;
}

export function shared(key: usize, len: i32): bool {
  const result = env.proxy_get_shared_data(key, len, OUT_PTR, OUT_LEN, OUT_CAS);
  gotCas = result == OK ? load<u32>(OUT_CAS) : 0;
  return take(result);
}

/** With `cas` 0 unconditionally; otherwise false when another thread wrote since that number was read. */
export function setShared(key: usize, len: i32, value: usize, valueLen: i32, cas: u32): bool {
  return env.proxy_set_shared_data(key, len, value, valueLen, cas) != CAS_MISMATCH;
}

/** Writes the value only if it is still the one that was read with this number, or, with 0, still not there. */
export function swapShared(key: usize, len: i32, value: usize, valueLen: i32, cas: u32): bool {
  return env.proxy_set_shared_data(key, len, value, valueLen, cas || NOT_THERE) == OK;
}

/** A piece of the plugin configuration; only inside on_configure. */
export function configuration(from: u32, len: u32): bool {
  return take(env.proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, from, len, OUT_PTR, OUT_LEN));
}

/** The metric's id in this VM, 0 when the host refuses. */
export function defineMetric(type: i32, name: Bytes): u32 {
  return env.proxy_define_metric(type, name.start, name.len, OUT_U64) == OK ? load<u32>(OUT_U64) : 0;
}

// @ts-ignore: decorator
@inline
export function count(metric: u32): void {
  env.proxy_increment_metric(metric, 1);
}

export function record(metric: u32, value: u64): void {
  env.proxy_record_metric(metric, value);
}

export function metricValue(metric: u32): u64 {
  return env.proxy_get_metric(metric, OUT_U64) == OK ? load<u64>(OUT_U64) : 0;
}

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "clock_time_get")
declare function clockTime(clock: u32, precision: u64, out: usize): u32;

/** Nanoseconds of a clock that nobody sets, the same for all threads of the process. */
export function monotonic(): u64 {
  return clockTime(MONOTONIC, 0, OUT_U64) == OK ? load<u64>(OUT_U64) : 0;
}

/** Nanoseconds since 1970. */
export function now(): u64 {
  return env.proxy_get_current_time_nanoseconds(OUT_U64) == OK ? load<u64>(OUT_U64) : 0;
}

export function log(level: i32, text: usize, len: i32): void {
  env.proxy_log(level, text, len);
}

export function respond(status: u32, headers: usize, headersLen: i32, body: usize, bodyLen: i32, details: Bytes): bool {
  return (
    env.proxy_send_local_response(status, details.start, details.len, body, bodyLen, headers, headersLen, <u32>-1) == OK
  );
}

/** False when no context of this VM has that id (any more). On success the following calls speak for it. */
export function actFor(context: u32): bool {
  return env.proxy_set_effective_context(context) == OK;
}

/** Milliseconds between ticks of the acting root context; 0 stops them. */
export function tickEvery(ms: u32): void {
  env.proxy_set_tick_period_milliseconds(ms);
}

export function foreign(name: Bytes, argument: usize, len: i32): bool {
  return env.proxy_call_foreign_function(name.start, name.len, argument, len, OUT_PTR, OUT_LEN) == OK;
}

/** The same for a function that hands bytes back. */
export function foreignAnswer(name: Bytes, argument: usize, len: i32): bool {
  return take(env.proxy_call_foreign_function(name.start, name.len, argument, len, OUT_PTR, OUT_LEN));
}

/** The number of the call last sent, by which its answer comes back. */
export let dispatched: u32 = 0;

/** Sends a request of the proxy's own. BAD_ARGUMENT: there is no such cluster; not OK: it has no host to send it to. */
export function dispatch(cluster: usize, len: i32, headers: usize, headersLen: i32, timeoutMs: u32): u32 {
  const result = env.proxy_http_call(cluster, len, headers, headersLen, 0, 0, EMPTY_PAIRS, 4, timeoutMs, OUT_U64);
  dispatched = result == OK ? load<u32>(OUT_U64) : 0;
  return result;
}
const EMPTY_PAIRS = memory.data(4);

/** A piece of the answer to a call; only inside of proxy_on_http_call_response. */
export function callBody(from: u32, len: u32): bool {
  return take(env.proxy_get_buffer_bytes(CALL_RESPONSE_BODY, from, len, OUT_PTR, OUT_LEN));
}

/** The first value of a header of the answer to a call; only inside of proxy_on_http_call_response. */
export function callHeader(name: Bytes): bool {
  return take(env.proxy_get_header_map_value(CALL_RESPONSE_HEADERS, name.start, name.len, OUT_PTR, OUT_LEN));
}
