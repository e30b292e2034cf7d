// One run of the bed: a number that no other run on this machine has, and all that is named after it. Whatever the bed
// makes outside its directory carries the run's name, so that it can be taken away by name alone.
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeNetwork } from "./network.ts";

const RUNS = 200;
const LEFT = /^keyway-mesh-kw\d+$/;

export type Run = {
  /** Begins the name of each bridge, link and namespace of this run. */
  name: string;
  directory: string;
  /** The first three bytes of every address, as in "10.213.7". */
  subnet: string;
};

/** The control plane's host number within the run's subnet. 1 is this machine's. */
export const CONTROL = 2;
export const FIRST_POD = 10;
export const LAST_POD = 250;

export const controlAddress = (run: Run): string => `${run.subnet}.${CONTROL}`;

/** The run with the directory. */
export const runAt = (directory: string): Run => runOf(Number(/\d+$/.exec(directory)?.[0]));

function runOf(number: number): Run {
  const name = `kw${number}`;
  return { name, directory: join(tmpdir(), `keyway-mesh-${name}`), subnet: `10.213.${number}` };
}

/** Takes a free number, after what runs that died without their reaper left behind has been removed. */
export async function claimRun(): Promise<Run> {
  for (const name of await readdir(tmpdir())) {
    const left = LEFT.test(name) && runAt(name);
    if (left && !(await ownerLives(left))) await removeRun(left);
  }
  const first = process.pid % RUNS;
  for (let step = 0; step < RUNS; step++) {
    const run = runOf((first + step) % RUNS);
    if (await claim(run)) return run;
  }
  throw new Error(`all ${RUNS} places for a mesh on this machine are taken (${runOf(0).directory} and on); end one`);
}

/** Whoever is first to mark the directory removes the run; for others there is nothing left to do. */
export async function removeRun(run: Run): Promise<void> {
  const others = await writeFile(join(run.directory, "removed"), "", { flag: "wx" }).catch(() => "others");
  if (others) return;
  await removeNetwork(run);
  await rm(run.directory, { recursive: true, force: true, maxRetries: 5 });
}

/** The directory appears with its owner's pid already in it, and only one process can make it appear. */
async function claim(run: Run): Promise<boolean> {
  const prepared = await mkdtemp(`${run.directory}.`);
  // The proxies' user passes through, and reads nothing but its pod's.
  await chmod(prepared, 0o711);
  await writeFile(join(prepared, "owner"), String(process.pid));
  await mkdir(join(prepared, "pods"));
  await mkdir(join(prepared, "hosts"));
  try {
    await rename(prepared, run.directory);
    return true;
  } catch {
    await rm(prepared, { recursive: true });
    return false;
  }
}

async function ownerLives(run: Run): Promise<boolean> {
  const owner = Number(await readFile(join(run.directory, "owner"), "utf8").catch(() => "0"));
  if (!owner) return false;
  try {
    process.kill(owner, 0);
    return true;
  } catch {
    return false;
  }
}
