#!/usr/bin/env node
// Starts the command, build/cli/main.mjs. Plain JavaScript with old syntax, so that a Node.js which is too old for the
// command still gets as far as saying so. In a checkout the Node.js that the packages pin takes over instead.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const beside = (path) => fileURLToPath(new URL(path, import.meta.url));
const oldest = JSON.parse(readFileSync(beside("../package.json"), "utf8")).engines.node.replace(">=", "");
const pinned = beside("../node_modules/node/bin/node");

if (isAtLeast(process.versions.node, oldest)) import("./cli/main.mjs");
else if (existsSync(pinned)) handOver(pinned);
else {
  console.error(`keyway: this is Node.js ${process.versions.node}, and keyway needs ${oldest} or newer`);
  console.error("  next:  install a newer Node.js and run it again");
  process.exitCode = 1;
}

function isAtLeast(version, wanted) {
  const [a, b] = [version, wanted].map((text) => text.split(".").map(Number));
  const at = a.findIndex((part, index) => part !== b[index]);
  return at < 0 || a[at] > b[at];
}

/** Lives as long as the command does, and ends as it does. */
function handOver(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit" });
  // A terminal sends Ctrl-C to both processes; what another process sends reaches this one alone.
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  process.on("SIGINT", () => terminal || child.kill("SIGINT"));
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
