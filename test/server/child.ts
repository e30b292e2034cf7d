// A route server as a process of its own, which can be killed.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import { withoutSettings } from "../../scripts/proxy/route-server.ts";
import { ROOT } from "../../shared/package.ts";
import { type Answer, ask } from "../api/serve.ts";

export interface Child {
  url: string;
  process: ChildProcess;
  /** Lines of the log so far. */
  log: string[];
  ask(path: string, init?: RequestInit): Promise<Answer>;
  /** Sends a signal and returns how the process ended. */
  stop(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

interface Options {
  /** What a shell does before it becomes the server: `ulimit -f 100`. */
  before?: string;
  flags?: string[];
}

/** Starts a server and waits until it listens; rejects with its log when it ends before. */
export async function startChild(file: string, { before = ":", flags = [] }: Options = {}): Promise<Child> {
  const command = [
    process.execPath,
    join(ROOT, "installer/main.ts"),
    "serve",
    "--listen",
    "127.0.0.1:0",
    "--store",
    `sqlite:${file}`,
  ];
  const child = spawn("sh", ["-c", `${before}; exec "$@"`, "sh", ...command, ...flags], {
    env: withoutSettings(),
    stdio: ["ignore", "ignore", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const log: string[] = [];
  const ended = once(child, "exit").then(([code, signal]) => ({ code, signal }));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stderr }).on("line", (line) => {
      log.push(line);
      const listening = /"url":"([^"]+)"/.exec(line)?.[1];
      if (listening !== undefined) resolve(listening);
    });
    void ended.then(() => setTimeout(() => reject(new Error(log.join("\n"))), 50));
  });
  const stop = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  return { url, process: child, log, ask: (path, init) => ask(`${url}${path}`, init), stop };
}
