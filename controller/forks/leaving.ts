import { setTimeout as sleep } from "node:timers/promises";
import { ApiError } from "../../shared/cluster/api-errors.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { type KubeObject, title } from "../../shared/cluster/object.ts";
import { reason } from "../../shared/errors.ts";

/** How long an object that is not wanted any more stays: by then proxies have taken its routes off. */
const GRACE_MS = 5000;
const LONGEST_PAUSE_MS = 300_000;

export interface LeavingSettings {
  cluster: Cluster;
  graceMs?: number;
  /** Told when a deletion fails; it is tried again. */
  failed: (why: string) => void;
}

/** Objects that are deleted after a while, unless they are wanted again. */
export class Leaving {
  readonly #settings: LeavingSettings;
  readonly #timers = new Map<string, AbortController>();

  constructor(settings: LeavingSettings) {
    this.#settings = settings;
  }

  add(object: KubeObject): void {
    const name = title(object);
    if (this.#timers.has(name)) return;
    const stop = new AbortController();
    this.#timers.set(name, stop);
    const { cluster } = this.#settings;
    void this.#end(object, AbortSignal.any([stop.signal, cluster.options.signal])).finally(() => {
      if (this.#timers.get(name) === stop) this.#timers.delete(name);
    });
  }

  /** It stays after all, or somebody else takes it away. */
  cancel(object: KubeObject): void {
    const name = title(object);
    this.#timers.get(name)?.abort();
    this.#timers.delete(name);
  }

  async #end(object: KubeObject, signal: AbortSignal): Promise<void> {
    const { cluster, graceMs = GRACE_MS, failed } = this.#settings;
    for (let pause = graceMs; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        await sleep(pause, undefined, { signal, ref: false });
        await removeExactly(cluster, object);
        return;
      } catch (thrown) {
        if (!signal.aborted)
          failed(`can't delete ${title(object)}, which no Sandbox asks for any more: ${reason(thrown)}`);
      }
    }
  }
}

/** Deletes this very object, and no other of its name. */
export async function removeExactly(
  cluster: Cluster,
  { apiVersion = "", kind = "", metadata = {} }: KubeObject,
): Promise<void> {
  const { name = "", namespace = "", uid } = metadata;
  try {
    await cluster.remove({ apiVersion, kind, metadata: { name, namespace, ...(uid !== undefined && { uid }) } });
  } catch (thrown) {
    // Another has its name by now.
    if (!(thrown instanceof ApiError && thrown.isStale)) throw thrown;
  }
}
