import { isDeepStrictEqual } from "node:util";
import type { V1EndpointSlice, V1Service } from "@kubernetes/client-node";
import type { Service } from "../../../routes/model/service.ts";
import type { Cluster } from "../../../shared/cluster/cluster.ts";
import { Informer } from "../../../shared/cluster/informer.ts";
import { reason } from "../../../shared/errors.ts";
import { serviceOf } from "../../../shared/services/services.ts";
import type { ServiceDirectory } from "../../feed/services.ts";
import { ANY_SERVICE as ANY, type ServiceChange } from "../store.ts";
import { ANY_PORT, Endpoints, type Slice, toSlice } from "./endpoints.ts";
import { SettlingServices } from "./settling.ts";

interface Known {
  service: Service;
  /** Whether its pods alone can serve it, those that other Services' slices tell of too, or nobody in this cluster has to know them. */
  backing: "pods" | "slices" | "unknown";
}

export interface WatchSettings {
  /** Told once for each time that the Services, or their endpoints, can't be read. */
  failed: (what: "Services" | "EndpointSlices", why: string) => void;
  /** Whether readiness is looked at; false where services or endpoints are elsewhere, too. */
  withReadiness?: boolean;
  /** Milliseconds after which a mesh's proxies know endpoints that have become ready. */
  settleMs: number;
}

/** The Services of all namespaces, as the cluster has them now: by them a route without a port finds its port, and targets are ready or not. */
export class WatchedServices implements ServiceDirectory {
  readonly #services: Informer<V1Service, Known>;
  readonly #slices: Informer<V1EndpointSlice, Slice> | undefined;
  readonly #endpoints = new Endpoints();
  readonly #settling: SettlingServices;
  /** Whether all Services, and all endpoints, have been read: before, nobody can say what there is not. */
  #isSynced = { services: false, slices: false };
  /** By `NAMESPACE/NAME`, since the last time that it was told: whether the ports are others. */
  #changed = new Map<string, boolean>();
  /** Called for each Service that has come, changed or gone, or whose endpoints have changed in some way. */
  onService: (name: string, namespace: string) => void = () => {};
  #onChange: (changes: ServiceChange[], version: number) => void = () => {};

  /** `cluster` is asked until its signal is aborted. */
  constructor(cluster: Cluster, { failed, withReadiness = true, settleMs }: WatchSettings) {
    this.#settling = new SettlingServices(settleMs, (service) => {
      if (cluster.options.signal.aborted) return;
      this.#note(service, false);
      this.#tell(0);
      this.#tellOne(service);
    });
    this.#services = new Informer(cluster, {
      apiVersion: "v1",
      kind: "Service",
      keep: toKnown,
      onChange: (before, after) => this.#noteService(before, after),
      onVersion: (version) => {
        this.#sync("services");
        this.#tell(version);
      },
      onTrouble: (thrown) => failed("Services", reason(thrown)),
    });
    if (!withReadiness) return;
    this.#slices = new Informer(cluster, {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      keep: toSlice,
      onChange: (before, after) => {
        for (const flip of this.#endpoints.change(before, after)) {
          if (this.#isSynced.slices && this.#settling.flip(flip)) this.#note(flip.service, false);
        }
        for (const id of new Set([before?.service, after?.service])) this.#tellOne(id);
      },
      onVersion: (version) => {
        // A cluster always has the slice of its own API server, unless nobody makes any there.
        if (this.#endpoints.size > 0) this.#sync("slices");
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

  /** False also for a Service that is not there, or has no such port. */
  isReady(name: string, namespace: string, port?: number | string): boolean | undefined {
    const count = this.endpoints(name, namespace, port);
    if (count === undefined || count === 0) return count === undefined ? undefined : false;
    const own = port === undefined ? ANY_PORT : this.#portNamed(port, this.find(name, namespace));
    return this.#settling.isSettled(`${namespace}/${name}`, own ?? ANY_PORT);
  }

  /** How many endpoints are ready; undefined where nobody knows. */
  endpoints(name: string, namespace: string, port?: number | string): number | undefined {
    const known = this.#services.get(namespace, name);
    const id = `${namespace}/${name}`;
    if (!this.#isSynced.services || !this.#isSynced.slices) return undefined;
    if (known === undefined) return 0;
    if (known.backing === "unknown" || (known.backing === "slices" && !this.#endpoints.has(id))) return undefined;
    if (port === undefined) return this.#endpoints.count(id);
    const own = this.#portNamed(port, known.service);
    return own === undefined ? 0 : this.#endpoints.count(id, own);
  }

  /** As slices name it. */
  #portNamed(port: number | string, service: Service | undefined): string | undefined {
    const own = service?.ports.find((one) => one.port === port || one.name === port);
    return own && (own.name ?? "");
  }

  /** Called at once when something else is known of Services, with the version of what has told it; 0 where nothing has but time. */
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

  /** From here on what there is not is known as well, so every route may lead to what is not ready. */
  #sync(what: "services" | "slices"): void {
    if (this.#isSynced[what]) return;
    this.#isSynced[what] = true;
    this.#note(`${ANY}/${ANY}`, false);
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
