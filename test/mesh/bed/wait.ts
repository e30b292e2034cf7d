// Waits until a change of the cluster has reached the proxies.
import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "./api.ts";
import type { Pod } from "./pod.ts";
import { until } from "./until.ts";

/** Milliseconds; longer than istiod waits for a further change before it pushes. */
const QUIET_MS = 500;

type Slices = {
  items: {
    metadata: { namespace: string; labels: Record<string, string> };
    ports: { port: number }[];
    endpoints: { addresses: string[]; conditions: { ready: boolean } }[] | null;
  }[];
};

/** Waits until every pod's proxy knows the ready endpoints and has not received a new configuration for QUIET_MS. */
export async function waitForProxies(api: Api, pods: Pod[]): Promise<void> {
  let told = "";
  await until("the proxies to have been told everything", async () => {
    const before = told;
    told = JSON.stringify(await Promise.all(pods.map((pod) => pod.configuration())));
    const expected = readyEndpoints((await api.get("/apis/discovery.k8s.io/v1/endpointslices")) as Slices);
    await Promise.all(pods.map((pod) => knows(pod, expected)));
    if (told === before) return true;
    await sleep(QUIET_MS);
    return false;
  });
}

async function knows(pod: Pod, endpoints: string[]): Promise<void> {
  const clusters = await pod.admin("/clusters");
  const missing = endpoints.filter((endpoint) => !clusters.includes(endpoint));
  if (missing.length) throw new Error(`${pod.name} does not know ${missing.join(", ")}`);
}

/** As /clusters shows them: "SERVICE.NAMESPACE.svc.cluster.local::ADDRESS:PORT::". */
function readyEndpoints({ items }: Slices): string[] {
  return items.flatMap(({ metadata, ports, endpoints: all }) => {
    const endpoints = all ?? []; // null for a service without pods
    const service = metadata.labels["kubernetes.io/service-name"];
    const host = `${service}.${metadata.namespace}.svc.cluster.local`;
    const addresses = endpoints.filter(({ conditions }) => conditions.ready).flatMap((endpoint) => endpoint.addresses);
    return ports.flatMap(({ port }) => addresses.map((address) => `${host}::${address}:${port}::`));
  });
}
