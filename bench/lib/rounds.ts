// Interleaved rounds: every subject once per round in an order drawn anew, so that what the machine does meanwhile falls on all.
import type { Running } from "./fleet.ts";
import { drive } from "./load.ts";
import { pace } from "./pace.ts";
import { shuffle } from "./stats.ts";

const SECONDS = 1;

async function everyRound(
  subjects: Running[],
  rounds: number,
  what: string,
  turn: (subject: Running) => Promise<void>,
): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    process.stderr.write(`\r${what}: round ${round} of ${rounds}`);
    for (const subject of shuffle(subjects)) await turn(subject);
  }
  process.stderr.write("\n");
}

/** Microseconds of CPU per request under full load, by subject, one figure per round. */
export async function cpuRounds(subjects: Running[], rounds: number): Promise<Map<string, number[]>> {
  const costs = new Map<string, number[]>(subjects.map(({ name }) => [name, []]));
  await everyRound(subjects, rounds, "CPU under full load", async ({ name, proxy, load }) => {
    const before = proxy.cpu();
    const requests = await drive(proxy.port, load, SECONDS);
    costs.get(name)?.push(((proxy.cpu() - before) / requests) * 1e6);
  });
  return costs;
}

/** Microseconds that the answers took at a fixed rate, by subject, all rounds together. */
export async function latencyRounds(subjects: Running[], rounds: number): Promise<Map<string, number[]>> {
  const latencies = new Map<string, number[]>(subjects.map(({ name }) => [name, []]));
  await everyRound(subjects, rounds, "Latency at a fixed rate", async ({ name, proxy, load }) => {
    latencies.get(name)?.push(...(await pace(proxy.port, load, SECONDS)));
  });
  return latencies;
}
