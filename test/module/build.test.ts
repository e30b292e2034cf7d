import { describe, expect, test } from "vitest";
import { ABI_MARKER, moduleFaults } from "../../installer/module/build.ts";

/** A module as bytes: the functions it imports and what it exports, all of type () -> (). */
function moduleWith({
  imports = [] as [string, string][],
  functions = [] as string[],
  memory = true,
}): Uint8Array<ArrayBuffer> {
  const text = (name: string) => [name.length, ...Buffer.from(name)];
  const section = (id: number, count: number, body: number[]) => [id, body.length + 1, count, ...body];
  const exports = functions.map((name, i) => [...text(name), 0, imports.length + i]);
  const all = memory ? [...exports, [...text("memory"), 2, 0]] : exports;
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 1, [0x60, 0, 0]),
    ...section(
      2,
      imports.length,
      imports.flatMap(([module, name]) => [...text(module), ...text(name), 0, 0]),
    ),
    ...section(
      3,
      functions.length,
      functions.map(() => 0),
    ),
    ...section(5, 1, [0, 1]),
    ...section(7, all.length, all.flat()),
    ...section(
      10,
      functions.length,
      functions.flatMap(() => [2, 0, 0x0b]),
    ),
  ]);
}

const WHOLE = { imports: [["env", "proxy_log"]] as [string, string][], functions: ["malloc", ABI_MARKER] };

describe("moduleFaults", () => {
  test("finds nothing in a module that a proxy loads", () => {
    expect(moduleFaults(moduleWith(WHOLE))).toEqual([]);
  });

  test.each([
    ["no function of the host", ["env", "proxy_clear_route_cache"], "env.proxy_clear_route_cache"],
    ["a host function of another module", ["wasi", "proxy_log"], "wasi.proxy_log"],
    ["the compiler's own abort", ["env", "abort"], "env.abort"],
  ] as const)("names an import that is %s", (_, [module, name], told) => {
    expect(moduleFaults(moduleWith({ ...WHOLE, imports: [[module, name]] }))).toEqual([
      `it imports ${told}, which Envoy does not provide`,
    ]);
  });

  test.each(["malloc", ABI_MARKER])("names the missing export %s", (name) => {
    const functions = WHOLE.functions.filter((exported) => exported !== name);
    expect(moduleFaults(moduleWith({ ...WHOLE, functions }))).toEqual([`it does not export ${name}`]);
  });

  test("names a missing memory", () => {
    expect(moduleFaults(moduleWith({ ...WHOLE, memory: false }))).toEqual(["it does not export memory"]);
  });

  test.each([
    ["nothing", new Uint8Array()],
    ["half of a module", moduleWith(WHOLE).slice(0, 40)],
    ["text", new Uint8Array(Buffer.from("<html>not found</html>"))],
  ])("tells %s from a module", (_, bytes) => {
    expect(moduleFaults(bytes)).toEqual(["it is not a valid WebAssembly module"]);
  });
});
