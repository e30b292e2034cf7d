// What a table costs a proxy that comes to hold it, by its number of keys: time until it is complete, memory, and how much longer requests take
// meanwhile.
import { setTimeout as sleep } from "node:timers/promises";
import type { RouteServer } from "../../scripts/proxy/route-server.ts";
import { bootstrap, TARGET } from "../lib/bootstrap.ts";
import { startEnvoy } from "../lib/envoy.ts";
import { LOAD_CORE, noKey, PROXY_CORE } from "../lib/load.ts";
import { pace, samples } from "../lib/pace.ts";
import { median, quantile } from "../lib/stats.ts";
import { answering, aside, fill, following, holds, inForce, liveSite, pinned, withServer } from "./bed.ts";

export type TableSize = {
  keys: number;
  workers: number;
  /** Until the first proxy of a scope holds it, for which the server compiles it, and until a later one does. */
  firstMs: number;
  ms: number;
  /** Bytes. */
  resident: number;
  /** Microseconds of requests at the fixed rate: of those that leave while the table comes, and when it is there. */
  p99During: number;
  p99After: number;
};

const PROXIES = 5;
const PACED_SECONDS = 3;
/** Milliseconds until the requests flow. */
const WARM = 500;
/** Milliseconds from the beginning on whose requests count where the table is there sooner. */
const LEAST = 500;
/** Milliseconds between two questions to the server whether the proxy has the table. */
const LOOK = 10;

export async function tableSizes(sizes: readonly number[], workers: readonly number[]): Promise<TableSize[]> {
  const all: TableSize[] = [];
  for (const keys of sizes) {
    pinned(process.pid, PROXY_CORE, LOAD_CORE);
    await withServer(async (server) => {
      process.stderr.write(`${keys.toLocaleString("en")} keys: filling the server\n`);
      // Every key has a target of its own, as sandboxes do.
      await fill(server, keys, (key) => `${TARGET}-${key}`);
      const firstMs = (await oneProxy(server, keys, 1)).ms;
      // In the field the server has a machine of its own; here it leaves the proxy's core alone, and those who measure go first.
      aside(server.child.pid as number);
      pinned(process.pid, LOAD_CORE);
      for (const count of workers) all.push({ ...(await severalProxies(server, keys, count)), firstMs });
    });
  }
  return all;
}

async function severalProxies(server: RouteServer, keys: number, workers: number): Promise<Omit<TableSize, "firstMs">> {
  const found: Awaited<ReturnType<typeof oneProxy>>[] = [];
  for (let round = 0; round < PROXIES; round++) found.push(await oneProxy(server, keys, workers));
  const middle = (name: "ms" | "resident") => Math.round(median(found.map((one) => one[name])));
  const p99 = (name: "during" | "after") =>
    Math.round(
      quantile(
        found.flatMap((one) => one[name]),
        0.99,
      ),
    );
  return {
    ...{ keys, workers, ms: middle("ms"), resident: middle("resident") },
    ...{ p99During: p99("during"), p99After: p99("after") },
  };
}

async function oneProxy(server: RouteServer, keys: number, workers: number) {
  return answering(async (upstream) => {
    // The server stands still until requests flow, so that the table comes while they do.
    server.child.kill("SIGSTOP");
    const proxy = await startEnvoy(following(server)(bootstrap(liveSite, upstream.port)), {
      core: PROXY_CORE,
      workers,
    });
    try {
      const during = samples(proxy.port, noKey, PACED_SECONDS);
      await sleep(WARM);
      const before = proxy.resident();
      const [start, begun] = [performance.now(), Date.now()];
      server.child.kill("SIGCONT");
      await inForce(server, LOOK);
      const ms = performance.now() - start;
      await holds(proxy, keys);
      const end = begun + Math.max(ms, LEAST);
      const told = (await during).filter(({ at }) => at >= begun && at < end);
      await sleep(1000);
      const resident = proxy.resident() - before;
      return { ms, resident, during: told.map(({ micros }) => micros), after: await pace(proxy.port, noKey, 1) };
    } finally {
      server.child.kill("SIGCONT");
      await proxy.stop();
    }
  });
}
