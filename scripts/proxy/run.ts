// Runs Envoy as a child process, from a configuration given as an object.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { envoy } from "../parts/envoy.ts";
import { ROOT } from "./bootstrap.ts";
import { Lines } from "./lines.ts";

/** Lines of Envoy's log. Port 0 in the configuration is a real port in the first. */
const ADMIN = /admin address: 127\.0\.0\.1:(\d+)/;
const READY = /starting main dispatch loop/;

export class Envoy {
  readonly child: ChildProcess;
  readonly accessLog: Lines;
  readonly log: Lines;
  readonly gone: Promise<unknown>;
  /** Ports by listener name, and the admin port. */
  ports: Record<string, number> = {};
  admin = 0;

  constructor(child: ChildProcess) {
    if (!child.stdout || !child.stderr) throw new Error("Envoy runs with its output in pipes");
    this.child = child;
    this.gone = once(child, "exit");
    this.accessLog = new Lines(child.stdout);
    this.log = new Lines(child.stderr);
  }

  async ready(): Promise<void> {
    if (!(await this.log.find(READY))) throw new Error(`Envoy did not start:\n${this.lastWords()}`);
    this.admin = Number(ADMIN.exec((await this.log.find(ADMIN)) ?? "")?.[1]);
    const { listener_statuses } = JSON.parse(await this.ask("/listeners?format=json"));
    for (const { name, local_address } of listener_statuses) this.ports[name] = local_address.socket_address.port_value;
  }

  /** The answer of Envoy's admin page at `path`. */
  async ask(path: string): Promise<string> {
    return await (await fetch(`http://127.0.0.1:${this.admin}${path}`)).text();
  }

  /** The lines that Envoy logged at level error or critical. */
  errors(): string {
    return this.log.all.filter((line) => /^\[(error|critical)\]/.test(line)).join("\n");
  }

  lastWords(): string {
    return this.errors() || this.log.all.slice(-5).join("\n") || "it said nothing";
  }

  async stop(): Promise<void> {
    this.child.kill("SIGTERM");
    const patience = setTimeout(() => this.child.kill("SIGKILL"), 5000);
    await this.gone;
    clearTimeout(patience);
  }
}

/** How many worker threads Envoy has, and the core that all of them are held on; any core when it is left out. */
export type Options = { concurrency?: number; core?: number };

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts Envoy from the checkout's root and returns when it listens. The caller stops it; it never outlives this process. */
export async function run(bootstrap: object, { concurrency = 1, core }: Options = {}): Promise<Envoy> {
  const { file, remove } = configurationFile(bootstrap);
  const options = ["--concurrency", String(concurrency), "--file-flush-interval-msec", "20"];
  const child = await launch(file, options, core);
  const proxy = new Envoy(child);
  running.add(child);
  child.once("exit", () => running.delete(child));
  try {
    await proxy.ready();
  } finally {
    remove();
  }
  return proxy;
}

/** What `envoy --mode validate` says of a configuration. */
export async function validate(bootstrap: object): Promise<{ status: number | null; output: string }> {
  const { file, remove } = configurationFile(bootstrap);
  const child = await launch(file, ["--mode", "validate"]);
  const { log } = new Envoy(child);
  const [status] = await once(child, "close");
  remove();
  return { status, output: log.all.join("\n") };
}

async function launch(file: string, args: string[], core?: number): Promise<ChildProcess> {
  const identity = ["--service-node", "keyway", "--service-cluster", "keyway"];
  const always = ["-c", file, "--disable-hot-restart", "--log-format", "[%l] %v", ...identity];
  const held = core === undefined ? [] : ["taskset", "-c", String(core)];
  const [program, ...words] = [...held, await envoy(), ...always, ...args] as [string, ...string[]];
  const child = spawn(program, words, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  await once(child, "spawn");
  return child;
}

/** The configuration in a file of its own; JSON is a form of YAML that Envoy reads by the file's name. */
function configurationFile(bootstrap: object): { file: string; remove: () => void } {
  const directory = mkdtempSync(join(tmpdir(), "keyway-envoy-"));
  const file = join(directory, "envoy.json");
  writeFileSync(file, JSON.stringify(bootstrap));
  return { file, remove: () => rmSync(directory, { recursive: true }) };
}
