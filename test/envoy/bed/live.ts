// An Envoy whose routes come from a route server.
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { tableCluster } from "../../../installer/render/table.ts";
import { type Bed, type BedSetup, startBed } from "./bed.ts";
import { type Ask, ask, connection } from "./client.ts";
import { load } from "./load.ts";

export type LiveSetup = Omit<BedSetup, "config"> & {
  /** Ports of route servers. */
  servers: number[];
  /** What the configuration says of the table beside the cluster, and its own routes. */
  table?: object;
  routes?: object[];
};

export function startLive({ servers, table = {}, routes = [], change, ...setup }: LiveSetup): Promise<Bed> {
  return startBed({
    concurrency: 4,
    ...setup,
    config: { routes, table: { cluster: "keyway", ...table } },
    change: (bootstrap, ports) => {
      const addresses = servers.map((port) => ({ host: "127.0.0.1", port }));
      bootstrap.static_resources.clusters.push(tableCluster({ servers: addresses }));
      change?.(bootstrap, ports);
    },
  });
}

const PATIENCE = 20_000; // milliseconds

/**
 * Waits until twelve connections, so all workers, send a request to the service; returns after how many milliseconds the last one
 * did, counted from `since`. A request that another than the services `before` answers, or none, fails.
 */
export async function inForce(
  bed: Bed,
  what: Ask,
  service: string,
  { before, since = performance.now() }: { before?: string[]; since?: number } = {},
): Promise<number> {
  const wait = async () => {
    const agent = connection();
    try {
      for (let last = ""; ; last = await asked(last)) if (last === service) return;
    } finally {
      agent.destroy();
    }
    async function asked(last: string): Promise<string> {
      if (performance.now() - since > PATIENCE) throw new Error(`still at ${last}, not at ${service}`);
      const answer = await ask(bed.port, { ...what, agent });
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`);
      if (answer.service !== service && before?.includes(answer.service) === false)
        throw new Error(`went to ${answer.service}, neither ${before} nor ${service}`);
      await sleep(1);
      return answer.service;
    }
  };
  await Promise.all(Array.from({ length: 12 }, wait));
  return performance.now() - since;
}

export const withKey = (key: string): Ask => ({ headers: { "x-routing-key": key } });

/** Requests for a key that has its route all the while, and without a key. */
export async function underLoad(bed: Bed, change: () => Promise<void>): Promise<void> {
  const steady = load(bed.port, 3, withKey("steady"));
  const plain = load(bed.port, 2, {});
  try {
    await change();
  } finally {
    expect(await steady.stop()).toMatchObject({ services: new Set(["a"]), failures: [] });
    expect(await plain.stop()).toMatchObject({ services: new Set(["reviews"]), failures: [] });
  }
}
