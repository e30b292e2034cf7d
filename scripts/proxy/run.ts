// Runs Envoy as a child process, from a configuration given as an object.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { envoy } from "../parts/envoy.ts";
import { type Bootstrap, ROOT } from "./bootstrap.ts";
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

  /** What Envoy logged as an error or worse. */
  complaints(): string {
    return this.log.all.filter((line) => /^\[(error|critical)\]/.test(line)).join("\n");
  }

  lastWords(): string {
    return this.complaints() || this.log.all.slice(-5).join("\n") || "it said nothing";
  }

  async stop(): Promise<void> {
    this.child.kill("SIGTERM");
    const patience = setTimeout(() => this.child.kill("SIGKILL"), 5000);
    await this.gone;
    clearTimeout(patience);
  }
}

export type Options = { concurrency?: number };

/** Starts Envoy from the checkout's root and returns when it listens. The caller stops it; it never outlives this process. */
export async function run(bootstrap: Bootstrap, { concurrency = 1 }: Options = {}): Promise<Envoy> {
  const { file, remove } = written(bootstrap);
  const child = await launch(file, ["--concurrency", String(concurrency), "--file-flush-interval-msec", "20"]);
  const proxy = new Envoy(child);
  const orphan = () => child.kill("SIGKILL");
  process.once("exit", orphan);
  child.once("exit", () => process.off("exit", orphan));
  try {
    await proxy.ready();
  } finally {
    remove();
  }
  return proxy;
}

/** What `envoy --mode validate` says of a configuration. */
export async function validate(bootstrap: Bootstrap): Promise<{ status: number | null; output: string }> {
  const { file, remove } = written(bootstrap);
  const child = await launch(file, ["--mode", "validate"]);
  const { log } = new Envoy(child);
  const [status] = await once(child, "close");
  remove();
  return { status, output: log.all.join("\n") };
}

async function launch(file: string, args: string[]): Promise<ChildProcess> {
  const identity = ["--service-node", "keyway", "--service-cluster", "keyway"];
  const always = ["-c", file, "--disable-hot-restart", "--log-format", "[%l] %v", ...identity];
  const child = spawn(await envoy(), [...always, ...args], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  await once(child, "spawn");
  return child;
}

/** The configuration in a file of its own; JSON is a form of YAML that Envoy reads by the file's name. */
function written(bootstrap: Bootstrap): { file: string; remove: () => void } {
  const directory = mkdtempSync(join(tmpdir(), "keyway-envoy-"));
  const file = join(directory, "envoy.json");
  writeFileSync(file, JSON.stringify(bootstrap));
  return { file, remove: () => rmSync(directory, { recursive: true }) };
}
