// A workload with the filter on its way in and on its way out, in the emulated host.
import { Envoy } from "./emulator/envoy.ts";
import type { Pairs } from "./emulator/headers.ts";
import type { Outcome, Slot } from "./emulator/slot.ts";
import { filterCode, watchCode } from "./module.ts";

export type Workload = { envoy: Envoy; inbound: Slot; outbound: Slot };

export const routes = ["a", "b"].map((key) => ({ from: "next", key, to: `next-${key}` }));
export const keys = ["header:x-routing-key", "trace"];

export function workload({
  workers = 1,
  inbound = {},
  outbound = {},
  ...both
}: {
  workers?: number;
  inbound?: object;
  outbound?: object;
  [field: string]: unknown;
} = {}): Workload {
  const envoy = new Envoy(filterCode, { workers, watch: watchCode });
  for (const { to } of routes) envoy.process.clusters.set(to, true);
  const ends = (["inbound", "outbound"] as const).map((direction) => {
    const slot = envoy.filter("keyway", "keyway", direction);
    const own = direction === "inbound" ? inbound : outbound;
    if (!slot.configure({ keys, routes, ...both, ...own })) throw new Error("refused");
    return slot;
  });
  const lines = envoy.process.lines("error");
  if (lines.length > 0) throw new Error(lines.join());
  return { envoy, inbound: ends[0] as Slot, outbound: ends[1] as Slot };
}

export type Headers = Record<string, string>;

/** What comes in with a key. */
export function enter({ inbound }: Workload, key: string | undefined, headers: Headers | Pairs, worker = 0): Outcome {
  const pairs: Pairs = Array.isArray(headers) ? headers : Object.entries(headers);
  const keyed: Pairs = key === undefined ? [] : [["x-routing-key", key]];
  return inbound.request({ headers: [...keyed, ...pairs], cluster: "app", worker });
}

/** The key with which a request leaves that the application sends without one; undefined where it leaves without. */
export function leave({ outbound }: Workload, headers: Headers | Pairs, worker = 0): string | undefined {
  const { headers: left, cluster } = outbound.request({ headers, cluster: "next", worker });
  const [key, more] = left.filter(([name]) => name === "x-routing-key").map(([, value]) => value);
  if (more !== undefined) throw new Error("two keys");
  if (cluster !== (key === "a" || key === "b" ? `next-${key}` : "next")) throw new Error(`${key} went to ${cluster}`);
  return key;
}

export const counted = ({ envoy }: Workload, name: string): number => envoy.process.counter(`keyway_${name}`);
