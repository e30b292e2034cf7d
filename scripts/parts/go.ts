// Builds programs out of Go modules. Beside this file, a folder per part holds the go.mod and go.sum that pin it.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { run } from "./command.ts";

const NEEDED = "1.26";

export type GoPart = {
  /** The folder with go.mod and go.sum, whose `tool` lines name the packages. */
  module: string;
  packages: string[];
  /** Variables set by the linker, package path and name to value. */
  variables: Record<string, string>;
};

/** Builds the packages' programs into `directory`, each named as the last part of its path. */
export async function goBuild({ module, packages, variables }: GoPart, directory: string): Promise<void> {
  const go = goProgram(module);
  const set = Object.entries(variables).map(([name, value]) => `-X ${name}=${value}`);
  const flags = ["-trimpath", "-ldflags", ["-s", "-w", ...set].join(" ")];
  await run("nice", ["-n", "10", go, "build", ...flags, "-o", `${directory}/`, ...packages], inModule(module));
}

/** Directory of the sources of one module that the part's go.mod requires, downloaded when absent. */
export async function goSources(module: string, path: string): Promise<string> {
  const listed = await run(goProgram(module), ["mod", "download", "-json", path], inModule(module));
  return (JSON.parse(listed) as { Dir: string }).Dir;
}

const inModule = (module: string) => ({
  cwd: join(import.meta.dirname, module),
  env: { ...process.env, CGO_ENABLED: "0" },
});

function goProgram(module: string): string {
  const found = spawnSync("go", ["env", "GOVERSION"], { cwd: join(import.meta.dirname, module), encoding: "utf8" });
  if (found.status === 0) return "go";
  const why = found.error ? "Go was not found on the PATH" : found.stderr.trim();
  throw new Error(`${module} is built from Go modules and that failed: ${why}; install Go ${NEEDED} or newer`);
}
