// The same change made in each way on one mesh: from the API server's or the route server's answer until it is in force in all callers' proxies,
// and what it costs the control plane.
import { setTimeout as sleep } from "node:timers/promises";
import { WORKERS } from "../../../test/mesh/bed/proxy.ts";
import { until } from "../../../test/mesh/bed/until.ts";
import { keyText } from "../../lib/load.ts";
import { quantile } from "../../lib/stats.ts";
import { type MeshBed, type Used, withMesh } from "./bed.ts";
import { type Driver, drivers, type Held, WAYS, type Way } from "./ways.ts";

export type MeshEffect = Held & {
  way: Way;
  keys: number;
  proxies: number;
  workers: number;
  changes: number;
  /** Milliseconds: from sending the change until it was accepted, the median; from then until it is in force. */
  accepting: number;
  p50: number;
  max: number;
  /** Of one change, less what is spent while nothing changes: milliseconds of CPU; bytes for one proxy. */
  istiod: number;
  apiServer: number;
  server: number;
  received: number;
};

/** Milliseconds. Envoy serves connections from before a change of its listeners so long; longer than istiod waits for a further change. */
const DRAIN = 6000;
const QUIET = 700;
const IDLE = 4000;

export function onMesh(sizes: number[], proxies: number, changes: number): Promise<MeshEffect[]> {
  return withMesh(proxies, async (bed) => {
    const all = drivers(bed, await published(bed));
    const effects: MeshEffect[] = [];
    for (const way of WAYS) {
      await all[way].start();
      await sleep(DRAIN);
      for (const keys of sizes) {
        process.stderr.write(`A change in ${keys.toLocaleString("en")} keys on the mesh, ${way}\n`);
        effects.push(await changed(bed, way, all[way], keys, changes));
      }
      await all[way].stop();
    }
    return effects;
  });
}

const published = (bed: MeshBed): Promise<string> =>
  bed.keyway("publish", "--insecure", "--module", "build/keyway.wasm", `oci://${bed.mesh.registry.host}/keyway:bench`);

async function changed(bed: MeshBed, way: Way, driver: Driver, keys: number, changes: number): Promise<MeshEffect> {
  const held = await driver.fill(keys);
  await inForce(bed, keyText(keys - 1));
  const probes = await bed.probes();
  const [accepting, effect]: [number[], number[]] = [[], []];
  const change = async (index: number) => {
    const sent = performance.now();
    await driver.add(index);
    const accepted = performance.now();
    const seen = await Promise.all(probes.map((probe) => probe.routed(keyText(index))));
    accepting.push(accepted - sent);
    effect.push(Math.max(...seen) - accepted);
    await sleep(QUIET);
  };
  const state = async () => ({ ...(await bed.used()), at: performance.now() });
  await sleep(QUIET);
  const still = await state();
  await sleep(IDLE);
  const before = await state();
  for (let index = keys; index < keys + changes; index++) await change(index);
  const after = await state();
  for (const probe of probes) probe.close();
  const each = (what: keyof Used) => {
    const idle = ((before[what] - still[what]) / (before.at - still.at)) * (after.at - before.at);
    return (after[what] - before[what] - idle) / changes;
  };
  const tenth = (value: number) => Math.round(value * 10) / 10;
  return {
    ...{ way, keys, proxies: bed.callers.length, workers: WORKERS, changes, ...held },
    accepting: tenth(quantile(accepting, 0.5)),
    ...{ p50: tenth(quantile(effect, 0.5)), max: tenth(Math.max(...effect)) },
    ...{ istiod: tenth(each("istiod") * 1000), apiServer: tenth(each("apiServer") * 1000) },
    ...{ server: tenth(each("server") * 1000), received: Math.round(each("bytes") / bed.callers.length) },
  };
}

/** Waits until every caller's proxy routes the key, on connections of their own. */
async function inForce(bed: MeshBed, key: string): Promise<void> {
  await until(`${key} to be routed`, async () => {
    const probes = await bed.probes();
    try {
      await Promise.all(probes.map((probe) => probe.routed(key)));
      return true;
    } finally {
      for (const probe of probes) probe.close();
    }
  });
}
