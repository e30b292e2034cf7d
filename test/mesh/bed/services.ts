// What the controller manager would do, endpoints for each Service with a selector from the pods that it matches, and what
// the cluster's name server would.
import type { Api } from "./api.ts";
import { type Endpoint, type Labels, type ServicePort, sliceObject } from "./objects.ts";
import { APP_HTTP_PORT } from "./ports.ts";

type Services = { items: { metadata: { name: string }; spec: { selector?: Labels; ports: ServicePort[] } }[] };
type Pods = {
  items: {
    metadata: { name: string; labels?: Labels };
    status: { podIP?: string; conditions?: { type: string; status: string }[] };
  }[];
};

export async function syncEndpoints(api: Api, namespace: string): Promise<void> {
  const of = (resource: string) => api.get(`/api/v1/namespaces/${namespace}/${resource}`);
  const [services, pods] = (await Promise.all([of("services"), of("pods")])) as [Services, Pods];
  const slices = services.items.map(({ metadata, spec }) => {
    const endpoints = spec.selector ? matching(pods, spec.selector) : [];
    return sliceObject(namespace, metadata.name, spec.ports, endpoints);
  });
  await api.apply(...slices);
}

const matching = (pods: Pods, selector: Labels): Endpoint[] =>
  pods.items
    .filter(({ metadata }) => Object.entries(selector).every(([name, value]) => metadata.labels?.[name] === value))
    .filter(({ status }) => status.podIP)
    .map(({ metadata, status }) => ({
      pod: metadata.name,
      address: `${status.podIP}`,
      ready: Boolean(status.conditions?.some(({ type, status: holds }) => type === "Ready" && holds === "True")),
    }));

export type Place = { address: string; port: number };

/** Where NAME[.NAMESPACE][:PORT] is, as seen from `from`'s namespace. An address stands for itself. */
export async function serviceAddress(
  api: Api,
  host: string,
  from?: { namespace: string },
  usualPort = APP_HTTP_PORT,
): Promise<Place> {
  const [name = "", port = usualPort] = host.split(":");
  if (/^[\d.]+$/.test(name)) return { address: name, port: Number(port) };
  const [service, namespace = from?.namespace ?? "default"] = name.split(".");
  const found = await api.get(`/api/v1/namespaces/${namespace}/services/${service}`);
  return { address: (found as { spec: { clusterIP: string } }).spec.clusterIP, port: Number(port) };
}
