// Finds the Docker engine that the tests of the project `container` use, or starts one for them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestProject } from "vitest/node";
import { dockerd } from "../../scripts/parts/docker.ts";
import { answers } from "./engine/answers.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The engine's address, or why there is none. */
    engine: { address: string } | { failure: string };
  }
}

const STANDARD = "/var/run/docker.sock";

/** Where no engine can be had, the tests fail and say why; those of other projects still run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.DOCKER_HOST ?? ((await answers(STANDARD)) ? `unix://${STANDARD}` : undefined);
  if (given) {
    project.provide("engine", { address: given });
    return async () => {};
  }
  try {
    const { socket, stop } = await startEngine();
    project.provide("engine", { address: `unix://${socket}` });
    return stop;
  } catch (error) {
    project.provide("engine", { failure: error instanceof Error ? error.message : `${error}` });
    return async () => {};
  }
}

async function startEngine(): Promise<{ socket: string; stop: () => Promise<void> }> {
  if (process.getuid?.() !== 0)
    throw new Error("no Docker engine answers, and starting one needs root; start Docker or set DOCKER_HOST");
  await dockerd();
  const supervisor = spawn(process.execPath, [join(import.meta.dirname, "engine", "supervisor.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
  });
  const gone = once(supervisor, "close");
  const lines = createInterface(supervisor.stdout);
  const [socket] = (await Promise.race([once(lines, "line"), gone.then(() => [])])) as [string?];
  if (!socket) throw new Error("the Docker engine that was started ended at once; see its message above");
  const stop = async () => {
    supervisor.stdin.end();
    await gone;
  };
  return { socket, stop };
}
