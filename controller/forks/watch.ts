import type { V1Service } from "@kubernetes/client-node";
import { SANDBOX_LABEL, type SandboxResource, sandboxName, type WorkloadKind } from "../../routes/model/sandbox.ts";
import { isNotFound } from "../../shared/cluster/api-errors.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { Informer } from "../../shared/cluster/informer.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import { reason } from "../../shared/errors.ts";
import { Groups } from "../plan/groups.ts";
import { Paced } from "./paced.ts";
import { readWorkloadName, WORKLOAD_API } from "./workloads.ts";

export interface ForkWatchSettings {
  cluster: Cluster;
  /** Told with a Sandbox's namespace and name when its copies may not be any more what they should be, or are further than they were. */
  changed: (namespace: string, name: string) => void;
  /** Told once when workloads can't be read, however long that lasts. */
  failed: (why: string) => void;
}

/** What is kept of a workload or Service: whose copy it is, and all that matters of its state in one text. */
interface Seen {
  kind: string;
  namespace: string;
  name: string;
  /** The Sandbox that it is labelled with. */
  sandbox: string | undefined;
  state: string;
}

/** Follows the workloads that copies are made from, the copies, and the Services around them, once there is a Sandbox with forks. */
export class ForkWatch {
  readonly #settings: ForkWatchSettings;
  readonly #paced: Paced;
  readonly #followed = new Set<string>();
  /** Sandboxes by the workloads that they copy, and by their namespaces. */
  readonly #interested = new Groups<string>();
  readonly #interests = new Map<string, string[]>();

  constructor(settings: ForkWatchSettings) {
    this.#settings = settings;
    this.#paced = new Paced((sandbox) => {
      const [namespace = "", name = ""] = sandbox.split("/");
      settings.changed(namespace, name);
    });
  }

  /** Tells of this Sandbox from now on, until it has no forks any more. */
  put({ metadata, spec }: SandboxResource): void {
    const sandbox = sandboxName(metadata);
    this.#drop(sandbox);
    const titles = (spec.forks ?? []).map(({ workload }) => workload);
    if (titles.length === 0) {
      this.#paced.delete(sandbox);
      return;
    }
    const interests = [metadata.namespace, ...titles.map((title) => `${metadata.namespace}/${title}`)];
    this.#interests.set(sandbox, interests);
    for (const interest of interests) this.#interested.add(interest, sandbox);
    this.#follow("v1", "Service");
    // Copies are Deployments, whatever they are copies of.
    this.#follow(WORKLOAD_API.Deployment, "Deployment");
    for (const title of titles) this.#followKindOf(title);
  }

  remove(namespace: string, name: string): void {
    this.#drop(`${namespace}/${name}`);
    this.#paced.delete(`${namespace}/${name}`);
  }

  #drop(sandbox: string): void {
    for (const interest of this.#interests.get(sandbox) ?? []) this.#interested.delete(interest, sandbox);
    this.#interests.delete(sandbox);
  }

  #followKindOf(title: string): void {
    let kind: WorkloadKind;
    try {
      ({ kind } = readWorkloadName(title));
    } catch {
      // Whoever makes the copies tells it.
      return;
    }
    this.#follow(WORKLOAD_API[kind], kind);
  }

  #follow(apiVersion: string, kind: string): void {
    if (this.#followed.has(kind)) return;
    this.#followed.add(kind);
    const { cluster, failed } = this.#settings;
    const informer = new Informer<KubeObject, Seen>(cluster, {
      apiVersion,
      kind,
      keep: (object) => seen(kind, object),
      onChange: (before, after) => this.#changed(before, after),
      // A kind that the cluster does not have is told in the status of the Sandbox that names it.
      onTrouble: (thrown) => isNotFound(thrown) || failed(`can't follow ${kind}s: ${reason(thrown)}`),
      mostRetryMs: 30_000,
    });
    void informer.start();
  }

  #changed(before: Seen | undefined, after: Seen | undefined): void {
    const one = after ?? before;
    if (one === undefined || before?.state === after?.state) return;
    const { kind, namespace, name, sandbox } = one;
    if (sandbox !== undefined) {
      if (this.#interests.has(`${namespace}/${sandbox}`)) this.#paced.add(`${namespace}/${sandbox}`);
      return;
    }
    const interest = kind === "Service" ? namespace : `${namespace}/${kind}/${name}`;
    for (const interested of this.#interested.of(interest)) this.#paced.add(interested);
  }
}

/** Of a copy its progress matters, too; a Service counts no generations. */
function seen(kind: string, object: KubeObject & { spec?: unknown; status?: unknown }): Seen {
  const { namespace = "", name = "", uid, generation, labels, annotations } = object.metadata ?? {};
  const sandbox = labels?.[SANDBOX_LABEL];
  const isService = kind === "Service";
  const what = isService
    ? [(object as V1Service).spec, labels, annotations]
    : [generation, sandbox && [object.status, annotations]];
  return { kind, namespace, name, sandbox, state: JSON.stringify([uid, what]) };
}
