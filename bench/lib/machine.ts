// What figures were taken on.
import { execFileSync } from "node:child_process";
import { cpus, release } from "node:os";
import { envoy } from "../../scripts/parts/envoy.ts";

export type Machine = { processor: string; cores: number; kernel: string; envoy: string };

export async function machine(): Promise<Machine> {
  const said = execFileSync(await envoy(), ["--version"], { encoding: "utf8" });
  const version = /\/(\d+\.\d+\.\d+[^/]*)\//.exec(said)?.[1] ?? said.trim();
  return { processor: cpus()[0]?.model ?? "unknown", cores: cpus().length, kernel: release(), envoy: version };
}
