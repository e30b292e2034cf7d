import { isDeepStrictEqual } from "node:util";
import type { V1EndpointSlice, V1Service } from "@kubernetes/client-node";
import type { Service } from "../../../routes/model/service.ts";
import type { Cluster } from "../../../shared/cluster/cluster.ts";
import { Informer } from "../../../shared/cluster/informer.ts";
import { reason } from "../../../shared/errors.ts";
import { serviceOf } from "../../../shared/services/services.ts";
import type { ServiceDirectory } from "../../feed/services.ts";
import type { ServiceChange } from "../store.ts";
import { Endpoints, type Slice, toSlice } from "./endpoints.ts";

interface Known {
  service: Service;
  /** Whether its pods alone can serve it, those that other Services' slices tell of too, or nobody in this cluster has to know them. */
  backing: "pods" | "slices" | "unknown";
}

export interface WatchSettings {
  /** Told once for each time that the Services, or their endpoints, can't be read. */
  failed: (what: "Services" | "EndpointSlices", why: string) => void;
  /** Whether readiness is looked at; false where endpoints are in other clusters, too. */
  withReadiness?: boolean;
}

/** The Services of all namespaces, as the cluster has them now: by them a route without a port finds its port, and targets are ready or not. */
export class WatchedServices implements ServiceDirectory {
  readonly #services: Informer<V1Service, Known>;
  readonly #slices: Informer<V1EndpointSlice, Slice> | undefined;
  readonly #endpoints = new Endpoints();
  /** Whether all endpoints have been read: before, nobody can say that a Service has none. */
  #isSynced = false;
  /** By `NAMESPACE/NAME`, since the last time that it was told: whether the ports are others. */
  #changed = new Map<string, boolean>();
  /** Called for each Service that has come, changed or gone, or whose endpoints have changed in some way. */
  onService: (name: string, namespace: string) => void = () => {};
  #onChange: (changes: ServiceChange[], version: number) => void = () => {};

  /** `cluster` is asked until its signal is aborted. */
  constructor(cluster: Cluster, { failed, withReadiness = true }: WatchSettings) {
    this.#services = new Informer(cluster, {
      apiVersion: "v1",
      kind: "Service",
      keep: toKnown,
      onChange: (before, after) => this.#noteService(before, after),
      onVersion: (version) => this.#tell(version),
      onTrouble: (thrown) => failed("Services", reason(thrown)),
    });
    if (!withReadiness) return;
    this.#slices = new Informer(cluster, {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      keep: toSlice,
      onChange: (before, after) => {
        for (const service of this.#endpoints.change(before, after)) this.#note(service, false);
        for (const id of new Set([before?.service, after?.service])) this.#tellOne(id);
      },
      onVersion: (version) => {
        this.#sync();
        this.#tell(version);
      },
      onTrouble: (thrown) => failed("EndpointSlices", reason(thrown)),
    });
  }

  find(name: string, namespace: string): Service | undefined {
    return this.#services.get(namespace, name)?.service;
  }

  *values(): Generator<Service, void> {
    for (const { service } of this.#services.values()) yield service;
  }

  isReady(name: string, namespace: string, port?: number | string): boolean | undefined {
    const count = this.endpoints(name, namespace, port);
    return count === undefined ? undefined : count > 0;
  }

  /** How many endpoints are ready; undefined where nobody knows. */
  endpoints(name: string, namespace: string, port?: number | string): number | undefined {
    const known = this.#services.get(namespace, name);
    const id = `${namespace}/${name}`;
    if (!this.#isSynced || known === undefined || known.backing === "unknown") return undefined;
    if (known.backing === "slices" && !this.#endpoints.has(id)) return undefined;
    if (port === undefined) return this.#endpoints.count(id);
    const own = known.service.ports.find((one) => one.port === port || one.name === port);
    return own && this.#endpoints.count(id, own.name ?? "");
  }

  /** Called at once when something else is known of Services, with the version of what has told it. */
  set onChange(listener: (changes: ServiceChange[], version: number) => void) {
    this.#onChange = listener;
  }

  /** Reads them for a first time, and goes on by itself. */
  async start(): Promise<void> {
    await Promise.all([this.#services.start(), this.#slices?.start()]);
  }

  #noteService(before: Known | undefined, after: Known | undefined): void {
    const { namespace, name } = (after ?? before)?.service ?? { namespace: "", name: "" };
    if (!isDeepStrictEqual(before?.service.ports, after?.service.ports)) this.#note(`${namespace}/${name}`, true);
    else if (before?.backing !== after?.backing) this.#note(`${namespace}/${name}`, false);
    this.onService(name, namespace);
  }

  #tellOne(id: string | undefined): void {
    const [namespace, name] = id?.split("/") ?? [];
    if (namespace !== undefined && name !== undefined) this.onService(name, namespace);
  }

  #note(service: string, isOfPorts: boolean): void {
    this.#changed.set(service, isOfPorts || this.#changed.get(service) === true);
  }

  /** With the first endpoints that are known all Services may be ready or not. */
  #sync(): void {
    if (this.#isSynced) return;
    this.#isSynced = true;
    for (const { service } of this.#services.values()) this.#note(`${service.namespace}/${service.name}`, false);
  }

  #tell(version: number): void {
    if (this.#changed.size === 0) return;
    const changes = [...this.#changed].map(([service, isOfPorts]) => {
      const [namespace = "", name = ""] = service.split("/");
      return { namespace, name, isOfPorts };
    });
    this.#changed = new Map();
    this.#onChange(changes, version);
  }
}

function toKnown(object: V1Service): Known {
  const { type, selector, clusterIP } = object.spec ?? {};
  const hasSelector = Object.keys(selector ?? {}).length > 0;
  // What is behind an external name, or behind a headless service that selects nothing, may be anywhere.
  const isUnknown = type === "ExternalName" || (!hasSelector && clusterIP === "None");
  return { service: serviceOf(object), backing: isUnknown ? "unknown" : hasSelector ? "pods" : "slices" };
}
