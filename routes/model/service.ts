/** A Kubernetes service as a mesh sees it, in plain data. */
export interface Service {
  readonly name: string;
  readonly namespace: string;
  readonly ports: readonly ServicePort[];
  /** Names of the subsets that destination rules declare for it; absent when nobody looked. */
  readonly subsets?: readonly string[];
}

/** A host that a ServiceEntry adds to the mesh, known by its full name. */
export interface Host {
  readonly host: string;
  readonly ports: readonly ServicePort[];
  /** As of a service. */
  readonly subsets?: readonly string[];
}

export interface ServicePort {
  readonly port: number;
  readonly name?: string;
  /** Where the pods listen, when it is another port. */
  readonly targetPort?: number | UnresolvedPort;
}

/** A target port that is given by a name which stands for no single number. */
export interface UnresolvedPort {
  readonly name: string;
  /** The numbers that the pods give it: none or several; absent when nobody looked at the pods. */
  readonly numbers?: readonly number[];
}

/** `NAME[.NAMESPACE[.svc.DOMAIN]][:PORT number or name]`, taken apart. */
export interface ServiceName {
  readonly name: string;
  readonly namespace?: string;
  readonly domain?: string;
  readonly port?: number | string;
}

/** `HOST[:PORT number or name]`, taken apart. */
export interface HostName {
  readonly host: string;
  readonly port?: number | string;
}

const LABEL = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
const SERVICE = new RegExp(
  `^(?<name>${LABEL})(?:\\.(?<namespace>${LABEL})(?:\\.svc(?:\\.(?<domain>${LABEL}(?:\\.${LABEL})*))?)?)?(?::(?<port>${LABEL}))?$`,
);
const HOST = new RegExp(`^(?<host>(?:\\*\\.)?${LABEL}(?:\\.${LABEL})+)(?::(?<port>${LABEL}))?$`);

/** Undefined for what is not a service's name. */
export function parseServiceName(text: string): ServiceName | undefined {
  const groups = SERVICE.exec(text)?.groups;
  const port = parsePort(groups?.port);
  if (groups?.name === undefined || port === null) return undefined;
  const { name, namespace, domain } = groups;
  return { name, ...(namespace && { namespace }), ...(domain && { domain }), ...(port !== undefined && { port }) };
}

/** Undefined for what is not the full name of a host; its first label may be `*`, as in a ServiceEntry. */
export function parseHostName(text: string): HostName | undefined {
  const groups = HOST.exec(text)?.groups;
  const port = parsePort(groups?.port);
  if (groups?.host === undefined || port === null) return undefined;
  return { host: groups.host, ...(port !== undefined && { port }) };
}

/** Null for a number that is no port's. */
export function parsePort(text: string | undefined): number | string | undefined | null {
  if (text === undefined || !/^\d+$/.test(text)) return text;
  const port = Number(text);
  return port >= 1 && port <= 65535 ? port : null;
}

export function portText({ port, name }: ServicePort): string {
  return name ? `${name} (${port})` : String(port);
}

/** The port on which the pods listen; undefined when its name stands for no single number. */
export function podPort({ port, targetPort }: ServicePort): number | undefined {
  return typeof targetPort === "object" ? undefined : (targetPort ?? port);
}
