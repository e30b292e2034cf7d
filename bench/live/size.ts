// What a table costs a proxy that comes to hold it, by its number of keys: time until it is complete, memory, and how much longer requests take
// meanwhile.
import { setTimeout as sleep } from "node:timers/promises";
import type { RouteServer } from "../../scripts/proxy/route-server.ts";
import { bootstrap, TARGET } from "../lib/bootstrap.ts";
import { startEnvoy } from "../lib/envoy.ts";
import { noKey, PROXY_CORE } from "../lib/load.ts";
import { pace } from "../lib/pace.ts";
import { median, quantile } from "../lib/stats.ts";
import { answering, fill, following, holds, liveSite, withServer } from "./bed.ts";

export type TableSize = {
  keys: number;
  workers: number;
  /** Until the first proxy of a scope holds it, for which the server compiles it, and until a later one does. */
  firstMs: number;
  ms: number;
  /** Bytes. */
  resident: number;
  /** Microseconds of requests at the fixed rate: while the table comes, and when it is there. */
  p99During: number;
  p99After: number;
};

const PROXIES = 5;
const PACED_SECONDS = 2;

export async function tableSizes(sizes: readonly number[], workers: readonly number[]): Promise<TableSize[]> {
  const all: TableSize[] = [];
  for (const keys of sizes) {
    await withServer(async (server) => {
      process.stderr.write(`${keys.toLocaleString("en")} keys: filling the server\n`);
      // Every key has a target of its own, as sandboxes do.
      await fill(server, keys, (key) => `${TARGET}-${key}`);
      const firstMs = (await oneProxy(server, keys, 1)).ms;
      for (const count of workers) all.push({ ...(await severalProxies(server, keys, count)), firstMs });
    });
  }
  return all;
}

async function severalProxies(server: RouteServer, keys: number, workers: number): Promise<Omit<TableSize, "firstMs">> {
  const found: Awaited<ReturnType<typeof oneProxy>>[] = [];
  for (let round = 0; round < PROXIES; round++) found.push(await oneProxy(server, keys, workers));
  const middle = (name: keyof (typeof found)[number]) => Math.round(median(found.map((one) => one[name])));
  return {
    keys,
    workers,
    ms: middle("ms"),
    resident: middle("resident"),
    p99During: middle("p99During"),
    p99After: middle("p99After"),
  };
}

async function oneProxy(server: RouteServer, keys: number, workers: number) {
  return answering(async (upstream) => {
    const proxy = await startEnvoy(following(server)(bootstrap(liveSite, upstream.port)), {
      core: PROXY_CORE,
      workers,
    });
    try {
      const before = proxy.resident();
      const start = performance.now();
      const during = pace(proxy.port, noKey, PACED_SECONDS);
      await holds(proxy, keys);
      const ms = performance.now() - start;
      const p99During = quantile(await during, 0.99);
      await sleep(1000);
      const resident = proxy.resident() - before;
      return { ms, resident, p99During, p99After: quantile(await pace(proxy.port, noKey, PACED_SECONDS), 0.99) };
    } finally {
      await proxy.stop();
    }
  });
}
