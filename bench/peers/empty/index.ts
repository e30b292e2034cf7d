// The least that Envoy can be asked to run: one callback that does nothing. What any Wasm filter costs before it has done any work.
export function proxy_abi_version_0_2_1(): void {}

export function malloc(_size: i32): usize {
  return __heap_base;
}

export function proxy_on_request_headers(_context: u32, _headers: u32, _end: u32): i32 {
  return 0;
}
