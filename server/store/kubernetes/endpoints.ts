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

/** A Service whose ready ports are others than before. Each is the name that the Service gives it; ANY_PORT stands for any of them. */
export interface Flip {
  service: string;
  before: ReadonlySet<string>;
  after: ReadonlySet<string>;
}

export const ANY_PORT = ".";

/** How many endpoints of which Services are ready. */
export class Endpoints {
  readonly #slices = new Map<string, Map<string, Slice>>();

  /** The Services that have any. */
  get size(): number {
    return this.#slices.size;
  }

  /** Takes a slice over that has come, changed or gone. */
  change(before: Slice | undefined, after: Slice | undefined): Flip[] {
    const services = [...new Set([before, after].flatMap((slice) => slice?.service ?? []))];
    const flips = services.map((service) => ({ service, before: this.#readyPorts(service) }));
    if (before) this.#remove(before);
    if (after) this.#slicesOf(after.service).set(after.id, after);
    return flips
      .map((flip) => ({ ...flip, after: this.#readyPorts(flip.service) }))
      .filter(({ before: was, after: is }) => was.size !== is.size || [...is].some((port) => !was.has(port)));
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

  #readyPorts(service: string): Set<string> {
    const ready = [...(this.#slices.get(service)?.values() ?? [])].filter((slice) => slice.ready > 0);
    return new Set(ready.flatMap(({ ports }) => [ANY_PORT, ...ports]));
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
