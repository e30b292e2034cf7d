// Proxies with a live table, and the server that they have it from, in the emulated host.
import { Envoy } from "./emulator/envoy.ts";
import type { Slot } from "./emulator/slot.ts";
import { filterCode, watchCode } from "./module.ts";
import { RouteServer } from "./route-server.ts";

export const CLUSTER = "keyway";

export type Live = { envoy: Envoy; filter: Slot; server: RouteServer };

/** A proxy whose plugin has a live table; targets are there when their names begin with `to`. */
export function liveProxy({
  workers = 2,
  table = {},
  server = new RouteServer(),
  ...configuration
}: {
  workers?: number;
  table?: object;
  server?: RouteServer;
  [field: string]: unknown;
} = {}): Live {
  const envoy = new Envoy(filterCode, { workers, watch: watchCode });
  serve(envoy, server);
  const filter = envoy.filter();
  if (!filter.configure({ ...configuration, table: { cluster: CLUSTER, ...table } })) throw new Error("refused");
  return { envoy, filter, server };
}

export function serve(envoy: Envoy, server: RouteServer): void {
  envoy.process.clusters.set(CLUSTER, true);
  envoy.process.services.set(CLUSTER, (call, waited) => server.answer(call, waited));
}

/** The routes of many keys, `to-N` each. */
export function keys(count: number, to = (i: number) => `to-${i}`, from = 0) {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `id-${from + i}`,
      { from: "reviews", key: `key-${from + i}`, to: to(from + i) },
    ]),
  );
}

export function goesTo(filter: Slot, key: string, worker = 0): string | undefined {
  return filter.request({ worker, headers: { "x-routing-key": key } }).cluster;
}
