// Programs that are installed system-wide from Debian packages where they are missing and this process may.
import { spawnSync } from "node:child_process";
import { run } from "./command.ts";

export type DebianProgram = { program: string; package: string };

let installing: Promise<void> = Promise.resolve();

/** Paths of the programs, in their order. All that are missing are installed in one go. */
export async function installed(...wanted: DebianProgram[]): Promise<string[]> {
  const missing = () => wanted.filter(({ program }) => !pathOf(program));
  if (missing().length) {
    installing = installing.catch(() => {}).then(() => install(missing()));
    await installing;
    if (missing().length) refuse(missing(), "they are not on the PATH after their installation");
  }
  return wanted.map(({ program }) => pathOf(program));
}

const pathOf = (program: string): string =>
  spawnSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).stdout.trim();

async function install(missing: DebianProgram[]): Promise<void> {
  if (!missing.length) return;
  if (process.getuid?.() !== 0) refuse(missing, "installing them needs root");
  if (!pathOf("apt-get")) refuse(missing, "this system has no apt-get");
  const packages = missing.map((one) => one.package);
  process.stderr.write(`keyway: installing ${packages.join(", ")} (apt-get, once)\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...args: string[]) => run("apt-get", ["-q", "-o", "DPkg::Lock::Timeout=300", ...args], { env });
  await apt("update");
  await apt("install", "-y", "--no-install-recommends", ...packages);
}

function refuse(missing: DebianProgram[], why: string): never {
  const names = missing.map((one) => one.program).join(", ");
  const packages = missing.map((one) => one.package).join(" ");
  throw new Error(`missing on this machine: ${names}, and ${why}; on Debian and Ubuntu: apt-get install ${packages}`);
}
