import type { V1Pod, V1Service, V1ServicePort } from "@kubernetes/client-node";
import { namedServices } from "../../routes/compiling/named-services.ts";
import type { Service, ServicePort, UnresolvedPort } from "../../routes/model/service.ts";
import type { RouteFile } from "../../routes/reading/route-file.ts";
import { isForbidden } from "../cluster/api-errors.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { matches } from "../cluster/labels.ts";
import { KeywayError } from "../errors.ts";

/** Where services and pods are looked up: a cluster, or what was written of one. */
export type Listed = Pick<Cluster, "list">;

/** The services of all namespaces that a route file speaks of, and of its own. */
export async function servicesFor(cluster: Listed, file: RouteFile, namespace: string): Promise<Service[]> {
  const namespaces = new Set([
    namespace,
    ...namedServices(file).flatMap(({ isHost, namespace: own }) => (isHost ? [] : (own ?? []))),
  ]);
  const found = await Promise.all(
    [...namespaces].map((one) =>
      servicesIn(cluster, one, one === namespace).catch((thrown) => adviseOn(thrown, one, namespace)),
    ),
  );
  return found.flat();
}

/** The rights that `keyway render rbac` prints are those for the workloads' own namespace, unless it is told of others. */
function adviseOn(thrown: unknown, namespace: string, own: string): never {
  if (!isForbidden(thrown) || namespace === own) throw thrown;
  throw new KeywayError(`a route names a service in namespace ${namespace}, whose services you may not list`, {
    where: `namespace ${namespace}`,
    next: `have an administrator run: keyway render rbac -n ${own} --route-namespace ${namespace} --user NAME | kubectl apply -f -`,
    cause: thrown,
  });
}

/** Pods are read only where a named target port must be turned into a number, and only in the installation's namespace. */
export async function servicesIn(cluster: Listed, namespace: string, own: boolean): Promise<Service[]> {
  const services = await cluster.list<V1Service>("v1", "Service", { namespace });
  const named = services.some(({ spec }) => spec?.ports?.some(({ targetPort }) => isName(targetPort)));
  const pods = own && named ? await cluster.list<V1Pod>("v1", "Pod", { namespace }) : undefined;
  return services.map((service) => {
    return serviceOf(
      service,
      pods?.filter(({ metadata }) => isBehind(service, metadata?.labels ?? {})),
    );
  });
}

/** `pods` are those behind it; undefined when nobody looked. */
export function serviceOf({ metadata, spec }: V1Service, pods?: V1Pod[]): Service {
  return {
    name: metadata?.name ?? "",
    namespace: metadata?.namespace ?? "",
    ports: (spec?.ports ?? []).map((port) => readPort(port, pods)),
  };
}

/** A service without a selector has no pods of its own. */
export function isBehind({ spec }: V1Service, labels: Record<string, string>): boolean {
  const selector = spec?.selector ?? {};
  return Object.keys(selector).length > 0 && matches(selector, labels);
}

/** `pods` are those behind the service; undefined when nobody looked. */
function readPort(port: V1ServicePort, pods: V1Pod[] | undefined): ServicePort {
  const target = podPortOf(port, pods);
  return {
    port: port.port,
    ...(port.name !== undefined && { name: port.name }),
    ...(target !== port.port && { targetPort: target }),
  };
}

function podPortOf({ port, targetPort, protocol }: V1ServicePort, pods: V1Pod[] | undefined): number | UnresolvedPort {
  if (!isName(targetPort)) return Number(targetPort ?? 0) || port;
  const name = String(targetPort);
  if (pods === undefined) return { name };
  const numbers = [...new Set(pods.flatMap((pod) => containerPort(pod, name, protocol) ?? []))];
  const [only] = numbers;
  return numbers.length === 1 && only !== undefined ? only : { name, numbers };
}

/** As Kubernetes resolves it: the containers first, then the sidecars among the init containers. */
function containerPort({ spec }: V1Pod, name: string, protocol = "TCP"): number | undefined {
  const sidecars = spec?.initContainers?.filter(({ restartPolicy }) => restartPolicy === "Always") ?? [];
  const ports = [...(spec?.containers ?? []), ...sidecars].flatMap((container) => container.ports ?? []);
  return ports.find((port) => port.name === name && (port.protocol ?? "TCP") === protocol)?.containerPort;
}

function isName(targetPort: V1ServicePort["targetPort"]): boolean {
  return targetPort !== undefined && Number.isNaN(Number(targetPort));
}
