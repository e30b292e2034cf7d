// Program: runs a Docker engine of its own until its stdin closes, be it because the process that started it has died, and
// takes away what the engine made. Prints the engine's socket once it answers. The engine has a bridge, addresses and a store
// of its own and leaves this machine's packet filter alone: containers are reached through their published ports.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../../scripts/parts/command.ts";
import { dockerd } from "../../../scripts/parts/docker.ts";
import { answers } from "./answers.ts";

const SUBNETS = 200;
const ended = once(process.stdin.resume(), "end");
process.on("SIGINT", () => {}).on("SIGTERM", () => {});

const directory = await mkdtemp(join(tmpdir(), "keyway-docker-"));
const socket = join(directory, "socket");
const subnet = await claimSubnet();
const log = openSync(join(directory, "log"), "a");
const engine = spawn(await dockerd(), options(), { stdio: ["ignore", log, log], detached: true });
const stopped = once(engine, "exit");

for (let tries = 0; tries < 600 && engine.exitCode === null; tries++) {
  if (await answers(socket)) break;
  await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, 100))]);
}
if (await answers(socket)) {
  process.stdout.write(`${socket}\n`);
  await Promise.race([ended, stopped]);
} else {
  process.stderr.write(`dockerd does not answer: ${(await run("tail", ["-n", "5", join(directory, "log")])).trim()}\n`);
  process.exitCode = 1;
}

// It stops its containers before it goes.
engine.kill("SIGTERM");
await stopped;
await removeBridges();
await rm(directory, { recursive: true, force: true, maxRetries: 5 });

function options(): string[] {
  return [
    `--host=unix://${socket}`,
    `--data-root=${join(directory, "data")}`,
    `--exec-root=${join(directory, "exec")}`,
    `--pidfile=${join(directory, "pid")}`,
    `--bridge=kwd${subnet}`,
    `--default-address-pool=base=10.214.${subnet}.128/25,size=28`,
    "--iptables=false",
    "--ip6tables=false",
    "--ip-forward=false",
    "--ip-masq=false",
  ];
}

/** The third byte of the engine's addresses. A bridge can be added under a name by one process only. */
async function claimSubnet(): Promise<number> {
  for (let step = 0; step < SUBNETS; step++) {
    const number = (process.pid + step) % SUBNETS;
    const taken = await run("ip", ["link", "add", `kwd${number}`, "type", "bridge"]).catch(() => "taken");
    if (taken) continue;
    await run("ip", ["addr", "add", `10.214.${number}.1/25`, "dev", `kwd${number}`]);
    return number;
  }
  throw new Error("no subnet is free for a Docker engine; end a test run on this machine");
}

/** The engine's own and those of networks that nobody removed. */
async function removeBridges(): Promise<void> {
  const addresses = (await run("ip", ["-o", "-4", "addr"])).split("\n");
  const ours = addresses.filter((line) => line.includes(` 10.214.${subnet}.`)).map((line) => line.split(/\s+/)[1]);
  for (const link of ours) await run("ip", ["link", "del", `${link}`]);
}
