// The least that a module can do to route a request through Keyway's twins: it strips the client's selection, reads the key, and selects one
// fixed target. The twin adds the hop mark. The module has no table and asks the host for nothing else.
import {
  proxy_get_header_map_value,
  proxy_remove_header_map_value,
  proxy_replace_header_map_value,
  proxy_set_property,
} from "@solo-io/proxy-runtime/assembly/imports";

export function proxy_abi_version_0_2_1(): void {}

const LANDING = memory.data(4096);
export function malloc(_size: i32): usize {
  return LANDING;
}

const ADDRESS = memory.data(8, 8);
const LENGTH = memory.data(8, 8);
const TEXTS = memory.data(128);
let texts = TEXTS;

function lay(text: string): usize {
  const at = texts;
  texts += <usize>String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, at);
  return at;
}

const REQUEST_HEADERS = 0;
const CLUSTER = lay("x-keyway-cluster");
const KEY = lay("x-routing-key");
const TARGET = lay("target");
const STATE = lay("keyway");
const ROUTED = lay("routed");

export function proxy_on_request_headers(_context: u32, _headers: u32, _end: u32): i32 {
  proxy_remove_header_map_value(REQUEST_HEADERS, CLUSTER, 16);
  if (proxy_get_header_map_value(REQUEST_HEADERS, KEY, 13, ADDRESS, LENGTH) != 0) return 0;
  proxy_set_property(STATE, 6, ROUTED, 6);
  proxy_replace_header_map_value(REQUEST_HEADERS, CLUSTER, 16, TARGET, 6);
  return 0;
}
