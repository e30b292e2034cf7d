// Resident memory of Envoy: what 100,000 keys in the configuration add over one key, in multiples of the configuration's text. Beside
// Keyway stands a module that never looks at its configuration: what Envoy itself takes to hold the text.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BASELINE, type Json, type Site, TARGET } from "./lib/bootstrap.ts";
import { compile, modules } from "./lib/compile.ts";
import { filterFromFile, givingBack } from "./lib/delivery.ts";
import type { EnvoyProcess } from "./lib/envoy.ts";
import { type Subject, withFleet } from "./lib/fleet.ts";
import { noRoute } from "./lib/load.ts";
import { emptyModule, keyway, keywayConfiguration } from "./lib/sites.ts";
import { showMemory } from "./report.ts";
import type { MemoryUse } from "./results.ts";

const KEYS = 100_000;
const MEBIBYTE = 2 ** 20;

/** Every key has a target of its own, as sandboxes do; their clusters need not exist. */
const configuration = (keys: number): string => keywayConfiguration(keys, (key) => `${TARGET}-${key}`);

// Memory that Envoy no longer needs goes back little by little, so what counts is where it comes to rest.
async function restingMemory(proxy: EnvoyProcess): Promise<number> {
  let before = proxy.resident();
  for (let seconds = 0, still = 0; seconds < 60 && still < 5; seconds++) {
    await sleep(1000);
    const now = proxy.resident();
    still = Math.abs(now - before) < MEBIBYTE / 4 ? still + 1 : 0;
    before = now;
  }
  return before;
}

type Setting = { delivery: string; workers: number; adapt?: (bootstrap: Json) => Json };

async function grown(site: (text: string) => Site, { workers, adapt }: Setting): Promise<number> {
  const subject = (keys: number): Subject => ({
    ...{ name: `${keys} keys in memory`, site: site(configuration(keys)), load: noRoute, goesTo: BASELINE, workers },
    ...(adapt && { adapt }),
  });
  const [few, many] = await withFleet([subject(1), subject(KEYS)], (running) =>
    Promise.all(running.map(({ proxy }) => restingMemory(proxy))),
  );
  return (many as number) - (few as number);
}

export async function memoryUse(): Promise<MemoryUse[]> {
  const empty = compile("empty");
  const folder = mkdtempSync(join(tmpdir(), "keyway-bench-"));
  const fromFile = (config: Json) => givingBack(filterFromFile(config, folder));
  const settings: Setting[] = [
    { delivery: "static", workers: 1 },
    { delivery: "static", workers: 4 },
    { delivery: "static, freed memory given back", workers: 1, adapt: givingBack },
    { delivery: "ECDS, freed memory given back", workers: 1, adapt: fromFile },
    { delivery: "ECDS, freed memory given back", workers: 4, adapt: fromFile },
  ];
  const text = configuration(KEYS).length;
  const uses: MemoryUse[] = [];
  try {
    for (const setting of settings) {
      const { delivery, workers } = setting;
      process.stderr.write(`Memory: ${delivery}, ${workers} worker${workers > 1 ? "s" : ""}\n`);
      const own = await grown((plain) => emptyModule(empty, plain), setting);
      uses.push({ delivery, workers, text, own, grown: await grown((plain) => keyway(modules, plain), setting) });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return uses;
}

if (import.meta.main) console.log(showMemory(await memoryUse()));
