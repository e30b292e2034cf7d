// Interleaved rounds. Within a round the subjects take turns in an order drawn anew each time, so that what the machine does
// meanwhile falls on all.
import { type Running, type Subject, withFleet } from "./fleet.ts";
import { drive } from "./load.ts";
import { pace } from "./pace.ts";
import { shuffle } from "./stats.ts";

/** How often the proxies are started anew: where a process happens to lie in memory is worth some percent, too. */
const FLEETS = 4;
/** A round's second of full load per subject, in slices, since the machine's speed changes from second to second. */
const SLICES = 4;
const SLICE_MS = 250;
const PACED_SECONDS = 1;

/** What was measured, one figure or more per round, by subject. */
export type Series = Map<string, number[]>;

export const seriesOf = (subjects: Subject[]): Series => new Map(subjects.map(({ name }) => [name, []]));

/** Spreads the rounds over several fleets of the same subjects; `measure` gets a fleet and its share of the rounds. */
export async function overFleets(
  subjects: Subject[],
  rounds: number,
  measure: (running: Running[], rounds: number) => Promise<void>,
): Promise<void> {
  for (let fleet = 0; fleet < FLEETS; fleet++) {
    const share = Math.floor((rounds + fleet) / FLEETS);
    if (share === 0) continue;
    process.stderr.write(`Fleet ${fleet + 1} of ${FLEETS}: starting ${subjects.length} proxies\n`);
    await withFleet(shuffle(subjects), (running) => measure(running, share));
  }
}

async function everyRound(what: string, rounds: number, turn: () => Promise<void>): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    process.stderr.write(`\r${what}: round ${round} of ${rounds}`);
    await turn();
  }
  process.stderr.write("\n");
}

/** Adds to `costs` the microseconds of CPU per request under full load, one figure per round. */
export async function cpuRounds(subjects: Running[], rounds: number, costs: Series): Promise<void> {
  await everyRound("CPU under full load", rounds, async () => {
    const spent = new Map(subjects.map(({ name }) => [name, { seconds: 0, requests: 0 }]));
    for (let slice = 0; slice < SLICES; slice++) {
      for (const { name, proxy, load } of shuffle(subjects)) {
        const sum = spent.get(name) as { seconds: number; requests: number };
        const before = proxy.cpu();
        sum.requests += await drive(proxy.port, load, SLICE_MS);
        sum.seconds += proxy.cpu() - before;
      }
    }
    for (const [name, { seconds, requests }] of spent) costs.get(name)?.push((seconds / requests) * 1e6);
  });
}

/** Adds to `latencies` the microseconds that each answer took at a fixed rate. */
export async function latencyRounds(subjects: Running[], rounds: number, latencies: Series): Promise<void> {
  await everyRound("Latency at a fixed rate", rounds, async () => {
    for (const { name, proxy, load } of shuffle(subjects)) {
      latencies.get(name)?.push(...(await pace(proxy.port, load, PACED_SECONDS)));
    }
  });
}
