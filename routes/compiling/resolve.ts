import { parseServiceName, portText, type Service, type ServicePort } from "../model/service.ts";
import { didYouMean, type Path } from "../reading/diagnostic.ts";

/** Where the filter stands: in the called workload's proxy, in the caller's, in a gateway, or in an Envoy without a mesh,
 * whose clusters are called as the services are. */
export const MODES = ["inbound", "outbound", "gateway", "plain"] as const;
export type Mode = (typeof MODES)[number];

export interface Surroundings {
  mode: Mode;
  /** The namespace of services that are named without one. */
  namespace: string;
  /** The mesh's DNS domain. */
  domain: string;
  services: readonly Service[];
}

/** A service that a route file names, found. */
export interface Use {
  path: Path;
  role: "baseline" | "target";
  service: Service;
  port: ServicePort;
  subset?: string;
}

/** Finds what `text` names; namespace and port are the baseline's unless said. An Error's message says what is missing. */
export function resolveService(
  text: string,
  { namespace: usual, domain, services }: Surroundings,
  baseline: Use | undefined,
): { service: Service; port: ServicePort } | Error {
  const name = parseServiceName(text);
  if (!name) return new Error(`not a service's name: "${text}"`);
  if (name.domain !== undefined && name.domain !== domain) {
    return new Error(
      `the mesh's domain is ${domain}, not ${name.domain}; a host outside of it is named as {cluster: NAME}`,
    );
  }
  const namespace = name.namespace ?? baseline?.service.namespace ?? usual;
  const service = byName(services).get(`${name.name}.${namespace}`);
  if (!service)
    return new Error(`no service ${name.name} in namespace ${namespace}${nearestTo(name.name, namespace, services)}`);
  const port = name.port === undefined ? usualPort(service, baseline) : findPort(service, name.port);
  if (port) return { service, port };
  const ports = service.ports.map(portText).join(", ") || "none";
  const asked = name.port ?? (baseline && portText(baseline.port));
  if (asked === undefined) return new Error(`which port of ${name.name}? It has ${ports}; write ${name.name}:PORT`);
  return new Error(`${name.name}.${namespace} has no port ${asked}; it has ${ports}`);
}

const indexes = new WeakMap<readonly Service[], Map<string, Service>>();

/** The services as `NAME.NAMESPACE`; a list is indexed once. */
function byName(services: readonly Service[]): Map<string, Service> {
  const index = indexes.get(services) ?? new Map(services.map((one) => [`${one.name}.${one.namespace}`, one]));
  indexes.set(services, index);
  return index;
}

export function findPort({ ports }: Service, wanted: number | string): ServicePort | undefined {
  return ports.find(({ port, name }) => (typeof wanted === "number" ? port === wanted : name === wanted));
}

/** The baseline's port, by number or else by name; without a baseline the only one there is. */
function usualPort(service: Service, baseline: Use | undefined): ServicePort | undefined {
  if (!baseline) return service.ports.length === 1 ? service.ports[0] : undefined;
  const { port, name } = baseline.port;
  return findPort(service, port) ?? (name === undefined ? undefined : findPort(service, name));
}

/** The same name elsewhere is nearer than another name here. */
function nearestTo(name: string, namespace: string, services: readonly Service[]): string {
  const elsewhere = services.filter((known) => known.name === name).map((known) => `${name}.${known.namespace}`);
  if (elsewhere.length > 0) return `; there is ${elsewhere.slice(0, 3).join(", ")}`;
  const here = services.filter((known) => known.namespace === namespace).map((known) => known.name);
  return didYouMean(name, here);
}
