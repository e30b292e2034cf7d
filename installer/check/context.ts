import type { V1Service } from "@kubernetes/client-node";
import type { Io } from "../cli/io.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { Installation } from "../manifests/installation.ts";
import { ProxyAdmin } from "../proxies/proxy-admin.ts";
import { type Selection, selectPods } from "../proxies/selected-pods.ts";
import type { RegistryChoice } from "./module.ts";

/** What checks ask of the cluster and of what is to be put into it; each is fetched once, and only when a check asks. */
export class CheckContext {
  readonly cluster: Cluster;
  /** What is to be installed, or is. */
  readonly installation: Installation;
  readonly istioNamespace: string;
  readonly allowEmpty: boolean;
  readonly registry: RegistryChoice;
  readonly io: Io;
  readonly #known = new Map<string, Promise<unknown>>();

  constructor(
    given: Pick<CheckContext, "cluster" | "installation" | "istioNamespace" | "allowEmpty" | "registry" | "io">,
  ) {
    this.cluster = given.cluster;
    this.installation = given.installation;
    this.istioNamespace = given.istioNamespace;
    this.allowEmpty = given.allowEmpty;
    this.registry = given.registry;
    this.io = given.io;
  }

  selection(): Promise<Selection> {
    return this.once("selection", () => selectPods(this.cluster, this.installation, this.istioNamespace));
  }

  async proxies(): Promise<ProxyAdmin[]> {
    const { proxies } = await this.selection();
    return proxies.map((pod) => new ProxyAdmin(this.cluster, pod, this.io.signal));
  }

  services(namespace: string): Promise<V1Service[]> {
    return this.once(`services of ${namespace}`, () => this.cluster.list<V1Service>("v1", "Service", { namespace }));
  }

  /** The one answer to a question that is asked by several checks. */
  once<T>(question: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#known.get(question) ?? ask();
    this.#known.set(question, known);
    return known as Promise<T>;
  }
}
