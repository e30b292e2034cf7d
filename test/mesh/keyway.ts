// The command line, run against the bed as a person would run it against a cluster.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll } from "vitest";
import { expectGolden, type Run, runCli, transcript } from "../cli/run.ts";
import type { Pod } from "./bed/pod.ts";
import { mesh } from "./bed/shared.ts";
import { until } from "./bed/until.ts";

const scratch = mkdtemp(join(tmpdir(), "keyway-test-"));
afterAll(async () => rm(await scratch, { recursive: true }));

export function keyway(...args: string[]): Promise<Run> {
  return runCli(args, { env: { KUBECONFIG: mesh.kubeconfig } });
}

/** Fails with what a person would have read. */
export async function keywayDone(...args: string[]): Promise<Run> {
  const run = await keyway(...args);
  if (run.code !== 0) throw new Error(`keyway ${args.join(" ")}: exit code ${run.code}\n${run.err}`);
  return run;
}

/** Publishes the module and returns its URL by digest; another `build` is other bytes that do the same. */
export async function publishModule(build = 0): Promise<string> {
  const module = await readFile("build/keyway.wasm");
  const path = join(await scratch, `keyway-${build}.wasm`);
  await writeFile(path, build === 0 ? module : Buffer.concat([module, customSection(`build-${build}`)]));
  const { out } = await keywayDone(
    "publish",
    "--insecure",
    "--module",
    path,
    `oci://${mesh.registry.host}/keyway:${build}`,
  );
  return out.trim();
}

/** A section that WebAssembly ignores. */
function customSection(name: string): Buffer {
  return Buffer.from([0, name.length + 1, name.length, ...Buffer.from(name)]);
}

/** A namespace whose proxies take nothing but mutual TLS, before there are any. */
export async function strictMutualTls(namespace: string): Promise<void> {
  await mesh.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  await mesh.apply({
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata: { name: "strict", namespace },
    spec: { mtls: { mode: "STRICT" } },
  });
}

/** Waits until istiod has heard of what has changed, and has told these pods' proxies nothing new for a second. */
export async function quiet(pods: Pod[]): Promise<void> {
  await mesh.waitForIstiod();
  const told = async () => JSON.stringify(await Promise.all(pods.map((pod) => pod.configuration())));
  let before = "";
  await until("the proxies to have been told everything", async () => {
    await sleep(1000);
    const now = await told();
    const same = now === before;
    before = now;
    return same;
  });
}

/** Whether a proxy still serves connections from before its listeners changed as it did then. */
export async function isDraining(pod: Pod): Promise<boolean> {
  const stats = await pod.admin("/stats?filter=listener_manager.total_(listeners|filter_chains)_draining");
  return /: [1-9]/.test(stats);
}

/** Compares what a person sees with test/golden/cli/NAME.txt, whatever the addresses, digests, watchers, sizes and times are. */
export function expectTranscript(name: string, run: Run): Promise<void> {
  const text = transcript(run)
    .replaceAll(mesh.registry.host, "REGISTRY")
    .replaceAll(mesh.api.server, "API-SERVER")
    .replace(/inline_bytes: \S+/g, "inline_bytes: WATCHER")
    .replace(/[0-9a-f]{64}/g, "DIGEST")
    .replace(/"\d{10}"/g, '"VERSION"')
    .replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, "TIME")
    .replace(/\d+ bytes/g, "SIZE bytes")
    .replace(/\S*routes-\d+\.yaml/g, "routes.yaml");
  return expectGolden(name, text);
}

let files = 0;

/** Path of a route file with these routes, each written as YAML. */
export function routeFile(...routes: string[]): Promise<string> {
  return routeFileWith("", ...routes);
}

/** The same with other fields, as lines of YAML. */
export async function routeFileWith(fields: string, ...routes: string[]): Promise<string> {
  const path = join(await scratch, `routes-${files++}.yaml`);
  await writeFile(path, `${fields}routes:\n${routes.map((route) => `  - ${route}\n`).join("")}`);
  return path;
}
