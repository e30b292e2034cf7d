// The live table beside Envoy's own route discovery, both in one run: how soon a change is in force in many proxies, and what it costs each.
import { type ChangeCost, changeCost } from "./change.ts";
import { type Effect, timeToEffect } from "./effect.ts";
import { routeDiscovery } from "./rds/source.ts";
import { liveTable } from "./source.ts";

export type Compared = Effect & { way: keyof typeof WAYS; cost: Omit<ChangeCost, "keys"> };

const WAYS = { live: liveTable, rds: routeDiscovery } as const;
const WORKERS = 2;
/** Milliseconds after which the next change begins at the least. */
const LEAST_PAUSE = 10;

export async function besideDiscovery(keys: number, proxies: number, changes: number): Promise<Compared[]> {
  const all: Compared[] = [];
  for (const [name, way] of Object.entries(WAYS)) {
    const effect = await timeToEffect(keys, proxies, WORKERS, changes, way);
    // Many proxies on one core take so many times as long as one, which has a change long before the next one.
    const pause = Math.max(LEAST_PAUSE, (effect.p50 / proxies) * 4);
    const { keys: _, ...cost } = await changeCost(keys, changes, pause, way);
    all.push({ way: name as keyof typeof WAYS, ...effect, cost });
  }
  return all;
}
