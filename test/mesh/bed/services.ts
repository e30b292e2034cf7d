// What the controller manager would do, endpoints for each Service with a selector from the pods that it matches, and what
// the cluster's name server would.
import type { Api } from "./api.ts";
import { type Container, type Endpoint, type Labels, type ServicePort, sliceObject } from "./objects.ts";
import { APP_HTTP_PORT } from "./ports.ts";

type NamedPort = Omit<ServicePort, "targetPort"> & { targetPort?: number | string };
type Services = { items: { metadata: { name: string }; spec: { selector?: Labels; ports: NamedPort[] } }[] };
type Pods = {
  items: {
    metadata: { name: string; labels?: Labels; deletionTimestamp?: string };
    spec: { containers: Container[] };
    status: { podIP?: string; conditions?: { type: string; status: string }[] };
  }[];
};
type Slices = { items: { metadata: { name: string; labels: Labels } }[] };

const SERVICE_LABEL = "kubernetes.io/service-name";

export async function syncEndpoints(api: Api, namespace: string): Promise<void> {
  const of = (resource: string) => api.get(`/api/v1/namespaces/${namespace}/${resource}`);
  const [services, pods] = (await Promise.all([of("services"), of("pods")])) as [Services, Pods];
  const slices = services.items.map(({ metadata, spec }) => {
    const selected = spec.selector ? matching(pods, spec.selector) : [];
    const ports = spec.ports.map((port) => ({ ...port, targetPort: portNumber(port, selected) }));
    return sliceObject(namespace, metadata.name, ports, selected.map(endpointOf));
  });
  await api.apply(...slices);
}

/** Takes away the slices of Services that are no more, as the garbage collector would. */
export async function dropEndpoints(api: Api, namespace: string): Promise<void> {
  const slices = (await api.get(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`)) as Slices;
  const { items } = (await api.get(`/api/v1/namespaces/${namespace}/services`)) as Services;
  const services = new Set(items.map(({ metadata }) => metadata.name));
  const left = slices.items.filter(({ metadata }) => !services.has(metadata.labels[SERVICE_LABEL] ?? ""));
  await api.delete(
    ...left.map(({ metadata: { name } }) => ({ ...sliceObject(namespace, "", [], []), metadata: { name, namespace } })),
  );
}

const matching = (pods: Pods, selector: Labels): Pods["items"] =>
  pods.items
    .filter(({ metadata }) => Object.entries(selector).every(([name, value]) => metadata.labels?.[name] === value))
    .filter(({ status }) => status.podIP);

function endpointOf({ metadata, status }: Pods["items"][number]): Endpoint {
  const isReady = status.conditions?.some(({ type, status: holds }) => type === "Ready" && holds === "True");
  const terminating = metadata.deletionTimestamp !== undefined;
  const address = `${status.podIP}`;
  return { pod: metadata.name, address, ready: Boolean(isReady) && !terminating, ...(terminating && { terminating }) };
}

/** The one of the pods' port where the Service names it. */
function portNumber({ port, targetPort = port }: NamedPort, pods: Pods["items"]): number {
  if (typeof targetPort === "number") return targetPort;
  const ports = pods.flatMap(({ spec }) => spec.containers.flatMap((container) => container.ports ?? []));
  return ports.find(({ name }) => name === targetPort)?.containerPort ?? port;
}

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
