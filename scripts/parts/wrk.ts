// The load generator wrk: the machine's own, or Debian's unpacked into the cache.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./cache.ts";
import { onPath, unpack } from "./debian.ts";

// The cache directory is renamed once it is complete, so the path to the libraries is taken from where the script stands.
const LAUNCHER = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
LD_LIBRARY_PATH=$(echo "$here"/usr/lib/*-linux-gnu) exec "$here/usr/bin/wrk" "$@"
`;

/** Path of a wrk that can be run as it is. */
export async function wrk(): Promise<string> {
  if (onPath("wrk")) return "wrk";
  const make = async (directory: string) => {
    unpack(directory, ["wrk"]);
    writeFileSync(join(directory, "wrk"), LAUNCHER, { mode: 0o755 });
  };
  const directory = await cached({ name: "wrk", version: "debian", doing: "unpacking Debian's wrk (once)", make });
  return join(directory, "wrk");
}
