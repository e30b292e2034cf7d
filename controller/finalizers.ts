// A Sandbox with forks goes once its copies have: first its routes leave the tables, then the copies are taken away.
import { FORKS_FINALIZER, type SandboxResource, sandboxName } from "../routes/model/sandbox.ts";
import { ApiError, isNotFound } from "../shared/cluster/api-errors.ts";
import type { Cluster } from "../shared/cluster/cluster.ts";
import type { KubeObject } from "../shared/cluster/object.ts";
import type { Forks } from "./forks/forks.ts";

export interface FinalizerSettings {
  cluster: Cluster;
  forks: Forks;
  /** Whether all proxies have given the Sandbox's routes up. */
  areRoutesGone: (sandbox: SandboxResource) => Promise<boolean>;
  /** Told when copies could not be taken away, and are left to the cluster's garbage collector. */
  abandoned: (sandbox: SandboxResource, thrown: unknown) => void;
  times?: Partial<typeof TIMES>;
}

/** Milliseconds after the deletion was seen. */
const TIMES = {
  /** A proxy that has not heard of it by then may send a request to a copy that is gone. */
  proxies: 5000,
  /** The copies have owner references, so that the cluster takes them away where Keyway can't. */
  copies: 30_000,
};
const LOOK_MS = 100;

export class Finalizers {
  readonly #settings: FinalizerSettings;
  readonly #times: typeof TIMES;
  readonly #seenAt = new Map<string, number>();

  constructor(settings: FinalizerSettings) {
    this.#settings = settings;
    this.#times = { ...TIMES, ...settings.times };
  }

  /** Before the first copy is made. */
  async add(sandbox: SandboxResource): Promise<void> {
    if (sandbox.metadata.finalizers?.includes(FORKS_FINALIZER)) return;
    await this.#write(sandbox, [FORKS_FINALIZER]);
  }

  /** Does what the Sandbox's end takes; the result is the milliseconds after which to go on, undefined once there is nothing more to do. */
  async finish(sandbox: SandboxResource): Promise<number | undefined> {
    if (!sandbox.metadata.finalizers?.includes(FORKS_FINALIZER)) return undefined;
    const name = sandboxName(sandbox.metadata);
    const since = this.#seenAt.get(name) ?? performance.now();
    this.#seenAt.set(name, since);
    const waited = performance.now() - since;
    if (waited < this.#times.proxies && !(await this.#settings.areRoutesGone(sandbox))) return LOOK_MS;
    try {
      await this.#settings.forks.remove(sandbox);
    } catch (thrown) {
      if (waited < this.#times.copies) throw thrown;
      this.#settings.abandoned(sandbox, thrown);
    }
    await this.#write(sandbox, []);
    return undefined;
  }

  forget(name: string): void {
    this.#seenAt.delete(name);
  }

  async #write({ apiVersion, kind, metadata }: SandboxResource, finalizers: string[]): Promise<void> {
    const { name, namespace, uid } = metadata;
    const object = { apiVersion, kind, metadata: { name, namespace, ...(uid !== undefined && { uid }), finalizers } };
    try {
      await this.#settings.cluster.apply(object as KubeObject, { force: true });
    } catch (thrown) {
      // It is gone, or another of its name is there.
      const isOther = isNotFound(thrown) || (thrown instanceof ApiError && thrown.code === 409);
      if (!isOther || finalizers.length > 0) throw thrown;
    }
  }
}
