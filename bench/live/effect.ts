// How long a change takes from the server's answer until it is in force in every worker of many proxies. From that answer on each connection
// asks for the changed key, so that what is told includes these requests and the pauses between them.
import { connect, type Socket } from "node:net";
import type { RouteServer } from "../../scripts/proxy/route-server.ts";
import { bootstrap, TARGET } from "../lib/bootstrap.ts";
import { type EnvoyProcess, startEnvoy } from "../lib/envoy.ts";
import { keyText, PROXY_CORE } from "../lib/load.ts";
import { quantile } from "../lib/stats.ts";
import { answering, apply, fill, following, holds, liveSite, routeOf, withServer } from "./bed.ts";

/** Milliseconds. */
type Times = { p50: number; p99: number };

export type Effect = Times & {
  keys: number;
  proxies: number;
  workers: number;
  changes: number;
  /** The same with one proxy: without the others on its core. */
  alone: Times;
};

/** Milliseconds between two requests of one connection. */
const PAUSE = 2;
/** Connections for each worker of a proxy. */
const TO_EACH_WORKER = 1;

export async function timeToEffect(keys: number, proxies: number, workers: number, changes: number): Promise<Effect> {
  process.stderr.write(`A change in ${keys.toLocaleString("en")} keys, to ${proxies} proxies\n`);
  return withServer((server) =>
    answering(async (upstream) => {
      await fill(server, keys);
      const started: EnvoyProcess[] = [];
      const start = async () => {
        const config = following(server)(bootstrap(liveSite, upstream.port));
        started.push(await startEnvoy(config, { core: PROXY_CORE, workers }));
      };
      try {
        await start();
        await holds(started[0] as EnvoyProcess, keys, 50);
        const alone = await effects(server, started, workers, changes, keys);
        while (started.length < proxies) await start();
        await Promise.all(started.map((proxy) => holds(proxy, keys + changes, 50)));
        const all = await effects(server, started, workers, changes, keys + changes);
        return { keys, proxies, workers, changes, ...all, alone };
      } finally {
        await Promise.all(started.map((proxy) => proxy.stop()));
      }
    }),
  );
}

/** Sets one new route after the other, from the key of this number on. */
async function effects(
  server: RouteServer,
  proxies: readonly EnvoyProcess[],
  workers: number,
  changes: number,
  first: number,
): Promise<Times> {
  const probes = proxies.flatMap(({ port }) => Array.from({ length: workers * TO_EACH_WORKER }, () => new Probe(port)));
  // The connections are open, and the proxies have those to the upstream, before the first change.
  await Promise.all(probes.map((probe) => probe.routed(first - 1)));
  const times: number[] = [];
  for (let key = first; key < first + changes; key++) {
    await apply(server, [routeOf(key)]);
    const accepted = performance.now();
    const seen = await Promise.all(probes.map((probe) => probe.routed(key)));
    times.push(Math.max(...seen) - accepted);
  }
  for (const probe of probes) probe.close();
  const at = (share: number) => Math.round(quantile(times, share) * 10) / 10;
  return { p50: at(0.5), p99: at(0.99) };
}

/** One kept-alive connection. */
class Probe {
  readonly #socket: Socket;

  constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
  }

  /** When an answer says that its request was routed. */
  routed(key: number): Promise<number> {
    const request = `GET / HTTP/1.1\r\nHost: reviews\r\nx-routing-key: ${keyText(key)}\r\n\r\n`;
    return new Promise((resolve, reject) => {
      let answer = "";
      const onData = (chunk: Buffer) => {
        answer += chunk;
        if (!answer.endsWith("\r\n\r\nok\n")) return;
        const isRouted = answer.includes(`x-keyway-served: ${TARGET}`);
        answer = "";
        if (!isRouted) return void setTimeout(() => this.#socket.write(request), PAUSE);
        this.#socket.off("data", onData).off("error", reject);
        resolve(performance.now());
      };
      this.#socket.on("data", onData).once("error", reject).write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
