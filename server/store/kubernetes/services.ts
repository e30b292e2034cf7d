import type { V1Service } from "@kubernetes/client-node";
import type { Service } from "../../../routes/model/service.ts";
import type { Cluster } from "../../../shared/cluster/cluster.ts";
import { Informer } from "../../../shared/cluster/informer.ts";
import { reason } from "../../../shared/errors.ts";
import { serviceOf } from "../../../shared/services/services.ts";
import type { ServiceDirectory } from "../../feed/services.ts";

/** Changes that come together are told together. */
const GATHER_MS = 200;

/** The Services of all namespaces, as the cluster has them now: by them a route without a port finds its port. */
export class WatchedServices implements ServiceDirectory {
  readonly #services: Informer<V1Service, Service>;
  readonly #signal: AbortSignal;
  #onChange: () => void = () => {};
  /** Called at once for each Service that has come, changed or gone. */
  onService: (name: string, namespace: string) => void = () => {};
  #timer: NodeJS.Timeout | undefined;

  /** `cluster` is asked until its signal is aborted; `failed` is told once for each time that the Services can't be read. */
  constructor(cluster: Cluster, failed: (why: string) => void) {
    this.#signal = cluster.options.signal;
    this.#services = new Informer(cluster, {
      apiVersion: "v1",
      kind: "Service",
      keep: (service) => serviceOf(service),
      onChange: (before, after) => {
        const service = after ?? before;
        if (service) this.onService(service.name, service.namespace);
        this.#changed();
      },
      onTrouble: (thrown) => failed(reason(thrown)),
    });
  }

  find(name: string, namespace: string): Service | undefined {
    return this.#services.get(namespace, name);
  }

  values(): Iterable<Service> {
    return this.#services.values();
  }

  /** Called some time after other services are known. */
  set onChange(listener: () => void) {
    this.#onChange = listener;
  }

  /** Reads them for a first time, and goes on by itself. */
  async start(): Promise<void> {
    await this.#services.start();
  }

  #changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!this.#signal.aborted) this.#onChange();
    }, GATHER_MS).unref();
  }
}
