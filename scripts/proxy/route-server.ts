// Runs `keyway serve` as a child process.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { ROOT } from "./bootstrap.ts";
import { Lines } from "./lines.ts";

export class RouteServer {
  readonly child: ChildProcess;
  /** JSON, a line for each thing that the server tells. */
  readonly log: Lines;
  readonly gone: Promise<unknown>;
  url = "";

  constructor(child: ChildProcess) {
    if (!child.stderr) throw new Error("the route server runs with its log in a pipe");
    this.child = child;
    this.gone = once(child, "exit");
    this.log = new Lines(child.stderr);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  async ready(): Promise<void> {
    const line = await this.log.find(/"msg":"listening"/);
    if (line === undefined) throw new Error(`the route server did not start:\n${this.log.all.slice(-5).join("\n")}`);
    this.url = JSON.parse(line).url;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.child.kill(signal);
    const patience = setTimeout(() => this.child.kill("SIGKILL"), 5000);
    await this.gone;
    clearTimeout(patience);
  }
}

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts it with flags as on the command line, on a free port unless they say one, and returns when it listens. The caller stops it. */
export async function serveRoutes(...flags: string[]): Promise<RouteServer> {
  const listen = flags.includes("--listen") ? [] : ["--listen", "127.0.0.1:0"];
  const args = [join(ROOT, "installer/main.ts"), "serve", "--grace", "1", ...listen, ...flags];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  running.add(child);
  child.once("exit", () => running.delete(child));
  const server = new RouteServer(child);
  await server.ready();
  return server;
}
