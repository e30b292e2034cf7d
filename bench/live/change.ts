// What a change of one route costs by the number of routes beside it: the bytes that bring it to a proxy, and the CPU time of the proxy and of
// the process that gives the routes out.
import { setTimeout as sleep } from "node:timers/promises";
import { TARGET } from "../lib/bootstrap.ts";
import { cpuSeconds, type EnvoyProcess, startEnvoy } from "../lib/envoy.ts";
import { keyText, PROXY_CORE } from "../lib/load.ts";
import { routeOf } from "./bed.ts";
import { liveTable, type Way } from "./source.ts";

export type ChangeCost = {
  keys: number;
  changes: number;
  /** How many changes reached the proxy: below `changes` where several were gathered into one answer. */
  arrived: number;
  /** Of one change: bytes that the proxy received with HTTP's own, microseconds of CPU without what both spend while nothing changes. */
  bytes: number;
  server: number;
  proxy: number;
};

/** Milliseconds between two changes: the one before has arrived by then. */
const PAUSE = 10;

export async function changeCost(
  keys: number,
  changes: number,
  pause = PAUSE,
  way: Way = liveTable,
): Promise<ChangeCost> {
  process.stderr.write(`${changes} changes of one route among ${keys.toLocaleString("en")}\n`);
  return way(keys, async (source) => {
    const proxy = await startEnvoy(source.configuration(1), { core: PROXY_CORE });
    try {
      await source.holds(proxy);
      let made = 0;
      const change = async (count: number) => {
        for (const until = made + count; made < until; made++) {
          // Spread over the whole table, so that no bucket is always at hand; a target is never used again, as what is there already is no change.
          await source.change(routeOf((made * 7919) % keys, `${TARGET}-${keyText(made)}`));
          await sleep(pause);
        }
      };
      const state = async () => ({
        server: cpuSeconds(source.pid),
        proxy: proxy.cpu(),
        bytes: await counter(proxy, `cluster.${source.cluster}.upstream_cx_rx_bytes_total`),
        arrived: await counter(proxy, source.changes),
        at: performance.now(),
      });
      await change(changes / 4); // Both compile what they run often.
      await sleep(3000);
      const still = await state();
      await sleep(5000);
      const before = await state();
      await change(changes);
      await sleep(100);
      const after = await state();
      const idle = (what: "server" | "proxy") =>
        ((before[what] - still[what]) / (before.at - still.at)) * (after.at - before.at);
      const each = (what: "server" | "proxy") =>
        Math.round(((after[what] - before[what] - idle(what)) / changes) * 1e6);
      return {
        ...{ keys, changes, arrived: after.arrived - before.arrived },
        ...{ bytes: Math.round((after.bytes - before.bytes) / changes), server: each("server"), proxy: each("proxy") },
      };
    } finally {
      await proxy.stop();
    }
  });
}

/** The counter whose name ends so. */
async function counter(proxy: EnvoyProcess, name: string): Promise<number> {
  return Number(/: (\d+)/.exec(await proxy.admin(`/stats?filter=${name}$`))?.[1]);
}
