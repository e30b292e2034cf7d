// Runs `keyway serve` as a child process.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT } from "./bootstrap.ts";
import { Lines } from "./lines.ts";

/** Also of a server that has a large store to read first. */
const READY_MS = 60_000;

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
    const late = sleep(READY_MS, "late" as const, { ref: false });
    const line = await Promise.race([this.log.find(/"msg":"listening"/), late]);
    const last = this.log.all.slice(-5).join("\n");
    if (line === undefined) throw new Error(`the route server did not start:\n${last}`);
    if (line === "late") {
      const next = "with --log-level warn or error it does not say so";
      throw new Error(`the route server has not said within ${READY_MS / 1000} s that it listens; ${next}:\n${last}`);
    }
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
export const serveRoutes = (...flags: string[]): Promise<RouteServer> => serve("installer/main.ts", flags);

/** The same with the command as it is shipped, which has to be built. */
export const serveShipped = (...flags: string[]): Promise<RouteServer> => serve("build/cli/main.mjs", flags);

/** This process's environment without the settings of a route server that somebody else runs from the same shell. */
export function withoutSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("KEYWAY_SERVE_")));
}

async function serve(program: string, flags: string[]): Promise<RouteServer> {
  const listen = flags.includes("--listen") ? [] : ["--listen", "127.0.0.1:0"];
  const args = [join(ROOT, program), "serve", "--grace", "1", ...listen, ...flags];
  const child = spawn(process.execPath, args, { env: withoutSettings(), stdio: ["ignore", "ignore", "pipe"] });
  running.add(child);
  child.once("exit", () => running.delete(child));
  const server = new RouteServer(child);
  try {
    await server.ready();
  } catch (thrown) {
    child.kill("SIGKILL");
    throw thrown;
  }
  return server;
}
