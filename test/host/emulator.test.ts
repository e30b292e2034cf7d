// The emulated host must itself notice a module that breaks the rules.
import { main } from "assemblyscript/asc";
import { expect, test } from "vitest";
import { AbiViolation } from "./emulator/abi.ts";
import { Envoy } from "./emulator/envoy.ts";
import { Code, Trap } from "./emulator/vm.ts";

/** A module that does at a request what the first byte of its configuration says. */
const SOURCE = `
@external("env", "proxy_get_buffer_bytes") declare function buffer(t: u32, from: u32, n: u32, at: usize, size: usize): u32;
@external("env", "proxy_log") declare function log(level: u32, at: usize, n: u32): u32;
@external("env", "proxy_replace_header_map_value")
declare function replace(t: u32, name: usize, n: u32, value: usize, m: u32): u32;
@external("env", "proxy_grpc_close") declare function grpcClose(token: u32): u32;
@external("env", "proxy_set_effective_context") declare function actFor(id: u32): u32;
@external("env", "proxy_set_property") declare function setProperty(path: usize, n: u32, value: usize, m: u32): u32;

const OUT = memory.data(16);
const TEXT = memory.data<u8>([104, 10, 104]);
let top: usize = 1 << 16;
let what: u32 = 0;
let kept: usize = 0;

export function proxy_abi_version_0_2_1(): void {}
export function malloc(size: usize): usize {
  const at = top;
  top += size;
  return at;
}
export function proxy_on_configure(root: u32, size: u32): u32 {
  buffer(7, 0, size, OUT, OUT + 4);
  kept = load<u32>(OUT);
  what = load<u8>(kept);
  return what != 0x72 ? 1 : 0;
}
export function proxy_on_request_headers(stream: u32, n: u32, end: u32): u32 {
  if (what == 0x61) log(2, 0xfffffff0, 32);
  if (what == 0x62) log(9, TEXT, 1);
  if (what == 0x63) replace(0, TEXT, 1, TEXT, 3);
  if (what == 0x64) replace(0, TEXT, 2, TEXT, 1);
  if (what == 0x65) grpcClose(1);
  if (what == 0x66) unreachable();
  if (what == 0x67) return 1;
  if (what == 0x68) setProperty(kept, 1, TEXT, 1);
  if (what == 0x69 && actFor(stream + 1000) == 2) replace(0, TEXT, 1, TEXT, 1);
  return 0;
}
`;

async function compile(): Promise<Code> {
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  const { error, stderr } = await main(
    ["module.ts", "--config", "none", "--runtime", "stub", "--use", "abort=", "-o", "m.wasm", "--initialMemory", "2"],
    {
      readFile: (name: string) => (name === "module.ts" ? SOURCE : null),
      writeFile: (_: string, contents: Uint8Array | string) => {
        bytes = Uint8Array.from(contents as Uint8Array);
      },
    },
  );
  if (error || !bytes) throw new Error(stderr.toString());
  return new Code(bytes);
}

const code = await compile();
const ask = (configuration: string) => {
  const filter = new Envoy(code).filter();
  expect(filter.configure(configuration)).toBe(true);
  return filter.request();
};

test.each([
  ["an address out of bounds", "a", AbiViolation, "outside"],
  ["a log level that there is not", "b", AbiViolation, "log level 9"],
  ["a line break in a header's value", "c", AbiViolation, "header h"],
  ["a line break in a header's name", "d", AbiViolation, "header name"],
  ["a host function that is not emulated", "e", AbiViolation, "proxy_grpc_close"],
  ["a trap", "f", Trap, "proxy_on_request_headers trapped"],
  ["a request held back", "g", Error, "holds a request back"],
])("%s is noticed", (_, configuration, kind, message) => {
  const run = () => ask(configuration);
  expect(run).toThrow(kind);
  expect(run).toThrow(message);
});

test("memory that was handed out in an earlier callback is spoiled", () => {
  expect(ask("h").state).toBeUndefined();
});

test("a context that is not there can't be acted for", () => {
  expect(ask("i").headers.at(-1)).toEqual(["h", "h"]);
});

test("a refusal on the canary changes nothing", () => {
  const filter = new Envoy(code).filter();
  expect(filter.configure("x")).toBe(true);
  expect(filter.configure("r")).toBe(false);
  expect(filter.request()).toMatchObject({ status: 200, cluster: "reviews" });
});

/** A module that imports one function with one i32 parameter and an i32 result, and does nothing else. */
const importing = (name: string) => {
  const text = (own: string) => [own.length, ...Buffer.from(own)];
  const imported = [1, ...text("env"), ...text(name), 0, 0];
  return new Uint8Array([
    0,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    1,
    6,
    1,
    0x60,
    1,
    0x7f,
    1,
    0x7f,
    2,
    imported.length,
    ...imported,
  ]);
};

test.each(["proxy_clear_route_cache", "proxy_log", "abort"])("a module that imports %s(i32) is refused", (name) => {
  expect(() => new Code(importing(name))).toThrow(`the host links no env.${name}(i)i`);
});

test("a module without the functions that the host needs is refused", () => {
  expect(() => new Code(importing("proxy_close_stream"))).toThrow("does not export memory");
});
