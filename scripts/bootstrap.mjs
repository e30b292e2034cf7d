// Runs one of the project's TypeScript programs on a fresh clone: installs the locked packages when they are absent or
// older than the lock file, then hands over to the Node that the packages pin. Plain JavaScript, so that any Node >= 18 starts it.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [program, ...args] = process.argv.slice(2);
const bin = join(root, "node_modules", ".bin");
const installed = join(root, "node_modules", ".package-lock.json");
const pinned = join(bin, "node");

const stale = () =>
  !existsSync(installed) ||
  !existsSync(pinned) ||
  statSync(installed).mtimeMs < statSync(join(root, "package-lock.json")).mtimeMs;

if (stale()) {
  console.error("keyway: installing packages (npm ci)");
  const done = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (done.status !== 0) {
    console.error("keyway: npm ci failed; is the npm registry reachable?");
    process.exit(1);
  }
}

const child = spawn(pinned, [join(root, program), ...args], {
  stdio: "inherit",
  env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code) => process.exit(code ?? 1));
