// Compiles a benchmark's AssemblyScript module and returns its path.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const project = fileURLToPath(new URL("../..", import.meta.url));

export function compile(peer: string, options: string[] = []): string {
  const out = join(project, "build", "bench", `${peer}.wasm`);
  mkdirSync(join(project, "build", "bench"), { recursive: true });
  const compiler = join(project, "node_modules", "assemblyscript", "bin", "asc.js");
  const input = [`bench/peers/${peer}/index.ts`, "--config", "bench/peers/asconfig.json", "-o", out];
  execFileSync(process.execPath, [compiler, ...input, ...options], { cwd: project, stdio: ["ignore", 2, 2] });
  return out;
}

/** Keyway itself, as `npm run build` leaves it. */
export const modules = {
  filter: join(project, "build", "keyway.wasm"),
  watch: join(project, "build", "keyway-watch.wasm"),
};
