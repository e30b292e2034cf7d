// All routes of a large table replaced at once: how long its proxy's worker and the route server are away from everything else meanwhile.
import { setTimeout as sleep } from "node:timers/promises";
import { bootstrap, type Json, TARGET } from "../lib/bootstrap.ts";
import { type EnvoyProcess, startEnvoy } from "../lib/envoy.ts";
import { keyText, LOAD_CORE, noKey, PROXY_CORE } from "../lib/load.ts";
import { pace } from "../lib/pace.ts";
import { quantile } from "../lib/stats.ts";
import {
  answering,
  applyText,
  aside,
  fill,
  following,
  holds,
  inForce,
  liveSite,
  pinned,
  routeOf,
  withServer,
} from "./bed.ts";

export type Replaced = {
  keys: number;
  /** Seconds from the request on until the server has answered, and until the proxy has all of it in force. */
  answered: number;
  inForce: number;
  /** Milliseconds of the proxy's worker for one turn of its event loop: 99 of 100, and the longest. */
  turn: { p99: number; longest: number };
  /** The same while nothing changes. */
  idleTurn: { p99: number; longest: number };
  /** Microseconds of requests without a key at a fixed rate meanwhile, and afterwards. */
  p99During: number;
  p99After: number;
};

/** Milliseconds until Envoy has put what its threads have counted into its statistics, twice over. */
const FLUSHED = 11_000;
const LOOK = 20; // milliseconds
const TURNS = "listener_manager.worker_0.dispatcher.loop_duration_us";

export async function replaceAll(keys: number): Promise<Replaced> {
  process.stderr.write(`${keys.toLocaleString("en")} keys replaced at once\n`);
  pinned(process.pid, PROXY_CORE, LOAD_CORE);
  return withServer(async (server) => {
    await fill(server, keys, (key) => `${TARGET}-${key}`);
    const set = Array.from({ length: keys }, (_, index) => routeOf(index, `${TARGET}-other-${keyText(index)}`));
    // Written down before, so that whoever measures has nothing to do meanwhile.
    const others = JSON.stringify({ set });
    aside(server.child.pid as number);
    pinned(process.pid, LOAD_CORE);
    return answering(async (upstream) => {
      const proxy = await startEnvoy(following(server)(counted(bootstrap(liveSite, upstream.port))), {
        core: PROXY_CORE,
      });
      try {
        await holds(proxy, keys);
        await sleep(FLUSHED);
        const idle = await turns(proxy);
        const start = performance.now();
        const seconds = (from: number) => Math.round((performance.now() - from) / 10) / 100;
        let isOver = false;
        const during: number[] = [];
        const load = (async () => {
          while (!isOver) during.push(...(await pace(proxy.port, noKey, 1)));
        })();
        await applyText(server, others);
        const answered = seconds(start);
        await inForce(server, LOOK);
        const whole = seconds(start);
        isOver = true;
        await load;
        await sleep(FLUSHED);
        const busy = await turns(proxy);
        const p99 = (micros: number[]) => Math.round(quantile(micros, 0.99));
        return {
          ...{ keys, answered, inForce: whole, turn: busy, idleTurn: idle },
          ...{ p99During: p99(during), p99After: p99(await pace(proxy.port, noKey, 3)) },
        };
      } finally {
        await proxy.stop();
      }
    });
  });
}

const counted = (own: Json): Json => ({ ...own, enable_dispatcher_stats: true });

/** Of all turns since the start. */
async function turns(proxy: EnvoyProcess): Promise<Replaced["turn"]> {
  const said = await proxy.admin(`/stats?filter=${TURNS}`);
  const at = (quantile: string) => {
    const micros = new RegExp(`P${quantile}\\([^,]+,([\\d.]+)\\)`).exec(said)?.[1];
    if (micros === undefined) throw new Error(`Envoy does not tell its turns: ${said}`);
    return Math.round(Number(micros) / 10) / 100;
  };
  return { p99: at("99"), longest: at("100") };
}
