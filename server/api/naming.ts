// The names that routes have where one request arrives.
import { parseOutboundCluster, parseServiceHost } from "../../routes/model/istio-cluster.ts";
import type { StoredRoute } from "../../routes/model/live-route.ts";
import type { Reference, Route } from "../../routes/model/model.ts";
import { ANY_BASELINE } from "../../routes/model/names.ts";
import { parseHostName, parseServiceName, type ServiceName } from "../../routes/model/service.ts";
import { isFromAny, type Naming, namingFor } from "../feed/naming.ts";
import type { Surroundings } from "../feed/services.ts";

const INBOUND = /^inbound\|(\d+)\|/;

/** The names of a proxy whose request would go to `cluster`, as Istio or as a plain Envoy calls it. */
export function namesFor(cluster: string, surroundings: Surroundings): Naming {
  const outbound = parseOutboundCluster(cluster);
  if (outbound !== undefined) {
    const namespace = parseServiceHost(outbound.host)?.namespace ?? "default";
    return namingFor({ kind: "outbound", namespace }, surroundings);
  }
  const [, port] = INBOUND.exec(cluster) ?? [];
  if (port === undefined) return namingFor({ kind: "plain" }, surroundings);
  return namingFor(
    { kind: "inbound", ports: [{ namespace: "", service: "", port: 0, containerPort: Number(port) }] },
    surroundings,
  );
}

/** The names of services themselves, for a request to the service `asked`; an Error's message says why it is none. */
export function namesOfServices(asked: string): Naming | Error {
  const service = parseService(asked);
  if (service === undefined) return new Error("not a service's name; expected NAME[.NAMESPACE[.svc.DOMAIN]][:PORT]");
  return (route) => {
    const from = isFrom(route, service) ? asked : isFromAny(route) ? ANY_BASELINE : undefined;
    if (from === undefined) return [];
    const { service: _, split, to, ...rest } = route;
    const targets = split
      ? { split: split.map((share) => ({ ...share, to: textOf(share.to) })) }
      : { to: textOf(to ?? "") };
    return [{ ...rest, from, ...targets } as Route];
  };
}

function parseService(text: string): ServiceName | undefined {
  const host = parseHostName(text);
  return parseServiceName(text) ?? (host && { name: host.host, ...(host.port !== undefined && { port: host.port }) });
}

/** What one of the two does not say does not tell them apart. A route from a subset is none from the whole service. */
function isFrom({ service }: StoredRoute, asked: ServiceName): boolean {
  if (service === undefined || (typeof service === "object" && "cluster" in service)) return false;
  const own = parseService(typeof service === "string" ? service : service.service);
  if (own?.name !== asked.name || (typeof service === "object" && service.subset !== undefined)) return false;
  const differs = <Value>(a: Value | undefined, b: Value | undefined) => a !== undefined && b !== undefined && a !== b;
  return !differs(own.namespace, asked.namespace) && !differs(own.port, asked.port);
}

function textOf(target: Reference): string {
  if (typeof target === "string") return target;
  if ("cluster" in target) return target.cluster;
  return target.service + (target.subset === undefined ? "" : `, subset ${target.subset}`);
}
