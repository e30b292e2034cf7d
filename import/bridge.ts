// Pods of Bridge to Kubernetes that take requests of a Service, as `kubectl get pods -o yaml` prints them.

import { z } from "zod";
import { quoted } from "../routes/model/bytes.ts";
import type { Path } from "../routes/reading/diagnostic.ts";
import type { Item } from "./documents.ts";
import { list, map, maybe, metadata, object, port, text } from "./fields.ts";
import type { Report } from "./report.ts";
import { objectOf } from "./report.ts";

export const ROUTE_FROM = "routing.visualstudio.io/route-from";
const ROUTE_ON = "routing.visualstudio.io/route-on-header";
const ORIGINAL = "routing.visualstudio.io/originalServiceSelector";
const GENERATED = "routing.visualstudio.io/generated";
const USUAL_HEADER = "kubernetes-route-as";

const number = z.union([port, text]);
const pod = object({
  metadata,
  spec: maybe(
    object({
      containers: maybe(list(object({ ports: maybe(list(object({ containerPort: port, name: maybe(text) }))) }))),
    }),
  ),
  status: maybe(object({ podIP: maybe(text) })),
});
const service = object({
  metadata,
  spec: object({
    selector: maybe(map(text)),
    ports: maybe(list(object({ port, name: maybe(text), targetPort: maybe(number), appProtocol: maybe(text) }))),
  }),
});

type Pod = (typeof pod)["_output"];
type Service = (typeof service)["_output"];

export const isBridgePod = ({ value }: Item) => ROUTE_FROM in objectOf(objectOf(objectOf(value).metadata).labels);

/** The Services of the input tell which ports the pods take over. */
export function importPods(
  report: Report,
  pods: readonly Item[],
  services: readonly Item[],
  headers: ReadonlyMap<string, string>,
): void {
  const known = services.flatMap((item) => {
    const value = report.read(service, item);
    return value ? [{ item, value }] : [];
  });
  for (const { item, value } of known) {
    if (value.metadata.annotations?.[ORIGINAL] == null) continue;
    report.tell(
      "note",
      item,
      ["metadata", "annotations"],
      "its selector is still Bridge's; give it back what the annotation says",
    );
  }
  for (const item of pods) {
    const value = report.read(pod, item);
    if (value && value.metadata.labels?.[GENERATED] !== "true")
      importPod(
        report,
        item,
        value,
        known.map((one) => one.value),
        headers,
      );
  }
}

function importPod(
  report: Report,
  item: Item,
  pod: Pod,
  services: readonly Service[],
  headers: ReadonlyMap<string, string>,
): void {
  const { labels, annotations, namespace, name } = pod.metadata;
  const from = (labels?.[ROUTE_FROM] ?? "").toLowerCase();
  const on = annotations?.[ROUTE_ON] ?? undefined;
  const place: Path = ["metadata", "annotations", ROUTE_ON];
  const [, header, value] = /^([^=]+)=([^=]+)$/.exec(on ?? "") ?? [];
  const served = services.find(({ metadata }) => {
    return metadata.name.toLowerCase() === from && (metadata.namespace ?? namespace) === namespace;
  });
  const ports = portsFor(pod, served);
  const ip = pod.status?.podIP;
  if (on === undefined)
    report.tell("note", item, ["metadata"], `it takes no requests: it has no annotation ${ROUTE_ON}`);
  else if (header === undefined || value === undefined) {
    report.mistake(item, place, `expected HEADER=VALUE, not ${quoted(on)}`);
  } else if (ports.length === 0) {
    const why = `nothing says on which port it takes requests; add the Service ${from} to the input`;
    report.tell("dropped", item, ["spec", "containers"], why);
  } else if (ip === undefined) report.tell("dropped", item, ["status"], "it has no address yet");
  else {
    const qualified = (one: string) => (namespace === undefined ? one : `${one}.${namespace}`);
    const target = `${from}-${name}`.slice(0, 63).replace(/[^a-z0-9]+$/, "");
    report.objects.push(...objectsFor({ name: target, pod, ip, ports }));
    const source = header.toLowerCase() === USUAL_HEADER ? "bridge" : headers.get(header.toLowerCase());
    if (source !== undefined) report.source(source);
    const condition = source === undefined ? { when: [{ header, exact: value }] } : { key: value };
    report.add(item, place, { service: qualified(from), ...condition, to: qualified(target) });
  }
}

interface Port {
  name?: string;
  port: number;
  targetPort: number;
  appProtocol?: string;
}

/** The ports of the Service, as the pod has them; without the Service the pod's own. */
function portsFor({ spec }: Pod, service: Service | undefined): Port[] {
  const own = (spec?.containers ?? []).flatMap(({ ports = [] }) => ports);
  if (service === undefined) {
    return own.map(({ containerPort, name }) => ({
      ...(name && { name }),
      port: containerPort,
      targetPort: containerPort,
    }));
  }
  return (service.spec.ports ?? []).flatMap(({ port, name, targetPort = port, appProtocol }) => {
    const number =
      typeof targetPort === "number" ? targetPort : own.find((one) => one.name === targetPort)?.containerPort;
    if (number === undefined) return [];
    return [{ ...(name && { name }), port, targetPort: number, ...(appProtocol && { appProtocol }) }];
  });
}

/** A Service for one pod: none of its labels is the pod's own, so its address is given by hand. It goes with the pod. */
function objectsFor({ name, pod, ip, ports }: { name: string; pod: Pod; ip: string; ports: readonly Port[] }) {
  const { namespace, name: podName, uid } = pod.metadata;
  const owner = uid === undefined ? [] : [{ apiVersion: "v1", kind: "Pod", name: podName, uid }];
  const meta = {
    name,
    ...(namespace && { namespace }),
    ...(owner.length > 0 && { ownerReferences: owner }),
  };
  const named = ports.length > 1 ? ports.map((one) => ({ ...one, name: one.name ?? `port-${one.port}` })) : ports;
  return [
    { apiVersion: "v1", kind: "Service", metadata: meta, spec: { ports: named } },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...meta, labels: { "kubernetes.io/service-name": name } },
      addressType: ip.includes(":") ? "IPv6" : "IPv4",
      endpoints: [{ addresses: [ip] }],
      ports: named.map(({ name, targetPort, appProtocol }) => ({
        ...(name && { name }),
        port: targetPort,
        ...(appProtocol && { appProtocol }),
      })),
    },
  ] as never[];
}
