// A module that measures its host: the request names a call and a count, the answer is the nanoseconds that the calls took.
// All text comes from the request, so one request header is read per part: `x-call` (a number below) and `x-count`.
import {
  proxy_call_foreign_function,
  proxy_define_metric,
  proxy_get_current_time_nanoseconds,
  proxy_get_header_map_pairs,
  proxy_get_header_map_value,
  proxy_get_metric,
  proxy_get_property,
  proxy_get_shared_data,
  proxy_increment_metric,
  proxy_record_metric,
  proxy_remove_header_map_value,
  proxy_replace_header_map_value,
  proxy_send_local_response,
  proxy_set_property,
  proxy_set_shared_data,
} from "@solo-io/proxy-runtime/assembly/imports";

export function proxy_abi_version_0_2_1(): void {}

// Whatever the host hands back lands here and is overwritten by the next call; the largest answer is 100 KB.
const LANDING = memory.data(131072, 16);
export function malloc(_size: i32): usize {
  return LANDING;
}

const ADDRESS = memory.data(8, 8);
const LENGTH = memory.data(8, 8);
const NUMBER = memory.data(8, 8);
const NAME = memory.data(64);

function put(text: string): usize {
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, NAME);
  return NAME;
}

function clock(): u64 {
  proxy_get_current_time_nanoseconds(NUMBER);
  return load<u64>(NUMBER);
}

function requestNumber(name: string): i32 {
  if (proxy_get_header_map_value(0, put(name), name.length, ADDRESS, LENGTH) != 0) return 0;
  let value = 0;
  const start = load<u32>(ADDRESS);
  for (let i: u32 = 0; i < load<u32>(LENGTH); i++) value = value * 10 + load<u8>(start + i) - 48;
  return value;
}

function getHeader(name: string, count: i32): u32 {
  let result: u32 = 0;
  put(name);
  for (let i = 0; i < count; i++) result |= proxy_get_header_map_value(0, NAME, name.length, ADDRESS, LENGTH);
  return result;
}

// Path parts are separated by NUL, as the host wants them.
function getProperty(path: string, count: i32): u32 {
  let result: u32 = 0;
  put(path);
  for (let i = 0; i < count; i++) result |= proxy_get_property(NAME, path.length, ADDRESS, LENGTH);
  return result;
}

function getShared(key: string, size: i32, count: i32): u32 {
  let result: u32 = 0;
  put(key);
  if (size > 0) proxy_set_shared_data(NAME, key.length, LANDING, size, 0);
  for (let i = 0; i < count; i++) result |= proxy_get_shared_data(NAME, key.length, ADDRESS, LENGTH, NUMBER);
  return result;
}

/** As many values as a live table of a million keys has buckets, of about their size, with names of their length. */
const VALUES: u32 = 41667;
const VALUE: i32 = 1024;
const VALUE_NAME = "keyway:--:v--------";
let filled = false;
let chance: u32 = 1;

function nameValue(index: u32): void {
  store<u32>(NAME + VALUE_NAME.length - 4, index);
}

function getRandom(count: i32): u32 {
  put(VALUE_NAME);
  for (let i: u32 = 0; !filled && i < VALUES; i++) {
    nameValue(i);
    proxy_set_shared_data(NAME, VALUE_NAME.length, LANDING, VALUE, 0);
  }
  filled = true;
  let result: u32 = 0;
  for (let i = 0; i < count; i++) {
    chance = chance * 1664525 + 1013904223;
    nameValue((chance >> 8) % VALUES);
    result |= proxy_get_shared_data(NAME, VALUE_NAME.length, ADDRESS, LENGTH, NUMBER);
  }
  return result;
}

let metric: u32 = 0;

function useMetric(): void {
  if (metric != 0) return;
  proxy_define_metric(0, put("hostcalls"), 9, NUMBER);
  metric = load<u32>(NUMBER);
}

function run(call: i32, count: i32): u32 {
  let result: u32 = 0;
  switch (call) {
    case 1:
      for (let i = 0; i < count; i++) result |= proxy_get_current_time_nanoseconds(NUMBER);
      return result;
    case 2:
      return getHeader("x-routing-key", count);
    case 3:
      return getHeader("x-absent-header", count);
    case 4:
      return getProperty("xds\0cluster_name", count);
    case 5:
      return getProperty("request\0headers\0x-routing-key", count);
    case 6:
      return getProperty("request\0headers\0x-absent-header", count);
    case 7:
      return getProperty("plugin_name", count);
    case 8:
      return getProperty("request\0path", count);
    case 9:
      for (let i = 0; i < count; i++) result |= proxy_get_header_map_pairs(0, ADDRESS, LENGTH);
      return result != 0 ? result : load<u32>(load<u32>(ADDRESS));
    case 10:
      put("keywayrouted");
      for (let i = 0; i < count; i++) result |= proxy_set_property(NAME, 6, NAME + 6, 6);
      return result;
    case 11:
      put("x-keyway-clustertarget");
      for (let i = 0; i < count; i++) result |= proxy_replace_header_map_value(0, NAME, 16, NAME + 16, 6);
      return result;
    case 12:
      put("x-absent-header");
      for (let i = 0; i < count; i++) result |= proxy_remove_header_map_value(0, NAME, 15);
      return result;
    case 13:
      put("clear_route_cache");
      for (let i = 0; i < count; i++) result |= proxy_call_foreign_function(NAME, 17, 0, 0, ADDRESS, LENGTH);
      return result;
    case 14:
      return getShared("absent", 0, count);
    case 15:
      return getShared("b16", 16, count);
    case 16:
      return getShared("b512", 512, count);
    case 17:
      return getShared("k1", 1024, count);
    case 18:
      return getShared("k10", 10240, count);
    case 19:
      return getShared("k100", 102400, count);
    case 24:
      return getRandom(count);
    case 20:
      put("written");
      for (let i = 0; i < count; i++) result |= proxy_set_shared_data(NAME, 7, LANDING, 16, 0);
      return result;
    case 21:
      for (let i = 0; i < count; i++) result |= proxy_get_metric(metric, NUMBER);
      return result;
    case 22:
      for (let i = 0; i < count; i++) result |= proxy_increment_metric(metric, 1);
      return result;
    case 23:
      for (let i = 0; i < count; i++) result |= proxy_record_metric(metric, 1);
      return result;
    default:
      return 0;
  }
}

// Answers "RESULT NANOSECONDS"; RESULT is the calls' status codes or'ed together, or the number of headers that were read.
export function proxy_on_request_headers(_context: u32, _headers: u32, _end: u32): i32 {
  const call = requestNumber("x-call");
  const count = requestNumber("x-count");
  useMetric();
  const from = clock();
  const result = run(call, count);
  const took = clock() - from;
  const text = `${result} ${took}`;
  const size = String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, LANDING);
  proxy_send_local_response(200, 0, 0, LANDING, size, 0, 0, -1);
  return 1;
}
