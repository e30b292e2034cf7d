// Where fetched and built parts are kept, outside the checkout, so that clones share them.
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export type Part = {
  name: string;
  version: string;
  /** What the one line says while the part is made, e.g. "downloading Envoy 1.40.0 (35 MB, once)". */
  doing: string;
  /** Fills an empty directory. A directory that it leaves half full is thrown away. */
  make: (directory: string) => Promise<void>;
};

/** The directory of a complete part. It appears by rename, so whoever sees it sees all of it. */
export async function cached({ name, version, doing, make }: Part): Promise<string> {
  const directory = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "keyway", `${name}-${version}`);
  if (existsSync(directory)) return directory;
  await mkdir(dirname(directory), { recursive: true });
  return await locked(`${directory}.lock`, async () => {
    if (existsSync(directory)) return directory;
    process.stderr.write(`keyway: ${doing}\n`);
    const partial = `${directory}.${process.pid}`;
    await mkdir(partial);
    try {
      await make(partial);
      await rename(partial, directory);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
    return directory;
  });
}

/** Runs `work` while no other live process holds the lock file; one left by a dead process is taken over. */
async function locked<T>(path: string, work: () => Promise<T>): Promise<T> {
  while (!(await taken(path))) await sleep(250);
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function taken(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const owner = Number(await readFile(path, "utf8").catch(() => "0"));
  if (owner > 0 && !alive(owner)) await rm(path, { force: true });
  return false;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
