// The names that routes have where one request arrives.
import {
  outboundCluster,
  parseOutboundCluster,
  parseServiceHost,
  serviceHost,
} from "../../routes/model/istio-cluster.ts";
import type { StoredRoute } from "../../routes/model/live-route.ts";
import type { Reference, Route } from "../../routes/model/model.ts";
import { ANY_BASELINE } from "../../routes/model/names.ts";
import { parseHostName, parseServiceName, type ServiceName } from "../../routes/model/service.ts";

/** Where a request would go without Keyway. */
export interface Baseline {
  /** As it was asked for, and as explanations name it. */
  from: string;
  /** The service that it is, where that can be told. */
  service?: ServiceName & { subset?: string };
  /** Whether targets are named as Istio names clusters. */
  isIstio: boolean;
}

/** Undefined for what is no service's name. */
export function baselineOf({
  from,
  service,
}: {
  from?: string | undefined;
  service?: string | undefined;
}): Baseline | undefined {
  if (service !== undefined) {
    const name = parseService(service);
    return name && { from: service, service: name, isIstio: false };
  }
  const cluster = from ?? "";
  const istio = parseOutboundCluster(cluster);
  if (istio === undefined) return { from: cluster, service: { name: cluster }, isIstio: false };
  const { host, port, subset } = istio;
  const name = parseServiceHost(host) ?? { name: host };
  return { from: cluster, service: { ...name, port, ...(subset !== "" && { subset }) }, isIstio: true };
}

function parseService(text: string): ServiceName | undefined {
  const host = parseHostName(text);
  return parseServiceName(text) ?? (host && { name: host.host, ...(host.port !== undefined && { port: host.port }) });
}

/** The route with the clusters' names, or with the services' where none are known; undefined where it can't be the baseline's. */
export function nameRoute(route: StoredRoute, baseline: Baseline, domain: string): Route | undefined {
  const from = fromOf(route, baseline);
  if (from === undefined) return undefined;
  const { service: _, split, to, ...rest } = route;
  const name = (target: Reference) => nameTarget(target, baseline, domain);
  const targets = split ? { split: split.map((share) => ({ ...share, to: name(share.to) })) } : { to: name(to ?? "") };
  return { ...rest, from, ...targets } as Route;
}

function fromOf({ service, from }: StoredRoute, baseline: Baseline): string | undefined {
  if (from !== undefined) return from;
  if (service === undefined || service === ANY_BASELINE) return ANY_BASELINE;
  if (typeof service === "object" && "cluster" in service) return service.cluster;
  const text = typeof service === "string" ? service : service.service;
  const subset = typeof service === "string" ? undefined : service.subset;
  const wanted = parseService(text);
  const asked = baseline.service;
  if (wanted === undefined || asked === undefined || wanted.name !== asked.name) return undefined;
  const differs = <Value>(a: Value | undefined, b: Value | undefined) => a !== undefined && b !== undefined && a !== b;
  if (differs(wanted.namespace, asked.namespace)) return undefined;
  // Istio's names have numbers for ports; a port's name says nothing that could be compared.
  if (differs(wanted.port, asked.port) && typeof wanted.port === typeof asked.port) return undefined;
  return subset === undefined || subset === asked.subset ? baseline.from : undefined;
}

function nameTarget(target: Reference, { service, isIstio }: Baseline, domain: string): string {
  if (typeof target === "object" && "cluster" in target) return target.cluster;
  const text = typeof target === "string" ? target : target.service;
  const subset = typeof target === "string" ? undefined : target.subset;
  if (!isIstio) return text.replace(/:.*/, "") + (subset === undefined ? "" : `, subset ${subset}`);
  const name = parseServiceName(text);
  const port = typeof name?.port === "number" ? name.port : service?.port;
  if (name === undefined || typeof port !== "number") return text;
  const namespace = name.namespace ?? service?.namespace ?? "default";
  return outboundCluster({
    port,
    subset: subset ?? "",
    host: serviceHost({ name: name.name, namespace }, name.domain ?? domain),
  });
}
