// What Sandboxes cost the process that follows them: memory, and the CPU time of a change of one.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { customResources } from "../../installer/manifests/crds.ts";
import { type RouteServer, serveRoutes } from "../../scripts/proxy/route-server.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import type { Mesh } from "../../test/mesh/bed/mesh.ts";
import { ECHO_PORTS } from "../../test/mesh/bed/mesh.ts";
import { serviceObject, sliceObject } from "../../test/mesh/bed/objects.ts";
import { until } from "../../test/mesh/bed/until.ts";
import { Sandboxes } from "../../test/mesh/previews.ts";

const NAMESPACE = "bench-controller";
const SERVICES = ["reviews", "ratings", "details"];
const CHANGES = 200;
const TICKS_A_SECOND = 100;

export interface ControllerCost {
  sandboxes: number;
  /** Of three routes each. */
  routes: number;
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
  const server = await serveRoutes("--store", `kubernetes:${NAMESPACE}`, "--log-level", "error");
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
  for (let from = 0; from < count; from += 20) {
    await Promise.all(names.slice(from, from + 20).map((name) => sandboxes.apply(name, spec("a"))));
  }
  const isTold = (name: string, to: string) =>
    sandboxes.get(name)?.status?.routes?.every((route) => route.to.startsWith(`${route.service.split(".")[0]}-${to}`));
  await sandboxes.until("all statuses", () => names.every((name) => isTold(name, "a")), 120);
  await sleep(5000);
  const resident = residentOf(server);
  const before = cpuOf(server);
  for (let change = 0; change < CHANGES; change++) {
    const name = `${names[change % count]}`;
    const to = Math.floor(change / count) % 2 === 0 ? "b" : "a";
    await sandboxes.apply(name, spec(to));
    await sandboxes.until(`the status of ${name}`, () => isTold(name, to) === true);
  }
  const change = Math.round(((cpuOf(server) - before) * 1e6) / CHANGES);
  return { sandboxes: count, routes: count * SERVICES.length, resident, change };
}

export const residentOf = ({ child }: RouteServer): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) * 1024;

/** Seconds of CPU time. */
export function cpuOf({ child }: RouteServer): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}
