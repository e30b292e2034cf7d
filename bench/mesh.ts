// How long a change takes on the real mesh: from the command, or from the edit, until requests follow it. Needs root, as the
// mesh test bed does. A table goes to stdout.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { runCli } from "../test/cli/run.ts";
import type { Pod } from "../test/mesh/bed/pod.ts";
import { startMesh } from "../test/mesh/bed/start.ts";

const EDITS = 50;
const VERSIONS = 10;
const NAMESPACE = "bench";
const HERE = ["-n", NAMESPACE, "--insecure"];

const { mesh, stop } = await startMesh();
const scratch = await mkdtemp(join(tmpdir(), "keyway-bench-"));
try {
  const one = (name: string, service?: string) => mesh.pod({ name, namespace: NAMESPACE, ...(service && { service }) });
  const [caller] = await Promise.all([one("caller"), one("reviews", "reviews"), one("sandbox", "sandbox")]);
  await follows(caller, {}, "reviews");

  const builds: string[] = [];
  for (let build = 0; build < VERSIONS; build++) builds.push(await moduleOf(build));
  const first = await publish(builds[0] ?? "");
  const routes = await routeFile("first");

  const installs = await repeat(VERSIONS, async () => {
    const install = await timed(() => keyway("install", ...HERE, "-l", "app=reviews", "--module", first, "-f", routes));
    await keyway("uninstall", "-n", NAMESPACE);
    return install;
  });
  await keyway("install", ...HERE, "-l", "app=reviews", "--module", first, "-f", routes);
  const publishes = await repeat(VERSIONS - 1, (round) =>
    timed(async () => keyway("upgrade", ...HERE, "--module", await publish(builds[round + 1] ?? ""))),
  );
  const commands = await repeat(EDITS, async (round) => {
    const file = await routeFile(`command-${round}`);
    return timed(async () => {
      await keyway("upgrade", ...HERE, "-f", file);
      await follows(caller, { "x-routing-key": `command-${round}` }, "sandbox");
    });
  });
  const edits = await repeat(EDITS, (round) =>
    timed(async () => {
      await mesh.apply(pluginWith(`edit-${round}`));
      await follows(caller, { "x-routing-key": `edit-${round}` }, "sandbox");
    }),
  );
  const rows = {
    "install to loaded": installs,
    "publish to loaded": publishes,
    "route edit by command to effect": commands,
    "route edit in the API to effect": edits,
  };
  process.stdout.write("what, times, p50 ms, p99 ms\n");
  for (const [what, times] of Object.entries(rows)) {
    process.stdout.write(`${what}, ${times.length}, ${at(times, 0.5)}, ${at(times, 0.99)}\n`);
  }
} finally {
  await rm(scratch, { recursive: true });
  await stop();
}

async function keyway(...args: string[]): Promise<string> {
  const { code, out, err } = await runCli(args, { env: { KUBECONFIG: mesh.kubeconfig } });
  if (code !== 0) throw new Error(`keyway ${args.join(" ")}: ${err}`);
  return out.trim();
}

/** The module with a section that WebAssembly ignores: other bytes, the same work. */
async function moduleOf(build: number): Promise<string> {
  const path = join(scratch, `${build}.wasm`);
  await writeFile(path, Buffer.concat([await readFile("build/keyway.wasm"), Buffer.from([0, 2, 1, 97 + build])]));
  return path;
}

function publish(module: string): Promise<string> {
  return keyway("publish", "--insecure", "--module", module, `oci://${mesh.registry.host}/keyway:bench`);
}

async function routeFile(key: string): Promise<string> {
  const path = join(scratch, `${key}.yaml`);
  await writeFile(path, `routes:\n  - {service: reviews:http, key: ${key}, to: sandbox}\n`);
  return path;
}

function pluginWith(key: string) {
  const to = `outbound|9080||sandbox.${NAMESPACE}.svc.cluster.local`;
  return {
    apiVersion: "extensions.istio.io/v1alpha1",
    kind: "WasmPlugin",
    metadata: { name: "keyway", namespace: NAMESPACE },
    spec: { pluginConfig: { routes: [{ from: "inbound|9080||", key, to }] } },
  };
}

/** Asks until the answer comes from `app`. */
async function follows(from: Pod, headers: Record<string, string>, app: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  while ((await from.request({ host: "reviews:9080", headers })).app !== app) {
    if (performance.now() > deadline) throw new Error(`requests do not reach ${app}`);
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function repeat(times: number, work: (round: number) => Promise<number>): Promise<number[]> {
  const took: number[] = [];
  for (let round = 0; round < times; round++) took.push(await work(round));
  return took.sort((a, b) => a - b);
}

function at(sorted: number[], share: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}
