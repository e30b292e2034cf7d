// Interleaved rounds: every subject once per round in an order drawn anew, so that what the machine does meanwhile falls on all.

import type { EnvoyProcess } from "./envoy.ts";
import { drive, type Load } from "./load.ts";
import { shuffle } from "./stats.ts";

export type Running = { name: string; proxy: EnvoyProcess; load: Load };

/** Microseconds of CPU per request, by subject, one figure per round. */
export type Costs = Map<string, number[]>;

const SECONDS = 1;

export async function cpuRounds(subjects: Running[], rounds: number, tell: (line: string) => void): Promise<Costs> {
  const costs: Costs = new Map(subjects.map(({ name }) => [name, []]));
  for (const { proxy, load } of subjects) await drive(proxy.port, load, SECONDS);
  for (let round = 1; round <= rounds; round++) {
    tell(`round ${round} of ${rounds}`);
    for (const { name, proxy, load } of shuffle(subjects)) {
      const before = proxy.cpu();
      const requests = await drive(proxy.port, load, SECONDS);
      costs.get(name)?.push(((proxy.cpu() - before) / requests) * 1e6);
    }
  }
  return costs;
}
