import { setTimeout as sleep } from "node:timers/promises";
import type { V1Service } from "@kubernetes/client-node";
import type { Service } from "../../../routes/model/service.ts";
import { statusOf } from "../../../shared/cluster/api-errors.ts";
import type { Cluster } from "../../../shared/cluster/cluster.ts";
import { reason } from "../../../shared/errors.ts";
import { serviceOf } from "../../../shared/services/services.ts";
import type { ServiceDirectory } from "../../feed/services.ts";

const RETRY_MS = 2000;
/** Changes that come together are told together. */
const GATHER_MS = 200;

/** The Services of all namespaces, as the cluster has them now: by them a route without a port finds its port. */
export class WatchedServices implements ServiceDirectory {
  readonly #cluster: Cluster;
  readonly #signal: AbortSignal;
  readonly #services = new Map<string, Service>();
  readonly #failed: (why: string) => void;
  #onChange: () => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #version = "";

  /** `cluster` is asked until its signal is aborted; `failed` is told once for each time that the Services can't be read. */
  constructor(cluster: Cluster, failed: (why: string) => void) {
    this.#cluster = cluster;
    this.#signal = cluster.options.signal;
    this.#failed = failed;
  }

  find(name: string, namespace: string): Service | undefined {
    return this.#services.get(`${namespace}/${name}`);
  }

  /** Called some time after other services are known. */
  set onChange(listener: () => void) {
    this.#onChange = listener;
  }

  /** Reads them for a first time, and goes on by itself. */
  async start(): Promise<void> {
    const complains = await this.#list().then(
      () => false,
      (thrown) => this.#complain(thrown),
    );
    void this.#follow(complains);
  }

  #complain(thrown: unknown): boolean {
    if (!this.#signal.aborted) this.#failed(reason(thrown));
    return true;
  }

  async #list(): Promise<void> {
    const { items, resourceVersion } = await this.#cluster.listAt<V1Service>("v1", "Service");
    this.#services.clear();
    for (const item of items) this.#put(item);
    this.#version = resourceVersion;
    this.#changed();
  }

  async #follow(complains: boolean): Promise<void> {
    for (let complained = complains; !this.#signal.aborted; ) {
      try {
        if (this.#version === "") await this.#list();
        const from = { resourceVersion: this.#version };
        for await (const { type, object } of this.#cluster.watch<V1Service>("v1", "Service", from)) {
          complained = false;
          this.#version = `${object.metadata?.resourceVersion}`;
          if (type === "BOOKMARK") continue;
          if (type === "DELETED") this.#services.delete(`${object.metadata?.namespace}/${object.metadata?.name}`);
          else this.#put(object);
          this.#changed();
        }
      } catch (thrown) {
        if (statusOf(thrown) === 410) this.#version = "";
        else if (!complained) complained = this.#complain(thrown);
      }
      await sleep(RETRY_MS, undefined, { signal: this.#signal }).catch(() => {});
    }
  }

  #put(object: V1Service): void {
    this.#services.set(`${object.metadata?.namespace}/${object.metadata?.name}`, serviceOf(object));
  }

  #changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!this.#signal.aborted) this.#onChange();
    }, GATHER_MS).unref();
  }
}
