/** A Kubernetes service as a mesh sees it, in plain data. */
export interface Service {
  readonly name: string;
  readonly namespace: string;
  readonly ports: readonly ServicePort[];
  /** Names of the subsets that destination rules declare for it; absent when nobody looked. */
  readonly subsets?: readonly string[];
}

export interface ServicePort {
  readonly port: number;
  readonly name?: string;
  /** Where the pods listen, when it is another port. */
  readonly targetPort?: number;
}

/** `NAME[.NAMESPACE[.svc.DOMAIN]][:PORT number or name]`, taken apart. */
export interface ServiceName {
  readonly name: string;
  readonly namespace?: string;
  readonly domain?: string;
  readonly port?: number | string;
}

const LABEL = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
const SERVICE = new RegExp(
  `^(?<name>${LABEL})(?:\\.(?<namespace>${LABEL})(?:\\.svc(?:\\.(?<domain>${LABEL}(?:\\.${LABEL})*))?)?)?(?::(?<port>${LABEL}))?$`,
);

/** Undefined for what is not a service's name. */
export function parseServiceName(text: string): ServiceName | undefined {
  const groups = SERVICE.exec(text)?.groups;
  if (groups?.name === undefined) return undefined;
  const { name, namespace, domain } = groups;
  const port = groups.port !== undefined && /^\d+$/.test(groups.port) ? Number(groups.port) : groups.port;
  if (typeof port === "number" && (port < 1 || port > 65535)) return undefined;
  return { name, ...(namespace && { namespace }), ...(domain && { domain }), ...(port !== undefined && { port }) };
}

export function portText({ port, name }: ServicePort): string {
  return name ? `${name} (${port})` : String(port);
}
