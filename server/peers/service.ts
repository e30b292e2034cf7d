import type { V1EndpointSlice } from "@kubernetes/client-node";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { Informer } from "../../shared/cluster/informer.ts";
import { reason } from "../../shared/errors.ts";
import type { Directory, Missing, Peer } from "./peers.ts";

/** The name of the port, where the Service has several. */
const PORT_NAME = "http";
/** Milliseconds that the first read of the EndpointSlices is waited for. */
const READ_MS = 2000;

/** The servers behind a Service, those too that are not ready or are about to end, as proxies may still hold connections to them. */
export class ServiceDirectory implements Directory {
  readonly #name: string;
  readonly #slices: Informer<V1EndpointSlice>;
  readonly #ending = new AbortController();
  #isRead = false;

  constructor(cluster: Cluster, namespace: string, service: string) {
    this.#name = `${namespace}/${service}`;
    cluster.options.signal.addEventListener("abort", () => this.#ending.abort(), { once: true });
    this.#slices = new Informer(cluster.withSignal(this.#ending.signal), {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      namespace,
      labelSelector: `kubernetes.io/service-name=${service}`,
    });
    void this.#slices.start();
    void this.#slices.synced.then(() => {
      this.#isRead = true;
    });
  }

  async find(): Promise<Peer[] | Missing> {
    const late = new Promise<void>((resolve) => void setTimeout(resolve, READ_MS).unref());
    await Promise.race([this.#slices.start(), late]);
    const peers = peersIn([...this.#slices.values()]);
    const why = this.#trouble(peers);
    if (why === undefined) return peers;
    return { server: this.#name, message: `${why}, so the proxies of other servers are not counted` };
  }

  #trouble(peers: readonly Peer[]): string | undefined {
    const { trouble } = this.#slices;
    if (trouble !== undefined) return `the EndpointSlices of ${this.#name} can't be read: ${reason(trouble)}`;
    if (!this.#isRead) return `the EndpointSlices of ${this.#name} have not been read yet`;
    return peers.length > 0 ? undefined : `the Service ${this.#name} that --peers names has no endpoints`;
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#slices.ended();
  }
}

/** Where a Service has addresses of both families, each server has one of each: one family is enough. */
export function peersIn(slices: readonly V1EndpointSlice[]): Peer[] {
  const family = slices.some(({ addressType }) => addressType === "IPv4") ? "IPv4" : "IPv6";
  const peers = new Map<string, Peer>();
  for (const { addressType, endpoints, ports } of slices) {
    const port = (ports?.find(({ name }) => name === PORT_NAME) ?? ports?.[0])?.port;
    if (addressType !== family || port === undefined) continue;
    for (const { addresses, conditions } of endpoints ?? []) {
      const [address = ""] = addresses;
      const url = `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
      // A pod may stand in two slices for a moment.
      const isReady = conditions?.ready !== false || peers.get(url)?.isReady === true;
      peers.set(url, { url, isReady });
    }
  }
  return [...peers.values()];
}
