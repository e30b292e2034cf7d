// The filter's pure functions, compiled without the host. Texts are put between bytes of the test's choice, so that a
// function which looks beyond the end of its text answers differently when they change.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";
import { TRANSFORM } from "../../installer/module/build.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const options = "--config asconfig.json --optimizeLevel 0 --shrinkLevel 0 --outFile unit.wasm".split(" ");

async function compile(): Promise<WebAssembly.Exports> {
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  const writeFile = (_name: string, contents: Uint8Array | string) => {
    bytes = Uint8Array.from(contents as Uint8Array);
  };
  const args = ["test/unit/assembly/entry.ts", "--baseDir", root, "--transform", TRANSFORM, ...options];
  const { error, stderr } = await main(args, { writeFile });
  if (error || !bytes) throw new Error(`test/unit/assembly/entry.ts does not compile:\n${stderr.toString()}`);
  const module = new WebAssembly.Module(bytes);
  const refuse = (name: string) => () => {
    throw new Error(`a pure function called the host's ${name}`);
  };
  const env = Object.fromEntries(WebAssembly.Module.imports(module).map(({ name }) => [name, refuse(name)]));
  return new WebAssembly.Instance(module, { env }).exports;
}

const exports = await compile();
const view = () => Buffer.from((exports.memory as WebAssembly.Memory).buffer);
const global = (name: string) => (exports[name] as WebAssembly.Global).value as number;
const input = global("input");
const room = global("ROOM");

export type Text = string | Uint8Array;

/** How many bytes before and after a text are of the test's choice. */
const MARGIN = 64;
let top = 0;
let around = 0;

/** Makes what was put void; what is put next lies between bytes of this value. */
export function surround(byte: number): void {
  around = byte;
  top = 0;
}

/** The address and the length of a text put into the module's memory, Latin-1 when it is a string. */
export function put(text: Text): [at: number, length: number] {
  const bytes = typeof text === "string" ? Buffer.from(text, "latin1") : text;
  const at = input + top + MARGIN;
  const next = top + bytes.length + 2 * MARGIN;
  if (next > room) throw new Error("the texts of one call are too long for the test's room");
  view()
    .fill(around, input + top, input + next)
    .set(bytes, at);
  top = next;
  return [at, bytes.length];
}

/** Where something lies that the module exports. */
export function exportedAddress(name: string): number {
  return global(name);
}

export function bytesAt(at: number, length: number): Buffer {
  return Buffer.from(view().subarray(at, at + length));
}

/** Calls `name` with addresses and lengths of texts and with numbers, between several kinds of surroundings. */
export function call<T extends number | bigint>(name: string, ...args: (Text | number)[]): T {
  const results = [0, 0x2c, 0x61, 0x25, 0x39].map((byte) => {
    surround(byte);
    return (exports[name] as (...args: number[]) => T)(
      ...args.flatMap((arg) => (typeof arg === "number" ? arg : put(arg))),
    );
  });
  if (new Set(results).size !== 1)
    throw new Error(`${name} depends on what lies around its text: ${results.join(", ")}`);
  return results[0] as T;
}

/** All candidates that a source's function yields from `text`. */
export function candidates(name: string, text: Text, wanted: Text = ""): Buffer[] {
  const runs = [0, 0x2c, 0x61, 0x3b].map((byte) => scan(name, byte, text, wanted));
  const [first] = runs;
  if (!first || runs.some((run) => !run.every((own, i) => first[i]?.equals(own)) || run.length !== first.length)) {
    throw new Error(`${name} depends on what lies around its text`);
  }
  return first;
}

function scan(name: string, byte: number, text: Text, wanted: Text): Buffer[] {
  surround(byte);
  (exports.resetScratch as () => void)();
  const next = exports[name] as (...args: number[]) => number;
  const [start, length] = put(text);
  const end = start + length;
  const target = name === "nextHeader" ? [] : put(wanted);
  const all: Buffer[] = [];
  let at = name === "nextQuery" ? (exports.queryOf as (at: number, end: number) => number)(start, end) : start;
  for (;;) {
    at = next(at, end, ...target) >>> 0;
    if (at === 0) return all;
    if (at > end + 1 || at <= start) throw new Error(`${name} went on outside of its text`);
    all.push(bytesAt(global("candidate"), global("candidateLen")));
    if (all.length > length + 1) throw new Error(`${name} does not end`);
  }
}

export function decodePercent(text: Text): Buffer | undefined {
  const length = call<number>("decodePercent", text);
  return length < 0 ? undefined : bytesAt(global("decoded"), length);
}

export function decodeBase64Url(text: Text): Buffer | undefined {
  surround(0x61);
  const [at, length] = put(text);
  const [to] = put(Buffer.alloc(length));
  const written = (exports.decodeBase64Url as (at: number, length: number, to: number) => number)(at, length, to);
  return written < 0 ? undefined : bytesAt(to, written);
}

/** The bytes of a JSON string; a number when it is none (-1) or was cut off (-2). */
export function readJsonString(text: Text): Buffer | number {
  const length = call<number>("readString", text);
  return length < 0 ? length : bytesAt(global("text"), length);
}
