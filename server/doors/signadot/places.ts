// What a cluster says of its Services and the workloads behind them, as far as rules need it.
import type { V1PodTemplateSpec, V1Service } from "@kubernetes/client-node";
import { SANDBOX_LABEL } from "../../../routes/model/sandbox.ts";
import { matches } from "../../../shared/cluster/labels.ts";
import type { KubeObject } from "../../../shared/cluster/object.ts";

export interface PlacedPort {
  readonly port: number;
  readonly name?: string;
  /** Where the containers listen: a number or the name of one of their ports; `port` unless said. */
  readonly targetPort?: number | string;
}

export interface PlacedService {
  readonly name: string;
  readonly namespace: string;
  readonly ports: readonly PlacedPort[];
  readonly selector: Readonly<Record<string, string>>;
  /** The Sandbox whose copy of a Service it is. */
  readonly sandbox?: string;
}

export interface PlacedWorkload {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Of the pods that it makes. */
  readonly labels: Readonly<Record<string, string>>;
  /** The containers' ports that have names. */
  readonly ports: Readonly<Record<string, number>>;
  /** The Deployment of the same namespace whose pods it makes in place of its own, as a Rollout can. */
  readonly deployment?: string;
}

export interface Places {
  /** The Services of a name, in one namespace or in all. */
  services(name: string, namespace?: string): Iterable<PlacedService>;
  /** The workloads whose pods the Service selects. */
  workloads(service: PlacedService): Iterable<PlacedWorkload>;
}

/** What Signadot's API calls a kind of workload, by what Kubernetes calls it. */
export const KINDS: Readonly<Record<string, string>> = {
  Deployment: "Deployment",
  StatefulSet: "StatefulSet",
  Rollout: "ArgoRollout",
};

/** The port on which a workload listens for a Service's port; undefined where it has no port of that name. */
export function containerPort({ port, targetPort = port }: PlacedPort, { ports }: PlacedWorkload): number | undefined {
  return typeof targetPort === "number" ? targetPort : ports[targetPort];
}

/** The Services and workloads of a cluster. Each change returns the names of the Services that it touches. */
export class ClusterPlaces implements Places {
  /** By name, then by namespace. */
  readonly #services = new Map<string, Map<string, PlacedService>>();
  readonly #namespaces = new Map<string, Namespace>();

  *services(name: string, namespace?: string): Generator<PlacedService, void> {
    const found = this.#services.get(name);
    if (found === undefined) return;
    if (namespace === undefined) yield* [...found.values()].sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
    else {
      const service = found.get(namespace);
      if (service) yield service;
    }
  }

  workloads(service: PlacedService): readonly PlacedWorkload[] {
    return this.#namespaces.get(service.namespace)?.selectedBy(service) ?? [];
  }

  /** `after` is undefined for a Service that is gone. */
  putService(before: PlacedService | undefined, after: PlacedService | undefined): string[] {
    const one = after ?? before;
    if (one === undefined || isSame(before, after)) return [];
    const named = this.#services.get(one.name) ?? new Map<string, PlacedService>();
    this.#services.set(one.name, named);
    if (after) named.set(after.namespace, after);
    else named.delete(one.namespace);
    if (named.size === 0) this.#services.delete(one.name);
    this.#namespace(one.namespace).putService(one.name, after);
    return [one.name];
  }

  /** `after` is undefined for a workload that is gone. */
  putWorkload(before: PlacedWorkload | undefined, after: PlacedWorkload | undefined): string[] {
    const one = after ?? before;
    return one === undefined || isSame(before, after) ? [] : this.#namespace(one.namespace).putWorkload(before, after);
  }

  #namespace(name: string): Namespace {
    const namespace = this.#namespaces.get(name) ?? new Namespace();
    this.#namespaces.set(name, namespace);
    return namespace;
  }
}

/** Which workloads the Services of one namespace select. */
class Namespace {
  readonly #services = new Map<string, PlacedService>();
  readonly #workloads = new Map<string, PlacedWorkload>();
  readonly #selected = new Map<string, readonly PlacedWorkload[]>();

  selectedBy({ name, selector }: PlacedService): readonly PlacedWorkload[] {
    const known = this.#selected.get(name);
    if (known) return known;
    const isSelected = ({ labels }: PlacedWorkload) => Object.keys(selector).length > 0 && matches(selector, labels);
    const all = [...this.#workloads.values()].map((workload) => this.#withPods(workload));
    const selected = all.filter(isSelected);
    this.#selected.set(name, selected);
    return selected;
  }

  putService(name: string, placed: PlacedService | undefined): void {
    this.#selected.delete(name);
    if (placed) this.#services.set(name, placed);
    else this.#services.delete(name);
  }

  /** Who takes a Deployment's pods for its own has the labels of that Deployment, so the same Services are touched. */
  putWorkload(before: PlacedWorkload | undefined, after: PlacedWorkload | undefined): string[] {
    const old = before && this.#withPods(before);
    if (before) this.#workloads.delete(idOf(before));
    if (after) this.#workloads.set(idOf(after), after);
    const both = [old, after && this.#withPods(after)];
    const touched = [...this.#services.values()].filter(({ selector }) => {
      return both.some((workload) => workload && matches(selector, workload.labels));
    });
    for (const { name } of touched) this.#selected.delete(name);
    return touched.map(({ name }) => name);
  }

  #withPods(workload: PlacedWorkload): PlacedWorkload {
    if (workload.deployment === undefined) return workload;
    const { labels, ports } = this.#workloads.get(`Deployment/${workload.deployment}`) ?? workload;
    return { ...workload, labels, ports };
  }
}

/** A Deployment, a StatefulSet, or a Rollout of Argo, which can refer to a Deployment. */
export interface Workload extends KubeObject {
  spec?: { template?: V1PodTemplateSpec; workloadRef?: { kind?: string; name?: string } };
}

export function placedService({ metadata, spec }: V1Service): PlacedService {
  const sandbox = metadata?.labels?.[SANDBOX_LABEL];
  return {
    name: metadata?.name ?? "",
    namespace: metadata?.namespace ?? "",
    ports: (spec?.ports ?? []).map(({ port, name, targetPort }) => ({
      port,
      ...(name !== undefined && { name }),
      ...(targetPort !== undefined && { targetPort: Number(targetPort) || targetPort }),
    })),
    selector: spec?.selector ?? {},
    ...(sandbox && { sandbox }),
  };
}

export function placedWorkload({ metadata, spec }: Workload, kind: string): PlacedWorkload {
  const { template, workloadRef } = spec ?? {};
  const deployment = template === undefined && workloadRef?.kind === "Deployment" ? workloadRef.name : undefined;
  const { containers = [], initContainers = [] } = template?.spec ?? {};
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === "Always");
  // Of two ports with one name Kubernetes takes the first.
  const named = [...containers, ...sidecars].flatMap(({ ports = [] }) => ports).reverse();
  return {
    kind: KINDS[kind] ?? kind,
    namespace: metadata?.namespace ?? "",
    name: metadata?.name ?? "",
    labels: template?.metadata?.labels ?? {},
    ports: Object.fromEntries(named.flatMap(({ name, containerPort: port }) => (name ? [[name, port]] : []))),
    ...(deployment !== undefined && { deployment }),
  };
}

const idOf = ({ kind, name }: PlacedWorkload) => `${kind}/${name}`;

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
