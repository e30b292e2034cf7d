// The names that Istio gives to the clusters of a proxy: `outbound|PORT|SUBSET|HOST` and `inbound|PORT||`.

export interface OutboundCluster {
  port: number;
  /** Empty for all of the service's pods. */
  subset: string;
  host: string;
}

export function outboundCluster({ port, subset, host }: OutboundCluster): string {
  return `outbound|${port}|${subset}|${host}`;
}

export function inboundCluster(port: number): string {
  return `inbound|${port}||`;
}

export function isInboundCluster(cluster = ""): boolean {
  return cluster.startsWith("inbound|");
}

export function serviceHost({ name, namespace }: { name: string; namespace: string }, domain: string): string {
  return `${name}.${namespace}.svc.${domain}`;
}

/** Undefined for what is no outbound cluster of Istio's. */
export function parseOutboundCluster(cluster: string): OutboundCluster | undefined {
  const [, port, subset, host] = /^outbound\|(\d+)\|([^|]*)\|(.+)$/.exec(cluster) ?? [];
  return port === undefined || subset === undefined || host === undefined
    ? undefined
    : { port: Number(port), subset, host };
}

/** Service and namespace of a host inside the mesh; undefined for a host outside of it. */
export function parseServiceHost(host: string): { name: string; namespace: string } | undefined {
  const [, name, namespace] = /^([^.|]+)\.([^.|]+)\.svc\./.exec(host) ?? [];
  return name === undefined || namespace === undefined ? undefined : { name, namespace };
}
