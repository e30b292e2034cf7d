// Envoy's CPU time per routed request with a live table, beside the same table in the configuration, in interleaved rounds.

import { priceHostCalls, RANDOM_READ, SAME_READ } from "../hostcalls.ts";
import { TARGET } from "../lib/bootstrap.ts";
import { modules } from "../lib/compile.ts";
import type { Subject } from "../lib/fleet.ts";
import { anyOf } from "../lib/load.ts";
import { cpuRounds, latencyRounds, overFleets, seriesOf } from "../lib/rounds.ts";
import { keyway, keywayConfiguration, luaAsking } from "../lib/sites.ts";
import { median, medianRatio } from "../lib/stats.ts";
import { fill, following, liveSite, withServer } from "./bed.ts";

const READ_ROUNDS = 41;

export type LiveCost = {
  keys: number;
  rounds: number;
  /** Microseconds of CPU per request. */
  oneKey: number;
  manyKeys: number;
  /** Medians of per-round ratios. */
  manyToOne: number;
  liveToInline: number;
  /** A Lua filter that asks the route server for each request with a key; milliseconds of answers at the fixed rate. */
  askingToLive: number;
  askingP50: number;
  liveP50: number;
  /** Nanoseconds of a read of 1 KB of shared data in the same run: always the same, and one of so many as a table of a million keys has, at random. */
  sameRead: number;
  randomRead: number;
};

export async function liveCost(keys: number, rounds: number): Promise<LiveCost> {
  return withServer((one) =>
    withServer(async (many) => {
      await fill(one, 1);
      process.stderr.write(`${keys.toLocaleString("en")} keys: filling the server\n`);
      await fill(many, keys);
      const live = (name: string, server: typeof one, count: number): Subject => ({
        ...{ name, site: liveSite, load: anyOf(count), goesTo: TARGET, adapt: following(server), settles: true },
      });
      const inline: Subject = {
        ...{ name: "inline", site: keyway(modules, keywayConfiguration(1)), load: anyOf(1), goesTo: TARGET },
      };
      const asking: Subject = { ...live("asking", one, 1), site: luaAsking(), settles: false };
      const subjects = [live("one", one, 1), live("many", many, keys), inline, asking];
      const [costs, latencies] = [seriesOf(subjects), seriesOf(subjects)];
      await overFleets(subjects, rounds, async (running, share) => {
        await cpuRounds(running, share, costs);
        await latencyRounds(running, Math.ceil(share / 3), latencies);
      });
      const reads = await priceHostCalls(READ_ROUNDS, [SAME_READ, RANDOM_READ]);
      const price = (name: string) => reads.find(({ call }) => call === name)?.nanoseconds as number;
      const of = (name: string) => costs.get(name) as number[];
      const tenth = (value: number) => Math.round(value * 10) / 10;
      return {
        keys,
        rounds,
        oneKey: tenth(median(of("one"))),
        manyKeys: tenth(median(of("many"))),
        manyToOne: medianRatio(of("many"), of("one")),
        liveToInline: medianRatio(of("one"), of("inline")),
        askingToLive: medianRatio(of("asking"), of("one")),
        askingP50: tenth(median(latencies.get("asking") as number[]) / 1000),
        liveP50: tenth(median(latencies.get("one") as number[]) / 1000),
        sameRead: price(SAME_READ),
        randomRead: price(RANDOM_READ),
      };
    }),
  );
}
