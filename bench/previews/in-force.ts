// How soon a Sandbox is in force on a mesh: from `kubectl apply` until its status says so, while its callers send requests.
import { setTimeout as sleep } from "node:timers/promises";
import type { Deployments } from "../../test/mesh/bed/deployments.ts";
import type { Mesh } from "../../test/mesh/bed/mesh.ts";
import { namespaceObject } from "../../test/mesh/bed/objects.ts";
import type { Pod } from "../../test/mesh/bed/pod.ts";
import { until } from "../../test/mesh/bed/until.ts";
import { followServers, installServers, publish, Sandboxes, workloadObjects } from "../../test/mesh/previews.ts";
import { quantile } from "../lib/stats.ts";

const NAMESPACE = "bench";

export interface InForce {
  sandboxes: number;
  proxies: number;
  /** Milliseconds from the application until the status says that all proxies have it. */
  statusP50: number;
  statusP99: number;
  /** Milliseconds until a request of a caller arrives at the target; each caller has one under way all the time. */
  requestP50: number;
  requestP99: number;
}

/** Endpoints are ready beforehand. */
export async function inForce(mesh: Mesh, count: number): Promise<InForce> {
  await mesh.api.apply(namespaceObject(NAMESPACE));
  const shop = mesh.manage(NAMESPACE);
  await mesh.apply(
    ...workloadObjects(NAMESPACE, "caller", { service: false }),
    ...["reviews", "reviews-b"].flatMap((name) => workloadObjects(NAMESPACE, name)),
  );
  await until("the pods", () => ["caller", "reviews", "reviews-b"].every((name) => shop.pods(name).length === 1));
  await mesh.waitForProxies();
  await installServers(mesh);
  const module = await publish(mesh, "build/keyway.wasm");
  await followServers(mesh, { namespace: NAMESPACE, module }, "--mode", "outbound", "-l", "app=caller");
  const sandboxes = await Sandboxes.follow(mesh, NAMESPACE);
  try {
    return await measure(shop, sandboxes, count);
  } finally {
    await sandboxes.close();
  }
}

async function measure(shop: Deployments, sandboxes: Sandboxes, count: number): Promise<InForce> {
  const [caller] = shop.pods("caller");
  if (caller === undefined) throw new Error("nobody is there who calls");
  const statuses: number[] = [];
  const requests: number[] = [];
  let proxies = 0;
  for (let index = 0; index < count; index++) {
    const name = `preview-${index}`;
    const start = performance.now();
    const arrived = arrives(caller, name).then(() => requests.push(performance.now() - start));
    await sandboxes.apply(name, { routes: [{ service: "reviews", to: "reviews-b" }] });
    await sandboxes.inForce(name);
    statuses.push(performance.now() - start);
    await arrived;
    proxies = sandboxes.get(name)?.status?.proxies?.total ?? 0;
    await sandboxes.delete(name);
    await sleep(100);
  }
  const at = (values: number[], share: number) => Math.round(quantile(values, share));
  return {
    sandboxes: count,
    proxies,
    statusP50: at(statuses, 0.5),
    statusP99: at(statuses, 0.99),
    requestP50: at(requests, 0.5),
    requestP99: at(requests, 0.99),
  };
}

async function arrives(caller: Pod, key: string): Promise<void> {
  const call = { host: "reviews:9080", headers: { "x-routing-key": key } };
  while ((await caller.request(call)).app !== "reviews-b") await sleep(2);
}
