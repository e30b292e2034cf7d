// Resident memory of Envoy: what 100,000 keys in the configuration add, in multiples of the configuration's text. Beside Keyway stands
// a module that never looks at its configuration: what Envoy itself takes to hold the text.
import { setTimeout as sleep } from "node:timers/promises";
import { BASELINE, TARGET } from "./lib/bootstrap.ts";
import type { EnvoyProcess } from "./lib/envoy.ts";
import { type Subject, withFleet } from "./lib/fleet.ts";
import { noKey } from "./lib/load.ts";
import { compile, modules } from "./lib/module.ts";
import { emptyModule, keyway, keywayConfiguration } from "./lib/sites.ts";

/** `perText` is the growth over a table of one key, divided by the size of the text. */
export type MemoryUse = { module: string; workers: number; textBytes: number; grownBytes: number; perText: number };

const KEYS = 100_000;
const MEBIBYTE = 2 ** 20;

/** Every key has a target of its own, as sandboxes do; their clusters need not exist. */
const configuration = (keys: number): string => keywayConfiguration(keys, (key) => `${TARGET}-${key}`);

// Envoy's allocator gives memory back little by little, so what counts is where it comes to rest.
async function settled(proxy: EnvoyProcess): Promise<number> {
  let before = proxy.resident();
  for (let seconds = 0, still = 0; seconds < 60 && still < 5; seconds++) {
    await sleep(1000);
    const now = proxy.resident();
    still = Math.abs(now - before) < MEBIBYTE / 4 ? still + 1 : 0;
    before = now;
  }
  return before;
}

async function grown(site: (configuration: string) => Subject["site"], workers: number): Promise<number> {
  const subject = (keys: number): Subject => ({
    ...{ name: `memory with ${keys} keys`, site: site(configuration(keys)), load: noKey, goesTo: BASELINE, workers },
  });
  const sizes = await withFleet([subject(1), subject(KEYS)], (running) =>
    Promise.all(running.map(({ proxy }) => settled(proxy))),
  );
  return (sizes[1] as number) - (sizes[0] as number);
}

export async function memoryUse(): Promise<MemoryUse[]> {
  const empty = compile("empty");
  const textBytes = configuration(KEYS).length;
  const measured: MemoryUse[] = [];
  for (const workers of [1, 4]) {
    for (const [module, site] of [
      ["empty", (text: string) => emptyModule(empty, text)],
      ["keyway", (text: string) => keyway(modules, text)],
    ] as const) {
      process.stderr.write(`Memory: ${module}, ${workers} worker${workers > 1 ? "s" : ""}\n`);
      const grownBytes = await grown(site, workers);
      measured.push({ module, workers, textBytes, grownBytes, perText: grownBytes / textBytes });
    }
  }
  return measured;
}

if (import.meta.main) console.table(await memoryUse());
