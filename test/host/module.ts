// The built modules, on an emulated proxy.
import { readFileSync } from "node:fs";
import { Envoy } from "./emulator/envoy.ts";
import type { Slot } from "./emulator/slot.ts";
import { Code } from "./emulator/vm.ts";

function built(name: string): Code {
  const path = new URL(`../../build/${name}`, import.meta.url);
  try {
    return new Code(readFileSync(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Error(`build/${name} is missing: run \`npm run build\` first`);
  }
}

export const filterCode = built("keyway.wasm");
export const watchCode = built("keyway-watch.wasm");

/** A proxy with the filter under this configuration, which it must take. */
export function proxyWith(configuration: unknown, options: { workers?: number } = {}): { envoy: Envoy; filter: Slot } {
  const envoy = new Envoy(filterCode, { ...options, watch: watchCode });
  const filter = envoy.filter();
  if (!filter.configure(configuration)) throw new Error(`refused: ${envoy.process.lines("error").join("; ")}`);
  return { envoy, filter };
}
