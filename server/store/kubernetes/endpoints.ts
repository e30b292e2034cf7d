import type { V1EndpointSlice } from "@kubernetes/client-node";

/** What is kept of an EndpointSlice. */
export interface Slice {
  /** The Service's `NAMESPACE/NAME`. */
  service: string;
  /** `NAMESPACE/NAME`. */
  id: string;
  addressType: string;
  /** The names of the ports, as the Service has them; one alone may have none. */
  ports: string[];
  /** Endpoints that take requests. */
  ready: number;
}

export function toSlice({ metadata = {}, addressType, ports, endpoints }: V1EndpointSlice): Slice {
  const service = metadata.labels?.["kubernetes.io/service-name"] ?? "";
  return {
    service: `${metadata.namespace}/${service}`,
    id: `${metadata.namespace}/${metadata.name}`,
    addressType,
    ports: (ports ?? []).map(({ name }) => name ?? ""),
    // One that says nothing of it is ready; with publishNotReadyAddresses all are.
    ready: (endpoints ?? []).filter(({ conditions }) => conditions?.ready ?? true).length,
  };
}

/** How many endpoints of which Services are ready. */
export class Endpoints {
  readonly #slices = new Map<string, Map<string, Slice>>();

  /** Takes a slice over that has come, changed or gone; the Services whose ports may be ready now, or not any more. */
  change(before: Slice | undefined, after: Slice | undefined): string[] {
    const services = [...new Set([before, after].flatMap((slice) => slice?.service ?? []))];
    const readyBefore = services.map((service) => this.#readyPorts(service));
    if (before) this.#remove(before);
    if (after) this.#slicesOf(after.service).set(after.id, after);
    return services.filter((service, at) => this.#readyPorts(service) !== readyBefore[at]);
  }

  /** Whether anything tells of endpoints of the Service. */
  has(service: string): boolean {
    return this.#slices.has(service);
  }

  /** Ready endpoints; those for a port of this name, if one is said. One that has addresses of two types counts once. */
  count(service: string, port?: string): number {
    const counts = new Map<string, number>();
    for (const { addressType, ports, ready } of this.#slices.get(service)?.values() ?? []) {
      if (port !== undefined && !ports.includes(port)) continue;
      counts.set(addressType, (counts.get(addressType) ?? 0) + ready);
    }
    return Math.max(0, ...counts.values());
  }

  #readyPorts(service: string): string {
    const ready = [...(this.#slices.get(service)?.values() ?? [])].filter((slice) => slice.ready > 0);
    return [...new Set(ready.flatMap(({ ports }) => [".", ...ports]))].sort().join(" ");
  }

  #slicesOf(service: string): Map<string, Slice> {
    const slices = this.#slices.get(service) ?? new Map<string, Slice>();
    this.#slices.set(service, slices);
    return slices;
  }

  #remove({ service, id }: Slice): void {
    const slices = this.#slices.get(service);
    slices?.delete(id);
    if (slices?.size === 0) this.#slices.delete(service);
  }
}
