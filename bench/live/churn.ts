// How much Envoy's memory grows by a great number of changes that leave the table as large as it was.
import { setTimeout as sleep } from "node:timers/promises";
import { bootstrap, TARGET } from "../lib/bootstrap.ts";
import { startEnvoy } from "../lib/envoy.ts";
import { PROXY_CORE } from "../lib/load.ts";
import { apply, fill, following, holds, liveSite, routeOf, withServer } from "./bed.ts";

/** Bytes by which allocated and resident memory have grown between the first tenth of the changes and the last. */
export type Churn = { keys: number; changes: number; seconds: number; allocated: number; resident: number };

export async function churn(keys: number, changes: number, atOnce = 50): Promise<Churn> {
  process.stderr.write(`${changes.toLocaleString("en")} changes\n`);
  return withServer(async (server) => {
    await fill(server, keys);
    const proxy = await startEnvoy(following(server)(bootstrap(liveSite, 1)), { core: PROXY_CORE, workers: 4 });
    try {
      await holds(proxy, keys);
      const memory = async () => {
        await sleep(2000);
        return { allocated: Number(JSON.parse(await proxy.admin("/memory")).allocated), resident: proxy.resident() };
      };
      let made = 0;
      const change = async (until: number) => {
        while (made < until) {
          const set = Array.from({ length: atOnce }, () => routeOf(made % keys, `${TARGET}-${made++}`));
          await Promise.all(set.map((route) => apply(server, [route])));
        }
      };
      await change(changes / 10);
      const before = await memory();
      const start = performance.now();
      await change(changes);
      const seconds = (performance.now() - start) / 1000;
      const after = await memory();
      return {
        ...{ keys, changes, seconds: Math.round(seconds) },
        ...{ allocated: after.allocated - before.allocated, resident: after.resident - before.resident },
      };
    } finally {
      await proxy.stop();
    }
  });
}
