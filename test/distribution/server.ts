// The reference registry, as its own process.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { registry } from "../../scripts/parts/registry.ts";
import { freePort, type Server } from "../registry/listening.ts";

/** Starts the reference registry; `auth` is its configuration's section of that name, as JSON. */
export async function startRegistry(auth?: Record<string, unknown>): Promise<Server> {
  const program = await registry();
  const folder = await mkdtemp(join(tmpdir(), "keyway-registry-"));
  const host = `127.0.0.1:${await freePort()}`;
  const config = {
    version: "0.1",
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: folder } },
    http: { addr: host, secret: "test" },
    ...(auth && { auth }),
  };
  const file = join(folder, "config.yml");
  await writeFile(file, JSON.stringify(config));
  const child = spawn(program, ["serve", file], { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (text) => {
    log = `${log}${text}`.slice(-2000);
  });
  const stop = async () => {
    await ended(child);
    await rm(folder, { recursive: true });
  };
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) break;
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    if (answer && [200, 401].includes(answer.status)) return { host, stop };
    await setTimeout(50);
  }
  await stop();
  throw new Error(`the registry did not start at ${host}: ${log}`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}
