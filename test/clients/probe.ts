// An application with Signadot's SDK, and the command that comes with it.
import { type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { signadotClients } from "../../scripts/parts/signadot.ts";

const programs = await signadotClients();

export class Probe {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  /** The SDK's own log. */
  log = "";

  constructor(address: string, name = "reviews") {
    const env = {
      SIGNADOT_ROUTESERVER: address,
      SIGNADOT_BASELINE_KIND: "Deployment",
      SIGNADOT_BASELINE_NAMESPACE: "demo",
      SIGNADOT_BASELINE_NAME: name,
    };
    this.#process = spawn(join(programs, "probe"), { env });
    this.#process.stderr.on("data", (chunk) => {
      this.log += chunk;
    });
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
    onTestFinished(() => void this.#process.kill("SIGKILL"));
  }

  /** The answer to one line. Throws where the process has died. */
  async ask(line: string): Promise<string> {
    this.#process.stdin.write(`${line}\n`);
    const { value } = await this.#lines.next();
    if (value === undefined) throw new Error(`the application has died: ${this.log}`);
    return value;
  }

  target(...keys: string[]): Promise<string> {
    return this.ask(`target 9080 ${keys.join(" ")}`);
  }

  /** Waits until a key leads there; the moment at which it did, in milliseconds since 1970. */
  async until(key: string, target: string): Promise<number> {
    return Number(await this.ask(`until 9080 ${key} ${target}`)) / 1000;
  }
}

/** What `sdroutes` prints. */
export async function sdroutes(...args: string[]): Promise<string> {
  return (await promisify(execFile)(join(programs, "sdroutes"), args)).stdout;
}

/** What `sdroutes -watch` prints until it has printed `until`. */
export async function sdroutesWatch(until: string, ...args: string[]): Promise<string> {
  const child = spawn(join(programs, "sdroutes"), [...args, "-watch"]);
  let text = "";
  for await (const chunk of child.stdout) {
    text += chunk;
    if (text.includes(until)) break;
  }
  child.kill();
  await once(child, "close");
  return text;
}
