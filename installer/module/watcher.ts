import { existsSync } from "node:fs";
import { KeywayError } from "../../shared/errors.ts";
import { readBytes } from "../../shared/input.ts";
import { WATCH_MODULE } from "../../shared/package.ts";

const MAGIC = "\0asm";

/** The watcher as base64, from a file that was named or from beside this command; undefined where none was built. */
export async function readWatcher(path: string | undefined): Promise<string | undefined> {
  if (path === undefined && !existsSync(WATCH_MODULE)) return undefined;
  const file = path ?? WATCH_MODULE;
  const bytes = await readBytes(file, "`keyway build` makes build/keyway-watch.wasm");
  if (bytes.subarray(0, MAGIC.length).toString("latin1") === MAGIC) return bytes.toString("base64");
  throw new KeywayError("the watcher is no WebAssembly module", { where: file, next: "`keyway build` makes one" });
}

export const NO_WATCHER =
  `there is no watcher at ${WATCH_MODULE}: requests for a missing target would be answered with 503 until it is back; ` +
  "`keyway build` makes it, or name it with --watch-module";
