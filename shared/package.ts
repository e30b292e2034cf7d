// The package that this code is part of: a checkout, or what npm installed.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import manifest from "../package.json" with { type: "json" };

export const VERSION = manifest.version;

/** The nearest directory above this file that holds package.json, for the source and for the bundled command alike. */
export const ROOT = rootAbove(import.meta.dirname);

/** The modules that the package carries. In a checkout they are there once they are built. */
export const MODULE = join(ROOT, "build", "keyway.wasm");
export const WATCH_MODULE = join(ROOT, "build", "keyway-watch.wasm");

function rootAbove(directory: string): string {
  const above = dirname(directory);
  return existsSync(join(directory, "package.json")) || above === directory ? directory : rootAbove(above);
}
