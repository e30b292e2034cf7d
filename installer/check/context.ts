import type { V1Pod, V1Service } from "@kubernetes/client-node";
import { atOnce } from "../../shared/at-once.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { KeywayError } from "../../shared/errors.ts";
import type { Io } from "../../shared/io.ts";
import type { Installation } from "../manifests/installation.ts";
import { ProxyAdmin, ProxySilent } from "../proxies/proxy-admin.ts";
import { type Selection, selectPods } from "../proxies/selected-pods.ts";

/** What a command line says of the registry. */
export interface RegistryChoice {
  /** The URL, when the person says it; else the cluster names it. */
  module?: string;
  /** The registry speaks plain HTTP. */
  insecure?: boolean;
}

/** What checks ask of the cluster and of what is to be put into it; each is fetched at most once, when a check first asks for it. */
export class CheckContext {
  readonly cluster: Cluster;
  /** What is to be installed, or is. */
  readonly installation: Installation;
  /** What this would replace: what is broken there already is reported, but does not stop the change. */
  readonly live: Installation | undefined;
  readonly istioNamespace: string;
  readonly allowEmpty: boolean;
  readonly registry: RegistryChoice;
  readonly io: Io;
  /** The uids of ready pods whose proxies do not answer. */
  readonly #stuck = new Set<string>();
  readonly #known = new Map<string, Promise<unknown>>();

  constructor(
    given: Pick<CheckContext, "cluster" | "installation" | "istioNamespace" | "allowEmpty" | "registry" | "io"> & {
      live?: Installation | undefined;
    },
  ) {
    this.cluster = given.cluster;
    this.installation = given.installation;
    this.live = given.live;
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

  /**
   * Asks all selected proxies. Those of pods that are not ready may be unable to answer, such as on a lost node: their pods are
   * named, and no time is spent on them. Those of ready pods must answer: the first check that finds out fails and names them all,
   * and further checks leave them out.
   */
  async askProxies<T>(ask: (proxy: ProxyAdmin) => Promise<T>): Promise<{ answers: T[]; silent: string[] }> {
    const silent: string[] = [];
    const newlyStuck: ProxySilent[] = [];
    const answers = await atOnce(16, await this.proxies(), async (proxy) => {
      const { name, uid, ready } = proxy.pod;
      if (this.#stuck.has(uid)) {
        silent.push(`${name} does not answer: left out`);
        return [];
      }
      try {
        return [await ask(proxy)];
      } catch (thrown) {
        if (ready && thrown instanceof ProxySilent) {
          this.#stuck.add(uid);
          newlyStuck.push(thrown);
        } else if (ready || !(thrown instanceof KeywayError)) throw thrown;
        else silent.push(`${name} is not ready, and its proxy does not answer: left out`);
        return [];
      }
    });
    const [first, ...others] = newlyStuck;
    if (first === undefined) return { answers: answers.flat(), silent };
    if (others.length === 0) throw first;
    const lines = newlyStuck.map(({ message }) => message).join("\n");
    throw new ProxySilent(lines, { next: first.next ?? "", cause: first });
  }

  pods(namespace: string): Promise<V1Pod[]> {
    return this.once(`pods of ${namespace}`, () => this.cluster.list<V1Pod>("v1", "Pod", { namespace }));
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
