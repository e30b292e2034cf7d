import { serviceHost } from "../model/istio-cluster.ts";
import {
  type Host,
  parseHostName,
  parseServiceName,
  portText,
  type Service,
  type ServiceName,
  type ServicePort,
} from "../model/service.ts";
import { didYouMean, type Path } from "../reading/diagnostic.ts";

/** Where the filter stands: in the called workload's proxy, in the caller's, on both ways of one proxy, in a gateway, or in an Envoy
 * without a mesh, whose clusters are called as the services are. */
export const MODES = ["inbound", "outbound", "both", "gateway", "plain"] as const;
export type Mode = (typeof MODES)[number];

/** What the names of a route file are looked up in. */
export interface Surroundings {
  mode: Mode;
  /** The namespace of services that are named without one. */
  namespace: string;
  /** The mesh's DNS domain. */
  domain: string;
  services: readonly Service[];
  /** The hosts of ServiceEntries; absent when nobody looked, and then any host that is named with its port will do. */
  hosts?: readonly Host[];
  /** The services that every workload with the filter answers for; only mode `both` asks, and unless said there are none. */
  own?: readonly OwnService[];
}

export type OwnService = Pick<Service, "name" | "namespace">;

/** What a name was found to stand for: a service, or a host of a ServiceEntry. */
export interface Found {
  /** The name in the mesh's DNS: `reviews.demo.svc.cluster.local`, `api.example.com`. */
  host: string;
  /** Absent for a host of a ServiceEntry. */
  service?: Service;
  port: ServicePort;
  /** Names of the subsets there are; absent when nobody looked. */
  subsets?: readonly string[];
}

/** A service or host that a route file names, found. */
export interface Use extends Found {
  path: Path;
  role: "baseline" | "target";
  subset?: string;
}

/** Finds what `text` names; namespace and port are the baseline's unless said. An Error's message says what is missing. */
export function resolve(text: string, surroundings: Surroundings, baseline: Use | undefined): Found | Error {
  const { domain, hosts } = surroundings;
  const host = parseHostName(text);
  const known = hosts?.find((one) => one.host === host?.host);
  if (host && known) return atPort(known.host, known, host.port, baseline, { host: known.host });
  const name = parseServiceName(text);
  if (name && (name.domain === undefined || name.domain === domain))
    return resolveService(name, surroundings, baseline);
  if (!host) return new Error(`not a service's name: "${text}"`);
  if (hosts) return new Error(noHost(host.host, name?.domain, surroundings));
  if (typeof host.port === "number") return { host: host.host, port: { port: host.port } };
  return new Error(`which port of ${host.host}? A host outside of ${domain} is named with a number: ${host.host}:443`);
}

function noHost(host: string, wrongDomain: string | undefined, { domain, hosts = [] }: Surroundings): string {
  const hint = didYouMean(
    host,
    hosts.map((known) => known.host),
  );
  const why = wrongDomain === undefined ? "" : `; the mesh's domain is ${domain}, not ${wrongDomain}`;
  return `no ServiceEntry has the host ${host}${why}${hint}`;
}

function resolveService(name: ServiceName, surroundings: Surroundings, baseline: Use | undefined): Found | Error {
  const { services, domain } = surroundings;
  const namespace = name.namespace ?? baseline?.service?.namespace ?? surroundings.namespace;
  const service = byName(services).get(`${name.name}.${namespace}`);
  if (!service)
    return new Error(`no service ${name.name} in namespace ${namespace}${nearestTo(name.name, namespace, services)}`);
  const host = serviceHost(service, domain);
  return atPort(`${name.name}.${namespace}`, service, name.port, baseline, { host, service }, name.name);
}

/** Adds the port to what was found; `shown` is its name in messages, `asked` the one that people would write. */
function atPort(
  shown: string,
  { ports, subsets }: Pick<Service, "ports" | "subsets">,
  wanted: number | string | undefined,
  baseline: Use | undefined,
  found: Pick<Found, "host" | "service">,
  asked = shown,
): Found | Error {
  const port = wanted === undefined ? usualPort(ports, baseline) : findPort(ports, wanted);
  if (port) return { ...found, port, ...(subsets && { subsets }) };
  const all = ports.map(portText).join(", ") || "none";
  const missing = wanted ?? (baseline && portText(baseline.port));
  if (missing === undefined) return new Error(`which port of ${asked}? It has ${all}; write ${asked}:PORT`);
  return new Error(`${shown} has no port ${missing}; it has ${all}`);
}

const indexes = new WeakMap<readonly Service[], Map<string, Service>>();

/** The services as `NAME.NAMESPACE`; a list is indexed once. */
function byName(services: readonly Service[]): Map<string, Service> {
  const index = indexes.get(services) ?? new Map(services.map((one) => [`${one.name}.${one.namespace}`, one]));
  indexes.set(services, index);
  return index;
}

function findPort(ports: readonly ServicePort[], wanted: number | string): ServicePort | undefined {
  return ports.find(({ port, name }) => (typeof wanted === "number" ? port === wanted : name === wanted));
}

/** The baseline's port, by number or else by name; without a baseline the only one there is. */
function usualPort(ports: readonly ServicePort[], baseline: Use | undefined): ServicePort | undefined {
  if (!baseline) return ports.length === 1 ? ports[0] : undefined;
  const { port, name } = baseline.port;
  return findPort(ports, port) ?? (name === undefined ? undefined : findPort(ports, name));
}

/** The same name elsewhere is nearer than another name here. */
function nearestTo(name: string, namespace: string, services: readonly Service[]): string {
  const elsewhere = services.filter((known) => known.name === name).map((known) => `${name}.${known.namespace}`);
  if (elsewhere.length > 0) return `; there is ${elsewhere.slice(0, 3).join(", ")}`;
  const here = services.filter((known) => known.namespace === namespace).map((known) => known.name);
  return didYouMean(name, here);
}
