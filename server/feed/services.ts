// The services that a route names, as far as compiling it needs them. A server outside of Kubernetes knows no services, and a target that is
// not there yet is for proxies to find missing: so what a route says of a service is taken for true.
import type { StoredRoute } from "../../routes/model/live-route.ts";
import type { Reference, Route } from "../../routes/model/model.ts";
import { parseServiceName, type Service, type ServiceName, type ServicePort } from "../../routes/model/service.ts";
import { targetsOf } from "../../routes/model/targets.ts";

/** The services that a server knows of; one outside of Kubernetes knows of none. */
export interface ServiceDirectory {
  find(name: string, namespace: string): Service | undefined;
  /** Whether a pod of the service is ready, for this port of it if one is said; undefined where nobody knows, or nobody looked. */
  isReady?(name: string, namespace: string, port?: number | string): boolean | undefined;
}

export interface Surroundings {
  /** The mesh's DNS domain. */
  domain: string;
  services?: ServiceDirectory;
}

/** The baseline of a route, found. */
export interface Baseline {
  name: string;
  namespace: string;
  port: ServicePort;
}

/** Undefined for what is not a service of this mesh. */
export function meshService(text: string, { domain }: Surroundings): ServiceName | undefined {
  const name = parseServiceName(text);
  return name?.domain === undefined || name.domain === domain ? name : undefined;
}

/** The port that a service's name says; one that is said by its own name needs a service that is known. */
export function portOf(name: ServiceName, namespace: string, { services }: Surroundings): ServicePort | undefined {
  const { port } = name;
  if (typeof port === "number") return { port };
  return port === undefined ? undefined : services?.find(name.name, namespace)?.ports.find((one) => one.name === port);
}

/** The baseline and the targets, each with the ports that the route means. */
export function servicesOf(
  route: StoredRoute,
  namespace: string,
  baseline: Baseline | undefined,
  surroundings: Surroundings,
): Service[] {
  const services = new Map<string, { name: string; namespace: string; ports: ServicePort[] }>();
  const need = (name: string, home: string, ports: readonly ServicePort[]) => {
    const service = services.get(`${name}.${home}`) ?? { name, namespace: home, ports: [] };
    services.set(`${name}.${home}`, service);
    for (const port of ports) if (service.ports.every((known) => known.port !== port.port)) service.ports.push(port);
  };
  if (baseline) need(baseline.name, baseline.namespace, [baseline.port]);
  for (const to of targetsOf(route as Route<Reference, Reference>)) {
    if (typeof to === "object" && "cluster" in to) continue;
    const name = meshService(typeof to === "string" ? to : to.service, surroundings);
    if (!name) continue;
    const home = name.namespace ?? baseline?.namespace ?? namespace;
    const said = name.port === undefined ? baseline?.port : portOf(name, home, surroundings);
    const known = name.port === undefined ? (surroundings.services?.find(name.name, home)?.ports ?? []) : [];
    need(name.name, home, said ? [said] : known);
  }
  return [...services.values()];
}
