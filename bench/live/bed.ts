// A route server and proxies that follow it, for the benchmarks of live tables.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tableCluster } from "../../installer/render/table.ts";
import { METRIC_TABLE_ROUTES } from "../../routes/model/names.ts";
import { type RouteServer, serveRoutes } from "../../scripts/proxy/route-server.ts";
import { BASELINE, bootstrap, type Json, type Site, TARGET } from "../lib/bootstrap.ts";
import { modules } from "../lib/compile.ts";
import { type EnvoyProcess, startEnvoy } from "../lib/envoy.ts";
import { answer } from "../lib/fleet.ts";
import { keyText, LOAD_CORE } from "../lib/load.ts";
import { keyway } from "../lib/sites.ts";

/** Routes of one transaction. */
const BATCH = 25_000;
const PATIENCE = 120_000; // milliseconds

/** Does the work with a server whose store is new, and takes both away again. */
export async function withServer<T>(work: (server: RouteServer) => Promise<T>, ...flags: string[]): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "keyway-bench-"));
  const server = await serveRoutes("--store", `sqlite:${join(folder, "routes.db")}`, ...flags);
  try {
    return await work(server);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}

/** Holds a process with all its threads on these cores. */
export function pinned(pid: number, ...cores: number[]): void {
  execFileSync("taskset", ["-a", "-c", "-p", cores.join(), `${pid}`], { stdio: "ignore" });
}

/** Holds a process on the load's core, where it runs when nobody else there wants to. */
export function aside(pid: number): void {
  pinned(pid, LOAD_CORE);
  execFileSync("chrt", ["-a", "-i", "-p", "0", `${pid}`], { stdio: "ignore" });
}

export type BenchRoute = { id: string; from: string; key: string; to: string };

export const routeOf = (index: number, to = TARGET): BenchRoute => {
  return { id: keyText(index), from: BASELINE, key: keyText(index), to };
};

export function apply(server: RouteServer, set: object[]): Promise<void> {
  return applyText(server, JSON.stringify({ set }));
}

/** The same of a transaction's JSON. */
export async function applyText({ url }: RouteServer, body: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${url}/v1/routes:apply`, { method: "POST", headers, body });
  if (!answer.ok) throw new Error(`the route server answered ${answer.status}: ${await answer.text()}`);
  await answer.body?.cancel();
}

/** Gives the server one route for each of so many keys. */
export async function fill(server: RouteServer, keys: number, targetOf = (_: string) => TARGET): Promise<void> {
  for (let from = 0; from < keys; from += BATCH) {
    const length = Math.min(BATCH, keys - from);
    await apply(
      server,
      Array.from({ length }, (_, index) => routeOf(from + index, targetOf(keyText(from + index)))),
    );
  }
}

/** Does the work with the upstream that all proxies of a benchmark have. */
export async function answering<T>(work: (upstream: EnvoyProcess) => Promise<T>): Promise<T> {
  const upstream = await startEnvoy(bootstrap(answer), { core: LOAD_CORE });
  try {
    return await work(upstream);
  } finally {
    await upstream.stop();
  }
}

/** A proxy without routes of its own, and what it takes to follow a server. */
export const liveSite: Site = keyway(modules, JSON.stringify({ table: { cluster: "keyway" }, hopMark: "route" }));

export function following({ port }: Pick<RouteServer, "port">) {
  return (bootstrap: Json): Json => {
    const resources = bootstrap.static_resources as { clusters: object[] };
    const clusters = [...resources.clusters, tableCluster({ servers: [{ host: "127.0.0.1", port }] })];
    return { ...bootstrap, static_resources: { ...resources, clusters } };
  };
}

/** Waits until the proxy counts so many routes. */
export async function holds(proxy: Pick<EnvoyProcess, "admin">, routes: number, everyMs = 5): Promise<void> {
  for (const start = performance.now(); ; await sleep(everyMs)) {
    const said = await proxy.admin(`/stats?filter=${METRIC_TABLE_ROUTES}`);
    if (Number(/: (\d+)/.exec(said)?.[1]) === routes) return;
    if (performance.now() - start > PATIENCE) throw new Error(`the proxy does not come to ${routes} routes: ${said}`);
  }
}

/** Waits until the server knows that all its proxies have their table in force, and that there is one. To ask the server costs the proxy nothing. */
export async function inForce({ url }: RouteServer, everyMs: number): Promise<void> {
  for (const start = performance.now(); ; await sleep(everyMs)) {
    const said = (await (await fetch(`${url}/v1/proxies`)).json()) as { proxies: number; inForce: number };
    if (said.proxies > 0 && said.inForce === said.proxies) return;
    if (performance.now() - start > PATIENCE)
      throw new Error(`no proxy comes to have its table: ${JSON.stringify(said)}`);
  }
}
