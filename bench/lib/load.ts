// Load as fast as the proxy takes it, from wrk on a core that the proxy does not use.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { wrk } from "../../scripts/parts/wrk.ts";

const run = promisify(execFile);
const script = fileURLToPath(new URL("../client.lua", import.meta.url));

/** The header as it is sent, up to the number that ends its value, and the range that the number is drawn from. */
export type Load = { header: string; first: number; last: number };

export const KEY_HEADER = "x-routing-key: pr-";

/** The text that stands for key number `index` in tables. */
export const keyText = (index: number): string => `pr-${`${index}`.padStart(6, "0")}`;

/** Every key of a table in turn, none of them favoured. */
export const anyOf = (keys: number): Load => ({ header: KEY_HEADER, first: 0, last: keys - 1 });
export const lastOf = (keys: number): Load => ({ header: KEY_HEADER, first: keys - 1, last: keys - 1 });
export const noRoute: Load = { header: "x-routing-key: no-", first: 0, last: 0 };
export const noKey: Load = { header: "x-another-one: pr-", first: 0, last: 0 };

export const LOAD_CORE = 1;
export const PROXY_CORE = 0;
const CONNECTIONS = 16;

const LONGEST = "60s";

/** Sends requests for some milliseconds and returns how many were answered. Every answer must be a 200. */
export async function drive(port: number, { header, first, last }: Load, milliseconds: number): Promise<number> {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const shape = ["-t1", `-c${CONNECTIONS}`, `-d${LONGEST}`, "-s", script, `http://127.0.0.1:${port}/`];
  const drawn = [header, first, last, seed].map(String);
  const running = run("taskset", ["-c", `${LOAD_CORE}`, await wrk(), ...shape, "--", ...drawn]);
  // wrk knows whole seconds only; interrupted, it ends as if its time were up.
  const timer = setTimeout(() => running.child.kill("SIGINT"), milliseconds);
  const { stdout } = await running.finally(() => clearTimeout(timer));
  const [, requests, failed] = /RESULT (\d+) (\d+)/.exec(stdout) ?? [];
  if (requests === undefined || failed !== "0") throw new Error(`wrk on port ${port}: ${failed} failed\n${stdout}`);
  return Number(requests);
}
