// Which part of the live table the selected proxies hold: the scope by which they ask for it.
import type { V1Pod, V1Service } from "@kubernetes/client-node";
import type { OwnService } from "../../routes/compiling/resolve.ts";
import { MAX_TEXT } from "../../routes/model/names.ts";
import { podPort } from "../../routes/model/service.ts";
import { matches } from "../../shared/cluster/labels.ts";
import { KeywayError } from "../../shared/errors.ts";
import { isBehind, type Listed, servicesIn } from "../../shared/services/services.ts";
import type { Installation, Labels } from "../manifests/installation.ts";

export interface TableScope {
  text: string;
  /** `NAME:PORT` of services whose routes would take requests for other services of the selected workloads. */
  leftOut: string[];
}

/** Bytes of what stands before the ports in a scope: a kind and a namespace. */
const ROOM = 80;

interface Listening {
  service: string;
  port: number;
  containerPort: number;
  isBefore: (workload: Labels) => boolean;
}

/** Callers and gateways can reach every cluster, so they hold all routes; a called proxy holds those of its own services; one that is both
 * holds those that callers do and, under the names of its own ports, those of the services that it surely answers for. */
export async function tableScope(
  { mode, namespace, scope }: Pick<Installation, "mode" | "namespace" | "scope">,
  cluster: Listed,
): Promise<TableScope> {
  const labels = "labels" in scope ? scope.labels : {};
  if (mode === "both") {
    const own = (await listeningIn(cluster, namespace)).filter(({ isBefore }) => isBefore(labels));
    return { text: [`both:${namespace}`, ...partsOf(own, namespace)].join(","), leftOut: [] };
  }
  if (mode !== "inbound") return { text: `outbound:${namespace}`, leftOut: [] };
  const pods = await cluster.list<V1Pod>("v1", "Pod", { namespace });
  const selected = pods.map(({ metadata }) => metadata?.labels ?? {}).filter((own) => matches(labels, own));
  // Where no pod is there yet, those to come have the selected labels at least.
  const workloads = selected.length > 0 ? selected : [labels];
  const all = await listeningIn(cluster, namespace);
  const own = all.filter(({ isBefore }) => workloads.some(isBefore));
  // Inbound, a proxy knows its services by the port alone.
  const certain = own.filter(({ isBefore, containerPort }) =>
    workloads.every(
      (pod) => isBefore(pod) || !own.some((other) => other.containerPort === containerPort && other.isBefore(pod)),
    ),
  );
  const leftOut = own.filter((one) => !certain.includes(one)).map(({ service, port }) => `${service}:${port}`);
  if (certain.length === 0) throw nothingCertain(namespace, leftOut);
  return { text: `inbound:${partsOf(certain, namespace).join(",")}`, leftOut };
}

/** The services that stand before every workload with these labels, whatever others it has: also before those that are still to come. */
export async function servicesBefore(cluster: Listed, namespace: string, labels: Labels): Promise<OwnService[]> {
  const services = await cluster.list<V1Service>("v1", "Service", { namespace });
  return services
    .filter((service) => isBehind(service, labels))
    .map(({ metadata }) => ({ name: metadata?.name ?? "", namespace }));
}

function partsOf(ports: readonly Listening[], namespace: string): string[] {
  const parts = ports.map(({ service, port, containerPort }) => `${namespace}/${service}:${port}=${containerPort}`);
  if (Buffer.byteLength(parts.join(",")) <= MAX_TEXT - ROOM) return parts.sort();
  throw new KeywayError(`one table can't be for the ${parts.length} ports of services that are selected`, {
    next: "select fewer workloads with -l, and give each installation its own --name",
  });
}

async function listeningIn(cluster: Listed, namespace: string): Promise<Listening[]> {
  const services = await servicesIn(cluster, namespace, true);
  const objects = await cluster.list<V1Service>("v1", "Service", { namespace });
  return services.flatMap(({ name, ports }) => {
    const object = objects.find(({ metadata }) => metadata?.name === name);
    const isBefore = (workload: Labels) => object !== undefined && isBehind(object, workload);
    return ports.flatMap((port) => {
      const containerPort = podPort(port);
      return containerPort === undefined ? [] : [{ service: name, port: port.port, containerPort, isBefore }];
    });
  });
}

function nothingCertain(namespace: string, leftOut: readonly string[]): KeywayError {
  const where = `namespace ${namespace}`;
  if (leftOut.length === 0) {
    const next = "create it first, or select workloads that a service calls; with --services, the file has to have it";
    return new KeywayError("no service is in front of the selected workloads", { where, next });
  }
  return new KeywayError(`the selected workloads are behind different services on one port: ${leftOut.join(", ")}`, {
    where,
    next: "inbound, a proxy tells services apart by their port alone: select those of one service with -l, or say --mode outbound",
  });
}
