import type { V1Pod, V1Service, V1ServicePort } from "@kubernetes/client-node";
import { namedServices } from "../../routes/compiling/named-services.ts";
import type { Service } from "../../routes/model/service.ts";
import type { RouteFile } from "../../routes/reading/route-file.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { matches } from "../proxies/selected-pods.ts";

/** Where services and pods are looked up: a cluster, or what was written of one. */
export type Listed = Pick<Cluster, "list">;

/** The services of all namespaces that a route file speaks of, and of its own. */
export async function servicesFor(cluster: Listed, file: RouteFile, namespace: string): Promise<Service[]> {
  const namespaces = new Set([namespace, ...namedServices(file).flatMap((named) => named.namespace ?? [])]);
  const found = await Promise.all([...namespaces].map((one) => servicesIn(cluster, one, one === namespace)));
  return found.flat();
}

/** Pods are read only where a named target port must be turned into a number. */
async function servicesIn(cluster: Listed, namespace: string, own: boolean): Promise<Service[]> {
  const services = await cluster.list<V1Service>("v1", "Service", { namespace });
  const named = services.some(({ spec }) => spec?.ports?.some(({ targetPort }) => isName(targetPort)));
  const pods = own && named ? await cluster.list<V1Pod>("v1", "Pod", { namespace }) : [];
  return services.map((service) => ({
    name: service.metadata?.name ?? "",
    namespace,
    ports: (service.spec?.ports ?? []).map((port) => readPort(port, behind(service, pods))),
  }));
}

function behind(service: V1Service, pods: V1Pod[]): V1Pod[] {
  return pods.filter(({ metadata }) => isBehind(service, metadata?.labels ?? {}));
}

export function isBehind({ spec }: V1Service, labels: Record<string, string>): boolean {
  return matches(spec?.selector ?? {}, labels);
}

function readPort({ port, name, targetPort }: V1ServicePort, pods: V1Pod[]) {
  const number = isName(targetPort) ? containerPort(pods, String(targetPort)) : Number(targetPort ?? port);
  return {
    port,
    ...(name !== undefined && { name }),
    ...(number !== undefined && number !== port && { targetPort: number }),
  };
}

function containerPort(pods: V1Pod[], name: string): number | undefined {
  const ports = pods.flatMap(({ spec }) => spec?.containers.flatMap(({ ports }) => ports ?? []) ?? []);
  return ports.find((port) => port.name === name)?.containerPort;
}

function isName(targetPort: V1ServicePort["targetPort"]): boolean {
  return targetPort !== undefined && Number.isNaN(Number(targetPort));
}
