// Debian packages unpacked into a directory, for tools that the machine lacks. Nothing is installed, so no rights are needed.
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Unpacks the packages and whatever of their dependencies the machine does not have. */
export function unpack(directory: string, packages: string[]): void {
  const simulate = ["install", "--print-uris", "--yes", "--no-install-recommends", ...packages];
  const listed = spawnSync("apt-get", simulate, { encoding: "utf8" });
  if (listed.status !== 0) {
    const why = listed.error?.message ?? listed.stderr.trim();
    throw new Error(`${packages.join(", ")}: not on this machine, and Debian's packages cannot be had: ${why}`);
  }
  const absent = [...listed.stdout.matchAll(/^'\S*\/([^/_]+)_[^/']*'/gm)].map(([, name]) => name as string);
  const files = new Set([...packages, ...absent]);
  execFileSync("apt-get", ["download", "--quiet", ...files], { cwd: directory, stdio: "ignore" });
  for (const file of readdirSync(directory).filter((name) => name.endsWith(".deb"))) {
    execFileSync("dpkg-deb", ["--extract", join(directory, file), directory]);
    rmSync(join(directory, file));
  }
}

/** The environment in which the unpacked programs find each other and their libraries. */
export function environment(directory: string): NodeJS.ProcessEnv {
  const triplet = `${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;
  const libraries = join(directory, "usr", "lib", triplet);
  return { ...process.env, LD_LIBRARY_PATH: libraries, PATH: `${join(directory, "usr", "bin")}:${process.env.PATH}` };
}

export function onPath(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}
