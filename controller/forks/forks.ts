// Makes the copies that Sandboxes ask for, keeps them as they should be, and takes them away.
import { isDeepStrictEqual } from "node:util";
import type { V1Deployment, V1Pod, V1Service } from "@kubernetes/client-node";
import {
  FORK_LABEL,
  type ForkEntry,
  type ForkStatus,
  SANDBOX_LABEL,
  type SandboxResource,
  WORKLOAD_ANNOTATION,
} from "../../routes/model/sandbox.ts";
import { formatDiagnostic } from "../../routes/reading/diagnostic.ts";
import { isForbidden } from "../../shared/cluster/api-errors.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import { type Baseline, readBaseline } from "./baseline.ts";
import { Leaving, removeExactly } from "./leaving.ts";
import { type Copy, copyOf, type SandboxRef } from "./make.ts";
import { stateOf, troubleOf } from "./readiness.ts";
import { Refused, refusalIn } from "./refused.ts";
import { MAX_REMEMBERED, recall, remember } from "./snapshot.ts";
import { ForkWatch } from "./watch.ts";
import { findWorkload } from "./workloads.ts";

/** What the controller asks of whoever makes copies. */
export interface Forks {
  /** Makes the cluster have what the forks of the Sandbox ask for, and says how far each is. Throws when the API server can't be asked. */
  reconcile(sandbox: SandboxResource): Promise<ForkStatus[]>;
  /** Takes all copies of the Sandbox away at once. */
  remove(sandbox: SandboxResource): Promise<void>;
  /** Called with namespace and name when a Sandbox that was reconciled should be again: a workload, a copy or a Service has changed. */
  onChange: (namespace: string, name: string) => void;
}

export interface ForkSettings {
  /** Its field manager is that of everything that is written. */
  cluster: Cluster;
  /** Whether a Service has a pod that is ready; undefined where nobody knows. */
  isReady?: (service: string, namespace: string) => boolean | undefined;
  /** Told what goes wrong later, when nobody waits for it. */
  failed?: (why: string) => void;
  /** Milliseconds that a copy stays after its Sandbox asks for it no more. */
  graceMs?: number;
}

/** What there is of a Sandbox's copies, and around them. */
interface Surroundings {
  sandbox: SandboxRef;
  /** All of the namespace. */
  services: V1Service[];
  /** Those with the Sandbox's label. */
  deployments: V1Deployment[];
  /** The objects that a fork has by now, and the fork's workload. */
  taken: Map<string, string>;
}

export class ClusterForks implements Forks {
  readonly #settings: ForkSettings;
  readonly #cluster: Cluster;
  readonly #leaving: Leaving;
  readonly #watch: ForkWatch;
  onChange: Forks["onChange"] = () => {};

  constructor(settings: ForkSettings) {
    const { cluster, graceMs, failed = () => {} } = settings;
    this.#settings = settings;
    this.#cluster = cluster;
    this.#leaving = new Leaving({ cluster, failed, ...(graceMs !== undefined && { graceMs }) });
    this.#watch = new ForkWatch({ cluster, failed, changed: (namespace, name) => this.onChange(namespace, name) });
  }

  async reconcile(resource: SandboxResource): Promise<ForkStatus[]> {
    const { forks = [] } = resource.spec;
    this.#watch.put(resource);
    let around: Surroundings;
    try {
      around = await this.#lookAround(resource);
    } catch (thrown) {
      const refusal = refusalIn(thrown);
      if (refusal === undefined) throw thrown;
      return forks.map(({ workload }) => failure(workload, refusal));
    }
    const refused = new Set<string>();
    const statuses: ForkStatus[] = [];
    for (const fork of forks) {
      try {
        statuses.push(await this.#make(fork, around));
      } catch (thrown) {
        const refusal = refusalIn(thrown);
        if (refusal === undefined) throw thrown;
        refused.add(fork.workload);
        statuses.push(failure(fork.workload, refusal));
      }
    }
    for (const object of ownObjects(around)) {
      const isWanted =
        around.taken.has(titleOf(object)) || refused.has(object.metadata?.annotations?.[WORKLOAD_ANNOTATION] ?? "");
      if (isWanted) this.#leaving.cancel(object);
      else this.#leaving.add(object);
    }
    return statuses;
  }

  async remove(resource: SandboxResource): Promise<void> {
    this.#watch.remove(resource.metadata.namespace, resource.metadata.name);
    for (const object of ownObjects(await this.#lookAround(resource, true))) {
      this.#leaving.cancel(object);
      await removeExactly(this.#cluster, object);
    }
  }

  async #lookAround({ metadata }: SandboxResource, onlyOwn = false): Promise<Surroundings> {
    const { name, namespace, uid = "" } = metadata;
    const own = { namespace, labelSelector: `${SANDBOX_LABEL}=${name}` };
    const deployments = await this.#cluster.list<V1Deployment>("apps/v1", "Deployment", own);
    const services = await this.#cluster.list<V1Service>("v1", "Service", onlyOwn ? own : { namespace });
    return { sandbox: { name, namespace, uid }, services, deployments, taken: new Map() };
  }

  async #make(fork: ForkEntry, around: Surroundings): Promise<ForkStatus> {
    const { sandbox, services, deployments, taken } = around;
    const workload = await findWorkload(this.#cluster, fork.workload, sandbox.namespace);
    const current = readBaseline(workload);
    if ("message" in current) throw new Refused("Invalid", current.message);
    const before = deployments.find(
      (one) => isOwn(one, sandbox) && one.metadata?.annotations?.[WORKLOAD_ANNOTATION] === fork.workload,
    );
    const baseline = fork.follow
      ? current
      : { ...current, template: recall(before?.metadata?.annotations) ?? current.template };
    const copy = copyOf({ baseline, fork, sandbox, services });
    if (Array.isArray(copy)) throw new Refused("Invalid", copy.map(formatDiagnostic).join("; "));
    const objects = [copy.workload, ...copy.services];
    for (const object of objects) claim(object, fork.workload, taken);
    if (!fork.follow) copy.workload.metadata = withMemory(copy.workload, baseline);
    const deploymentThere = await this.#deployment(copy, deployments);
    const there = new Map(services.map((service) => [service.metadata?.name, service]));
    const servicesThere = copy.services.map(({ metadata }) => there.get(metadata?.name));
    // All before the first is written: a copy without its Service would run for nobody.
    for (const object of [deploymentThere, ...servicesThere]) if (object) refuseForeign(object, sandbox);
    const deployment = await this.#apply(copy.workload, deploymentThere);
    for (const [index, service] of copy.services.entries()) await this.#apply(service, servicesThere[index]);
    return {
      workload: fork.workload,
      fork: copy.workload.metadata?.name ?? "",
      ...(copy.services.length > 0 && { service: copy.services.map(({ metadata }) => metadata?.name).join(", ") }),
      ...(await this.#state(deployment, copy)),
      ...(!fork.follow && !isDeepStrictEqual(baseline.template, plain(current.template)) && { baselineChanged: true }),
    };
  }

  /** One of this name without the Sandbox's label is somebody else's. */
  async #deployment({ workload }: Copy, own: readonly V1Deployment[]): Promise<V1Deployment | undefined> {
    const { name = "", namespace = "" } = workload.metadata ?? {};
    const there = own.find(({ metadata }) => metadata?.name === name);
    return (
      there ??
      this.#cluster.get<V1Deployment>({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace } })
    );
  }

  /** `there` is the Sandbox's own; what somebody makes at the same moment is not overwritten. */
  async #apply<T extends KubeObject>(object: T, there: T | undefined): Promise<T> {
    const uid = there?.metadata?.uid;
    const exactly = { ...object, metadata: { ...object.metadata, ...(uid !== undefined && { uid }) } };
    return this.#cluster.apply(exactly, { force: there !== undefined });
  }

  async #state(deployment: V1Deployment, copy: Copy): Promise<Pick<ForkStatus, "ready" | "reason" | "message">> {
    const { isReady = () => undefined } = this.#settings;
    const known = copy.services.map(({ metadata }) => isReady(metadata?.name ?? "", metadata?.namespace ?? ""));
    const hasEndpoints = known.includes(false)
      ? false
      : known.length > 0 && !known.includes(undefined)
        ? true
        : undefined;
    const state = stateOf(deployment, hasEndpoints);
    if (state.ready) return { ...state, ...(copy.remarks.length > 0 && { message: copy.remarks.join("; ") }) };
    return { ...state, ...(state.reason === "Starting" && troubleOf(await this.#pods(copy))) };
  }

  /** None where they may not be read: they only say more of what is known. */
  async #pods({ workload }: Copy): Promise<V1Pod[]> {
    const { name, namespace } = workload.metadata ?? {};
    const scope = { ...(namespace && { namespace }), labelSelector: `${FORK_LABEL}=${name}` };
    return this.#cluster.list<V1Pod>("v1", "Pod", scope).catch((thrown) => {
      if (isForbidden(thrown)) return [];
      throw thrown;
    });
  }
}

function failure(workload: string, { reason, message }: Refused): ForkStatus {
  return { workload, ready: false, reason, message };
}

function titleOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata?.namespace}/${metadata?.name}`;
}

function isOwn({ metadata }: KubeObject, sandbox: SandboxRef): boolean {
  const isOf = metadata?.ownerReferences?.some(({ uid }) => uid === sandbox.uid) ?? false;
  return isOf && metadata?.labels?.[SANDBOX_LABEL] === sandbox.name;
}

/** What is there is changed only where it is the Sandbox's own. */
function refuseForeign(there: KubeObject, sandbox: SandboxRef): void {
  if (isOwn(there, sandbox)) return;
  throw new Refused(
    "NameTaken",
    `${titleOf(there)} exists, and is not of Sandbox ${sandbox.name}; delete or rename it, or give the Sandbox another name`,
  );
}

function ownObjects({ sandbox, services, deployments }: Surroundings): KubeObject[] {
  return [...services, ...deployments].filter((object) => isOwn(object, sandbox));
}

/** Two workloads behind one Service, or of one name, can't both be copied in one Sandbox. */
function claim(object: KubeObject, workload: string, taken: Map<string, string>): void {
  const title = titleOf(object);
  const other = taken.get(title);
  if (other !== undefined) {
    throw new Refused(
      "NameTaken",
      `the copies of ${other} and of ${workload} would share ${title}; fork one of them in a Sandbox of its own`,
    );
  }
  taken.set(title, workload);
}

function withMemory({ metadata }: V1Deployment, { title, template }: Baseline) {
  const memory = remember(template);
  const [text = ""] = Object.values(memory);
  if (Buffer.byteLength(text) > MAX_REMEMBERED) {
    throw new Refused(
      "Invalid",
      `the pod template of ${title} has more than ${MAX_REMEMBERED} bytes, too much to be remembered; say follow: true`,
    );
  }
  return { ...metadata, annotations: { ...metadata?.annotations, ...memory } };
}

/** As it is after it was remembered: without fields that are undefined. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
