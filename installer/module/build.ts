// Compiles the module and checks what a proxy would otherwise find out: its size, its imports, its ABI.
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { KeywayError, reason } from "../../shared/errors.ts";
import { ROOT } from "../../shared/package.ts";

/** asc takes the path of a transform whole, so it can't stand in asconfig.json. */
export const TRANSFORM = join(ROOT, "filter/transform/byte-literals.mjs");

export const ABI_MARKER = "proxy_abi_version_0_2_1";
export const SIZE_LIMIT = 64 * 1024;

/** The functions of proxy-wasm ABI 0.2.1 that Envoy's host provides, and the one of WASI that is needed; a module that imports another does not load. */
const HOST_FUNCTIONS = new Set([
  "wasi_snapshot_preview1.clock_time_get",
  ...`log get_log_level get_status set_property get_property send_local_response continue_stream close_stream
  get_shared_data set_shared_data register_shared_queue resolve_shared_queue dequeue_shared_queue enqueue_shared_queue
  get_header_map_value add_header_map_value replace_header_map_value remove_header_map_value get_header_map_pairs
  set_header_map_pairs get_header_map_size get_buffer_status get_buffer_bytes set_buffer_bytes http_call grpc_call
  grpc_stream grpc_close grpc_cancel grpc_send set_tick_period_milliseconds get_current_time_nanoseconds define_metric
  increment_metric record_metric get_metric set_effective_context done call_foreign_function`
    .split(/\s+/)
    .map((name) => `env.proxy_${name}`),
]);

export type Module = { name: string; path: string; size: number };
type Compiled = { name: string; bytes: Uint8Array<ArrayBuffer> };

/** Compiles both modules, checks them and puts them into build/. Throws with the compiler's or the check's message. */
export async function buildModule(): Promise<Module[]> {
  const filter = await compile("filter", "filter/index.ts", "build/keyway.wasm");
  const watch = await compile("watch", "filter/watch/index.ts", "build/keyway-watch.wasm");
  if (filter.bytes.length > SIZE_LIMIT)
    throw new Error(
      `${filter.name} has ${filter.bytes.length} bytes; at most ${SIZE_LIMIT} are allowed, so make it smaller`,
    );
  return [await put(filter), await put(watch)];
}

/** `name` is the target's outFile in asconfig.json. */
async function compile(target: string, entry: string, name: string): Promise<Compiled> {
  const { main } = await import("assemblyscript/asc");
  let bytes = new Uint8Array();
  const writeFile = (path: string, contents: Uint8Array | string) => {
    if (path.endsWith(name)) bytes = new Uint8Array(Buffer.from(contents));
  };
  const args = [entry, "--baseDir", ROOT, "--config", "asconfig.json", "--target", target, "--transform", TRANSFORM];
  const { error, stderr } = await main(args, { writeFile });
  if (error) throw new Error(`${entry} does not compile:\n${stderr.toString().trim() || error.message}`);
  const faults = moduleFaults(bytes);
  if (faults.length > 0) throw new Error(`${name} would not load in a proxy: ${faults.join("; ")}`);
  return { name, bytes };
}

/** Whoever reads the file meanwhile, as a running Envoy may, reads a whole module. */
async function put({ name, bytes }: Compiled): Promise<Module> {
  const path = join(ROOT, name);
  const partial = `${path}.${process.pid}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(partial, bytes);
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, { force: true });
    throw new KeywayError(`can't write ${name}: ${reason(cause)}`, {
      where: path,
      next: "make room and the folder writable, then build again",
      cause,
    });
  }
  return { name, path, size: bytes.length };
}

/** Why a proxy would not load these bytes, in words; empty when it would. */
export function moduleFaults(bytes: Uint8Array<ArrayBuffer>): string[] {
  if (!WebAssembly.validate(bytes)) return ["it is not a valid WebAssembly module"];
  const module = new WebAssembly.Module(bytes);
  const exported = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
  const foreign = WebAssembly.Module.imports(module).map((wanted) => `${wanted.module}.${wanted.name}`);
  return [
    ...foreign
      .filter((name) => !HOST_FUNCTIONS.has(name))
      .map((name) => `it imports ${name}, which Envoy does not provide`),
    ...["memory", "malloc", ABI_MARKER]
      .filter((name) => !exported.has(name))
      .map((name) => `it does not export ${name}`),
  ];
}
