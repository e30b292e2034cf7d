// How long a change takes from its acceptance until it is in force in every worker of many proxies. From that answer on each connection
// asks for the changed key, so that what is told includes these requests and the pauses between them.
import { connect } from "node:net";
import { TARGET } from "../lib/bootstrap.ts";
import { type EnvoyProcess, startEnvoy } from "../lib/envoy.ts";
import { keyText, PROXY_CORE } from "../lib/load.ts";
import { quantile } from "../lib/stats.ts";
import { answering, routeOf } from "./bed.ts";
import { Probe } from "./probe.ts";
import { liveTable, type Way } from "./source.ts";

export type Effect = { keys: number; proxies: number; workers: number; changes: number; p50: number; p99: number };

/** Connections for each worker of a proxy. */
const TO_EACH_WORKER = 1;
/** Changed keys come after those that are there. */
const FIRST_CHANGED = 1_000_000;

export async function timeToEffect(
  keys: number,
  proxies: number,
  workers: number,
  changes: number,
  way: Way = liveTable,
): Promise<Effect> {
  process.stderr.write(`A change in ${keys.toLocaleString("en")} keys, to ${proxies} proxies\n`);
  return way(keys, (source) =>
    answering(async (upstream) => {
      const started: EnvoyProcess[] = [];
      try {
        for (let index = 0; index < proxies; index++) {
          started.push(await startEnvoy(source.configuration(upstream.port), { core: PROXY_CORE, workers }));
        }
        await Promise.all(started.map((proxy) => source.holds(proxy)));
        const probes = started.flatMap(({ port }) =>
          Array.from({ length: workers * TO_EACH_WORKER }, () => probe(port)),
        );
        const times: number[] = [];
        for (let index = FIRST_CHANGED; index < FIRST_CHANGED + changes; index++) {
          await source.change(routeOf(index));
          const accepted = performance.now();
          const seen = await Promise.all(probes.map((probe) => probe.routed(keyText(index))));
          times.push(Math.max(...seen) - accepted);
        }
        for (const probe of probes) probe.close();
        const at = (share: number) => Math.round(quantile(times, share) * 10) / 10;
        return { keys, proxies, workers, changes, p50: at(0.5), p99: at(0.99) };
      } finally {
        await Promise.all(started.map((proxy) => proxy.stop()));
      }
    }),
  );
}

const probe = (port: number) =>
  new Probe(connect({ port, host: "127.0.0.1" }), "reviews", `x-keyway-served: ${TARGET}`);
