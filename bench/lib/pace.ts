// Load at a fixed rate, in a process of its own on the load's core. Requests leave on time whether or not earlier ones were
// answered, so a slow proxy cannot slow down its own measurement.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { LOAD_CORE, type Load } from "./load.ts";

const run = promisify(execFile);
const sender = fileURLToPath(new URL("sender.ts", import.meta.url));

/** Requests per second: well below what the slowest subject can do, so that answers do not queue. */
export const RATE = 500;

/** A request: when it was to leave, in milliseconds since 1970, and what its answer took, in microseconds. */
export interface Sample {
  at: number;
  micros: number;
}

/** Sends at the fixed rate for a number of seconds, and returns every request that counts. */
export async function samples(port: number, load: Load, seconds: number): Promise<Sample[]> {
  const order = JSON.stringify({ port, ...load, rate: RATE, count: RATE * seconds });
  const { stdout } = await run("taskset", ["-c", `${LOAD_CORE}`, process.execPath, sender, order]);
  const { first, micros } = JSON.parse(stdout) as { first: number; micros: number[] };
  return micros.map((one, index) => ({ at: first + (index * 1000) / RATE, micros: one }));
}

/** The same, of which only every answer's time is told, in microseconds. */
export async function pace(port: number, load: Load, seconds: number): Promise<number[]> {
  return (await samples(port, load, seconds)).map(({ micros }) => micros);
}
