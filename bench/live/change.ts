// What a change of one route costs by the size of the table it belongs to: the bytes of the answer that brings it to a proxy, and the CPU
// time of the route server and of the proxy.
import { setTimeout as sleep } from "node:timers/promises";
import { METRIC_TABLE_CHANGES } from "../../routes/model/names.ts";
import { bootstrap, TARGET } from "../lib/bootstrap.ts";
import { cpuSeconds, type EnvoyProcess, startEnvoy } from "../lib/envoy.ts";
import { keyText, PROXY_CORE } from "../lib/load.ts";
import { apply, fill, following, holds, liveSite, routeOf, withServer } from "./bed.ts";

export type ChangeCost = {
  keys: number;
  changes: number;
  /** How many times the proxy's table changed: below `changes` where the server gathered several into one answer. */
  arrived: number;
  /** Of one change: bytes that the proxy received with HTTP's own, microseconds of CPU without what both spend while nothing changes. */
  bytes: number;
  server: number;
  proxy: number;
};

/** A change begins so often that the one before has arrived. */
const PAUSE = 10; // milliseconds
const RECEIVED = "cluster.keyway.upstream_cx_rx_bytes_total";

export async function changeCost(keys: number, changes: number): Promise<ChangeCost> {
  process.stderr.write(`${changes} changes of one route among ${keys.toLocaleString("en")}\n`);
  return withServer(async (server) => {
    await fill(server, keys);
    const proxy = await startEnvoy(following(server)(bootstrap(liveSite, 1)), { core: PROXY_CORE });
    try {
      await holds(proxy, keys);
      let made = 0;
      const change = async (count: number) => {
        for (const until = made + count; made < until; made++) {
          // Spread over the whole table, so that no bucket is always at hand; a target is never used again, as what is there already is no change.
          await apply(server, [routeOf((made * 7919) % keys, `${TARGET}-${keyText(made)}`)]);
          await sleep(PAUSE);
        }
      };
      const state = async () => ({
        server: cpuSeconds(server.child.pid as number),
        proxy: proxy.cpu(),
        bytes: await counter(proxy, RECEIVED),
        arrived: await counter(proxy, METRIC_TABLE_CHANGES),
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

async function counter(proxy: EnvoyProcess, name: string): Promise<number> {
  return Number(/: (\d+)/.exec(await proxy.admin(`/stats?filter=${name}`))?.[1]);
}
