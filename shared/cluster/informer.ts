import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, statusOf } from "./api-errors.ts";
import type { Cluster, ListScope } from "./cluster.ts";
import { type KubeObject, qualified } from "./object.ts";

/** What is followed, and who is told. The listeners are called in order, never two at one time, and must not throw. */
export interface Informed<T extends KubeObject, Kept = T> extends ListScope {
  apiVersion: string;
  kind: string;
  /** What is kept of an object and told; all of it unless said. */
  keep?: (object: T) => Kept;
  /** Called for each object that has come, changed or gone. One that was deleted and made anew meanwhile is a change. */
  onChange?: (before: Kept | undefined, after: Kept | undefined) => void;
  /** Called when all that happened up to a version has been told: after each event, and after all objects of a list. */
  onVersion?: (version: number) => void;
  /** Called once for each time that the API server can't be asked, however long that lasts. */
  onTrouble?: (thrown: unknown) => void;
  /** Called when the API server's data is older than what is known, as after a backup of etcd was restored. All is then read anew. */
  onOlder?: (version: number, known: number) => void;
  /** Milliseconds before the first further try; doubled with each, up to the most. */
  retryMs?: number;
  mostRetryMs?: number;
}

interface Known<Kept> {
  /** The uid and the version. */
  state: string;
  kept: Kept;
}

const RETRY_MS = 50;
const MOST_RETRY_MS = 5000;
/** A watch that ends sooner has most likely met with trouble. */
const LASTED_MS = 5000;

/** The objects of one kind as the API server has them: listed, then watched until the signal of `cluster` is aborted. */
export class Informer<T extends KubeObject, Kept = T> {
  /** Resolves once all objects have been read for the first time, and told. */
  readonly synced: Promise<void>;
  readonly #cluster: Cluster;
  readonly #informed: Informed<T, Kept>;
  readonly #keep: (object: T) => Kept;
  readonly #objects = new Map<string, Known<Kept>>();
  readonly #isSynced = Promise.withResolvers<void>();
  readonly #tried = Promise.withResolvers<void>();
  #ended: Promise<void> | undefined;
  /** The version that a watch goes on from; undefined where all must be read. */
  #version: string | undefined;
  #known = 0;
  #trouble: unknown;
  /** Tries since the API server has last told something. */
  #vain = 0;

  constructor(cluster: Cluster, informed: Informed<T, Kept>) {
    this.#cluster = cluster;
    this.#informed = informed;
    this.#keep = informed.keep ?? ((object) => object as unknown as Kept);
    this.synced = this.#isSynced.promise;
  }

  /** Resolves after the first try to read all objects, whether it has gone well or not (see `trouble`), and goes on by itself. */
  start(): Promise<void> {
    this.#ended ??= this.#follow();
    return this.#tried.promise;
  }

  /** Resolves once nothing more will be told, after the signal was aborted. */
  async ended(): Promise<void> {
    await this.#ended;
  }

  /** Whether all objects have been read once. */
  get isSynced(): boolean {
    return this.#known > 0;
  }

  /** Why the API server can't be asked at present; undefined while all is well. */
  get trouble(): unknown {
    return this.#trouble;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(namespace: string, name: string): Kept | undefined {
    return this.#objects.get(qualified({ namespace, name }))?.kept;
  }

  *values(): Generator<Kept, void> {
    for (const { kept } of this.#objects.values()) yield kept;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#cluster.options;
    const { retryMs = RETRY_MS, mostRetryMs = MOST_RETRY_MS } = this.#informed;
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) await this.#list();
        this.#tried.resolve();
        await this.#watch();
      } catch (thrown) {
        if (signal.aborted) break;
        if (statusOf(thrown) === 410) this.#version = undefined;
        else this.#complain(thrown);
        this.#tried.resolve();
      }
      const pause = Math.min(retryMs * 2 ** this.#vain++, mostRetryMs);
      await sleep(pause, undefined, { signal }).catch(() => {});
    }
    this.#tried.resolve();
  }

  #complain(thrown: unknown): void {
    const isKnown = this.#trouble !== undefined;
    this.#trouble = thrown;
    if (!isKnown) this.#informed.onTrouble?.(thrown);
  }

  async #list(): Promise<void> {
    const { apiVersion, kind, namespace, labelSelector } = this.#informed;
    const found = new Map<string, Known<Kept>>();
    let version = "";
    for await (const page of this.#cluster.pages<T>(apiVersion, kind, { namespace, labelSelector })) {
      for (const item of page.items) found.set(qualified(item.metadata), this.#knownOf(item));
      version = page.resourceVersion;
    }
    const isOlder = Number(version) < this.#known;
    if (isOlder) this.#informed.onOlder?.(Number(version), this.#known);
    if (this.#cluster.options.signal.aborted) return;
    for (const key of [...this.#objects.keys()]) if (!found.has(key)) this.#put(key, undefined);
    // An older version of another past can be the same and mean something else.
    for (const [key, object] of found) {
      if (isOlder || this.#objects.get(key)?.state !== object.state) this.#put(key, object);
    }
    this.#trouble = undefined;
    this.#reached(version);
    this.#isSynced.resolve();
  }

  async #watch(): Promise<void> {
    const { apiVersion, kind, namespace, labelSelector } = this.#informed;
    const scope = { namespace, labelSelector, resourceVersion: this.#version ?? "" };
    let openedAt: number | undefined;
    let isSilent = true;
    const opened = () => {
      openedAt = performance.now();
      this.#trouble = undefined;
    };
    try {
      for await (const { type, object } of this.#cluster.watch<T>(apiVersion, kind, scope, opened)) {
        isSilent = false;
        this.#vain = 0;
        const version = `${object.metadata?.resourceVersion}`;
        if (Number(version) < this.#known) {
          this.#version = undefined;
          return;
        }
        if (type === "DELETED") this.#put(qualified(object.metadata), undefined);
        else if (type !== "BOOKMARK") this.#put(qualified(object.metadata), this.#knownOf(object));
        this.#reached(version);
        if (this.#cluster.options.signal.aborted) return;
      }
    } catch (thrown) {
      // A connection may break at any time; where it can't be made again that is told then.
      if (openedAt === undefined || thrown instanceof ApiError) throw thrown;
      isSilent &&= performance.now() - openedAt > LASTED_MS;
    }
    if (performance.now() - (openedAt ?? 0) > LASTED_MS) this.#vain = 0;
    // A watch that ends without even a bookmark may be from a version that is still to come, as after a backup was restored.
    if (isSilent) this.#version = undefined;
  }

  #knownOf(object: T): Known<Kept> {
    const { uid, resourceVersion } = (object.metadata ?? {}) as { uid?: string; resourceVersion?: string };
    return { state: `${uid} ${resourceVersion}`, kept: this.#keep(object) };
  }

  #put(key: string, object: Known<Kept> | undefined): void {
    const before = this.#objects.get(key);
    if (object === undefined) this.#objects.delete(key);
    else this.#objects.set(key, object);
    if (before ?? object) this.#informed.onChange?.(before?.kept, object?.kept);
  }

  #reached(version: string): void {
    this.#version = version;
    this.#known = Number(version);
    this.#informed.onVersion?.(this.#known);
  }
}
