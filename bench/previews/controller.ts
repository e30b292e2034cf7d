// What Sandboxes cost the process that follows them: memory, and the CPU time of a change of one.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { customResources } from "../../installer/manifests/crds.ts";
import type { SandboxSpec } from "../../routes/model/sandbox.ts";
import { type RouteServer, serveShipped } from "../../scripts/proxy/route-server.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import type { Mesh } from "../../test/mesh/bed/mesh.ts";
import { ECHO_PORTS } from "../../test/mesh/bed/mesh.ts";
import { serviceObject, sliceObject } from "../../test/mesh/bed/objects.ts";
import { until } from "../../test/mesh/bed/until.ts";
import { Sandboxes } from "../../test/mesh/previews.ts";

const NAMESPACE = "bench-controller";
const SERVICES = ["reviews", "ratings", "details"];
const CHANGES = 200;
/** Sandboxes that are applied at one time. */
const AT_ONCE = 20;
/** Seconds that the statuses of all are waited for. */
const PATIENCE_S = 120;
const TELL_MS = 5000;
const TICKS_A_SECOND = 100;

export interface ControllerCost {
  sandboxes: number;
  /** Of three routes each. */
  routes: number;
  /** Milliseconds in which all of them were applied, some at one time. */
  created: number;
  /** Bytes of resident memory, once all statuses are written. */
  resident: number;
  /** Microseconds of CPU time that a change of one Sandbox takes, with its status. */
  change: number;
}

/** With an API server and no proxies. */
export async function controllerCost(mesh: Mesh, count: number): Promise<ControllerCost> {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
  await mesh.apply(namespace);
  const sandboxes = await Sandboxes.follow(mesh, NAMESPACE);
  for (const one of customResources()) {
    await sandboxes.cluster.apply({ ...one, metadata: { ...one.metadata, namespace: "" } } as KubeObject, {
      force: true,
    });
  }
  for (const name of SERVICES.flatMap((service) => [service, `${service}-a`, `${service}-b`])) {
    const ready = { pod: "none", address: "10.0.0.1", ready: true };
    await mesh.apply(
      serviceObject(NAMESPACE, name, { app: name }, ECHO_PORTS),
      sliceObject(NAMESPACE, name, ECHO_PORTS, [ready]),
    );
  }
  await until("Sandboxes to be served", () => mesh.api.get("/apis/keyway.dev/v1alpha1/sandboxes"));
  process.env.KUBECONFIG = mesh.kubeconfig;
  const server = await serveShipped("--store", `kubernetes:${NAMESPACE}`);
  try {
    return await measure(server, sandboxes, count);
  } finally {
    await server.stop();
    await sandboxes.clear();
    await sandboxes.close();
  }
}

async function measure(server: RouteServer, sandboxes: Sandboxes, count: number): Promise<ControllerCost> {
  const spec = (to: string) => ({ routes: SERVICES.map((service) => ({ service, to: `${service}-${to}` })) });
  const names = Array.from({ length: count }, (_, index) => `preview-${index}`);
  const isTold = (name: string, to: string) =>
    sandboxes
      .get(name)
      ?.status?.routes?.every((route) => route.to.startsWith(`${route.service.split(".")[0]}-${to}`)) === true;
  const made = await create(sandboxes, names, spec("a"));
  const told = () => names.filter((name) => isTold(name, "a")).length;
  await telling(
    () => `${told()} of ${count} have a status`,
    () => sandboxes.until("all statuses", () => told() === count, PATIENCE_S),
  );
  await sleep(5000);
  const resident = residentOf(server);
  process.stderr.write(`${CHANGES} changes, one after the other\n`);
  const before = cpuOf(server);
  for (let change = 0; change < CHANGES; change++) {
    const name = `${names[change % count]}`;
    const to = Math.floor(change / count) % 2 === 0 ? "b" : "a";
    await sandboxes.apply(name, spec(to));
    await sandboxes.until(`the status of ${name}`, () => isTold(name, to));
  }
  const change = Math.round(((cpuOf(server) - before) * 1e6) / CHANGES);
  return { sandboxes: count, routes: count * SERVICES.length, created: made, resident, change };
}

/** Makes all of them, some at one time; the milliseconds that it takes. */
async function create(sandboxes: Sandboxes, names: readonly string[], spec: SandboxSpec): Promise<number> {
  const start = performance.now();
  const waiting = [...names];
  const work = async () => {
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) await sandboxes.apply(name, spec);
  };
  await telling(
    () => `${names.length - waiting.length} of ${names.length} Sandboxes are applied`,
    () => Promise.all(Array.from({ length: AT_ONCE }, work)),
  );
  return Math.round(performance.now() - start);
}

/** Does it, and says how far it is as long as it takes. */
async function telling<T>(line: () => string, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => process.stderr.write(`${line()}\n`), TELL_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    process.stderr.write(`${line()}\n`);
  }
}

export const residentOf = ({ child }: RouteServer): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) * 1024;

/** Seconds of CPU time. */
export function cpuOf({ child }: RouteServer): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}
