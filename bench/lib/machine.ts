// What figures were taken on.
import { execFileSync } from "node:child_process";
import { cpus, loadavg, release } from "node:os";
import { envoy } from "../../scripts/parts/envoy.ts";

/** `load` is the load average of the minute before: what else the machine had to do. */
export type Machine = { processor: string; cores: number; kernel: string; envoy: string; load: number };

export async function machine(): Promise<Machine> {
  const said = execFileSync(await envoy(), ["--version"], { encoding: "utf8" });
  const version = /\/(\d+\.\d+\.\d+[^/]*)\//.exec(said)?.[1] ?? said.trim();
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    kernel: release(),
    envoy: version,
    load: loadavg()[0] as number,
  };
}
