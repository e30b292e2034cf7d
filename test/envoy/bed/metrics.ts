import type { Envoy } from "../../../scripts/proxy/run.ts";

/** The filter's metrics by the names that the contract gives them, without Envoy's prefix. */
export async function metrics(envoy: Envoy): Promise<Record<string, number>> {
  return await stats(envoy, "wasmcustom\\.keyway_", "wasmcustom.");
}

/** Envoy's own counters and gauges whose name matches, by name, less the prefix where they have it. */
export async function stats(envoy: Envoy, filter: string, prefix = ""): Promise<Record<string, number>> {
  const text = await envoy.ask(`/stats?filter=${encodeURIComponent(filter)}`);
  const pairs = text
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split(": ") as [string, string]);
  return Object.fromEntries(pairs.map(([name, value]) => [name.replace(prefix, ""), Number(value)]));
}
