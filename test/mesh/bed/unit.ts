// A process of the bed in one of its network namespaces. Its pid stands in a file, so that any process that has joined the
// run can stop it or start it again.
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export type Unit = {
  /** Names the log file and the pid file in `directory`. */
  name: string;
  /** Also the working directory. */
  directory: string;
  namespace: string;
  command: string[];
  env?: Record<string, string>;
};

export async function startUnit({ name, directory, namespace, command, env }: Unit): Promise<void> {
  await mkdir(directory, { recursive: true });
  const log = openSync(join(directory, `${name}.log`), "a");
  // `ip netns exec` becomes the command itself, so this pid is the command's.
  const child = spawn("ip", ["netns", "exec", namespace, ...command], {
    cwd: directory,
    env: { PATH: process.env.PATH, HOME: directory, ...env },
    stdio: ["ignore", log, log],
    detached: true,
  });
  closeSync(log);
  await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  child.unref();
  await writeFile(pidFile({ name, directory }), String(child.pid));
}

/** Asks the process to end and waits until it has; after 10 seconds it is made to. */
export async function stopUnit(
  unit: Pick<Unit, "name" | "directory">,
  signal: NodeJS.Signals = "SIGTERM",
): Promise<void> {
  const pid = Number(await readFile(pidFile(unit), "utf8"));
  for (let waited = 0; send(pid, waited === 0 ? signal : waited < 10_000 ? 0 : "SIGKILL"); waited += 50)
    await sleep(50);
  await rm(pidFile(unit));
}

export async function unitLog({ name, directory }: Pick<Unit, "name" | "directory">): Promise<string> {
  return await readFile(join(directory, `${name}.log`), "utf8");
}

const pidFile = ({ name, directory }: Pick<Unit, "name" | "directory">) => join(directory, `${name}.pid`);

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
