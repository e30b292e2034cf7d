// Whether what a route names is there.
import type { LiveRoute } from "../../routes/model/live-route.ts";
import type { Reference } from "../../routes/model/model.ts";
import { ANY_BASELINE } from "../../routes/model/names.ts";
import { serviceText } from "../../routes/model/qualify.ts";
import type { RouteStatus } from "../../routes/model/sandbox.ts";
import { parseServiceName, portText, type Service, type ServiceName } from "../../routes/model/service.ts";
import { didYouMean } from "../../routes/reading/diagnostic.ts";
import type { Services } from "./services.ts";
import { baselineText, targetText } from "./texts.ts";

export interface Finding {
  reason: "ServiceNotFound" | "PortNotFound" | "NotReady";
  message: string;
  /** The route says no namespace, so to a proxy without a mesh the name may be that of a cluster. */
  mayBeCluster?: true;
  /** A Service has nearly this name. */
  isNear?: true;
}

/** The services that a route names, as `NAMESPACE/NAME`, or `NAME` for those of each caller's own namespace, whether they are there or not. */
export function servicesOf(route: LiveRoute): string[] {
  const baseline = nameOf(route.service);
  return [...(baseline ? [baseline] : []), ...targetsOf(route, baseline)].map(({ name, namespace }) =>
    namespace === undefined ? name : `${namespace}/${name}`,
  );
}

/** What is wrong with the services of a route. One without a namespace is each caller's own, so nobody can say which it is where there are several. */
export function findingsOf(route: LiveRoute, services: Services, domain: string): Finding[] {
  const baseline = nameOf(route.service, domain);
  const from = baseline && lookUp(baseline, undefined, services);
  const findings = from && "reason" in from ? [from] : [];
  const known = from && !("reason" in from) ? { service: from, port: baseline?.port } : undefined;
  for (const name of targetsOf(route, baseline, domain)) {
    const target = lookUp(name, known, services);
    if (target === undefined) continue;
    if ("reason" in target) findings.push(target);
    else if (services.isReady?.(target.name, target.namespace) === false) findings.push(notReady(target, route));
  }
  return findings;
}

/** Whether a route is in no table, as none of its targets is ready. */
export function isWithoutTarget(route: LiveRoute, services: Services, domain: string): boolean {
  if (route.missing === "fail") return false;
  const targets = targetsOf(route, nameOf(route.service, domain), domain);
  const isDown = ({ name, namespace, port }: ServiceName) =>
    namespace !== undefined && services.isReady?.(name, namespace, port) === false;
  return targets.length > 0 && targets.every(isDown);
}

/** A route as the status has it. */
export function routeStatusOf(route: LiveRoute, from: string, services: Services, domain: string): RouteStatus {
  const targets = targetsOf(route, nameOf(route.service, domain), domain);
  const ready = targets.map(({ name, namespace = "" }) => services.isReady?.(name, namespace));
  const [only] = targets;
  const endpoints = targets.length === 1 && only ? services.endpoints?.(only.name, only.namespace ?? "") : undefined;
  const isReady = ready.includes(false) ? false : ready.length > 0 && !ready.includes(undefined) ? true : undefined;
  return {
    service: baselineText(route),
    to: targetText(route),
    from,
    ...(isReady !== undefined && { ready: isReady }),
    ...(endpoints !== undefined && { endpoints }),
  };
}

/** Those that are services. One that says no namespace is in that of its baseline. */
function targetsOf({ from, to, split }: LiveRoute, baseline: ServiceName | undefined, domain?: string): ServiceName[] {
  if (from !== undefined) return [];
  const all = split ? split.map((share) => share.to) : to === undefined ? [] : [to];
  const { namespace } = baseline ?? {};
  return all
    .flatMap((one) => nameOf(one, domain) ?? [])
    .map((name) => (name.namespace === undefined && namespace !== undefined ? { ...name, namespace } : name));
}

/** Undefined for a cluster, for any baseline, and for a host outside of the mesh. */
function nameOf(reference: Reference | undefined, domain?: string): ServiceName | undefined {
  const text = serviceText(reference);
  const name = text === undefined || text === ANY_BASELINE ? undefined : parseServiceName(text);
  return name?.domain === undefined || domain === undefined || name.domain === domain ? name : undefined;
}

type Baseline = { service: Service; port: ServiceName["port"] };

function lookUp(name: ServiceName, baseline: Baseline | undefined, services: Services): Service | Finding | undefined {
  const { port } = name;
  const service = name.namespace === undefined ? onlyOne(name.name, services) : inNamespace(name, services);
  if (service === undefined || "reason" in service) return service;
  const { namespace } = service;
  const wanted = port ?? (baseline && portOfBaseline(baseline));
  if (wanted === undefined || hasPort(service, wanted)) return service;
  const said = port ?? wanted;
  const all = service.ports.map(portText).join(", ") || "none";
  const why = port === undefined ? `, which the baseline ${baseline?.service.name} has` : "";
  return {
    reason: "PortNotFound",
    message: `service ${name.name}.${namespace} has no port ${said}${why}; it has ${all}; write ${name.name}.${namespace}:PORT`,
  };
}

function inNamespace({ name, namespace = "" }: ServiceName, services: Services): Service | Finding {
  const service = services.find(name, namespace);
  if (service) return service;
  const message = `no service ${name} in namespace ${namespace}${nearestTo(name, namespace, services)}`;
  return { reason: "ServiceNotFound", message };
}

/** The service of that name in whatever namespace; undefined where there are several, or nobody knows all. */
function onlyOne(name: string, services: Services): Service | Finding | undefined {
  if (services.values === undefined) return undefined;
  const all = [...services.values()];
  const [service, ...more] = all.filter((known) => known.name === name);
  if (service) return more.length === 0 ? service : undefined;
  const hint = didYouMean(name, [...new Set(all.map((known) => known.name))]);
  const message = `no service ${name} in any namespace`;
  if (hint === "") return { reason: "ServiceNotFound", message, mayBeCluster: true };
  const asCluster = `Where a cluster of proxies without a mesh is meant, write {cluster: ${name}}`;
  return { reason: "ServiceNotFound", message: `${message}${hint} ${asCluster}`, mayBeCluster: true, isNear: true };
}

/** The port that a target without one has to have: the baseline's, by number or by name. */
function portOfBaseline({ service, port }: Baseline): number | string | undefined {
  if (port !== undefined) return port;
  return service.ports.length === 1 ? service.ports[0]?.port : undefined;
}

function hasPort({ ports }: Service, wanted: number | string): boolean {
  return ports.some(({ port, name }) => port === wanted || name === wanted);
}

/** The same name elsewhere is nearer than another name here. */
function nearestTo(name: string, namespace: string, services: Services): string {
  const all = [...(services.values?.() ?? [])];
  const elsewhere = all.filter((known) => known.name === name).map((known) => `${name}.${known.namespace}`);
  if (elsewhere.length > 0) return `; there is ${elsewhere.slice(0, 3).join(", ")}`;
  return didYouMean(
    name,
    all.filter((known) => known.namespace === namespace).map((known) => known.name),
  );
}

function notReady({ name, namespace }: Service, { missing }: LiveRoute): Finding {
  const meanwhile = missing === "fail" ? "are answered with 424" : "go to the baseline";
  return {
    reason: "NotReady",
    message: `no pod of ${name}.${namespace} is ready, so its requests ${meanwhile} until one is: kubectl get pods -n ${namespace}`,
  };
}
