import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { LiveRoute, StoredRoute } from "../../../routes/model/live-route.ts";
import { fromResource, isResourceName, ROUTE_API, ROUTE_KIND } from "../../../routes/model/route-resource.ts";
import { readLiveRoute } from "../../../routes/reading/live-route.ts";
import { statusOf } from "../../../shared/cluster/api-errors.ts";
import type { Cluster } from "../../../shared/cluster/cluster.ts";
import { type KeywayError, reason } from "../../../shared/errors.ts";
import { type Difference, differenceOf } from "../difference.ts";
import {
  type Change,
  type Committed,
  type Loaded,
  type Store,
  type Transaction,
  Unavailable,
  Unfit,
} from "../store.ts";
import { type Resource, unavailable, Writer, type Written } from "./writer.ts";

export interface KubernetesSettings {
  /** Connects with a signal that ends everything; the same user for all calls. */
  cluster: Cluster;
  /** The namespace whose Route resources are the table. */
  namespace: string;
  /** Told once for each version of a resource that is no route. */
  invalid?: (name: string, why: string) => void;
}

const DEFAULTS = {
  /** How long somebody waits for others who change the same routes, and then for the watch to tell what was written. */
  toldMs: 10_000,
  takeBackMs: 10_000,
  retryMs: 500,
};

/** The Route resources of one namespace: the API server is the database, and whoever writes there, by kubectl or here, changes the table.
 * A revision is the newest resourceVersion among the table's changes. */
export class KubernetesStore implements Store {
  readonly #settings: typeof DEFAULTS & KubernetesSettings;
  readonly #closed = new AbortController();
  readonly #cluster: Cluster;
  readonly #writer: Writer;
  readonly #routes = new Map<string, StoredRoute>();
  /** As they are in the cluster, those that are no routes among them. */
  readonly #resources = new Map<string, Resource>();
  /** The version that a watch goes on from; other kinds' changes move it, too. */
  #version = "";
  /** Everything up to this version is known. */
  #known = 0;
  /** The table's: that of the newest change. */
  #revision = 0;
  #history: bigint | undefined;
  #onChange: (change: Change) => void = () => {};
  #trouble: KeywayError | undefined;
  /** Set for good once versions are smaller than those that are known: what is known is of another past. */
  #replaced: Unavailable | undefined;
  #followed = Promise.withResolvers<void>();
  #following: Promise<void> | undefined;
  /** One transaction after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(settings: KubernetesSettings & Partial<typeof DEFAULTS>) {
    this.#settings = { ...DEFAULTS, ...settings };
    this.#cluster = settings.cluster.withSignal(this.#closed.signal);
    this.#writer = new Writer({ ...this.#settings, cluster: this.#cluster });
  }

  get history(): bigint {
    if (this.#history === undefined) throw new Error("the store was not started");
    return this.#history;
  }

  trouble(): KeywayError | undefined {
    return this.#replaced ?? this.#trouble;
  }

  async start(onChange: (change: Change) => void, signal: AbortSignal): Promise<Loaded> {
    signal.addEventListener("abort", () => void this.close(), { once: true });
    const { namespace } = this.#settings;
    const home = await this.#cluster.get<Resource>({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace, namespace: "" },
    });
    if (home === undefined) {
      throw new Unavailable(`there is no namespace ${namespace}`, {
        next: "create it, or name another: kubernetes:NAMESPACE",
      });
    }
    this.#history = createHash("sha256").update(`${home.metadata.uid}`).digest().readBigUInt64LE();
    await this.#load();
    this.#following = this.#follow();
    // Changes come in turns of their own, so that none is told before the routes are returned.
    this.#onChange = onChange;
    return { revision: this.#revision, routes: [...this.#routes.values()], since: this.#revision, changes: [] };
  }

  commit(transaction: Transaction): Promise<Committed> {
    const committed = this.#turn.then(() => this.#commit(transaction));
    this.#turn = committed.catch(() => {});
    return committed;
  }

  async close(): Promise<void> {
    await this.#turn;
    this.#closed.abort(new Unavailable("the store is closed", { where: this.#cluster.server }));
    await this.#following;
  }

  async #load(): Promise<void> {
    try {
      await this.#list();
    } catch (thrown) {
      if (statusOf(thrown) !== 404) throw thrown;
      const next = "have an administrator run `keyway render crds | kubectl apply -f -`, then start the server again";
      throw new Unavailable(`Routes can't be read: ${reason(thrown)}`, { where: this.#cluster.server, next });
    }
    this.#revision = this.#known;
  }

  // Following

  /** Reads all resources; what differs from what was known is one change. */
  async #list(): Promise<void> {
    const { namespace } = this.#settings;
    const { items, resourceVersion } = await this.#cluster.listAt<Resource>(ROUTE_API, ROUTE_KIND, { namespace });
    const change: Change = { revision: Number(resourceVersion), set: [], delete: [] };
    const gone = new Set(this.#resources.keys());
    for (const item of items) {
      gone.delete(`${item.metadata.name}`);
      this.#take(item, change);
    }
    for (const id of gone) this.#drop(id, change);
    this.#version = resourceVersion;
    this.#tell(change);
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted && this.#replaced === undefined) {
      try {
        let isSilent = true;
        const scope = { namespace: this.#settings.namespace, resourceVersion: this.#version };
        const opened = () => {
          this.#trouble = undefined;
        };
        for await (const { type, object } of this.#cluster.watch<Resource>(ROUTE_API, ROUTE_KIND, scope, opened)) {
          isSilent = false;
          this.#version = `${object.metadata?.resourceVersion}`;
          const change: Change = { revision: Number(this.#version), set: [], delete: [] };
          if (type === "DELETED") this.#drop(`${object.metadata?.name}`, change);
          else if (type !== "BOOKMARK") this.#take(object, change);
          this.#tell(change);
        }
        // The API server ends a watch now and then; where it has forgotten the version it says so, and all is read again. One without
        // even a bookmark may be from a version that is still to come, as after a backup was restored.
        if (isSilent) await this.#list();
        await sleep(this.#settings.retryMs / 10, undefined, { signal });
      } catch (thrown) {
        if (signal.aborted) return;
        await this.#recover(thrown);
      }
    }
  }

  async #recover(thrown: unknown): Promise<void> {
    const { signal } = this.#closed;
    try {
      if (statusOf(thrown) !== 410) throw thrown;
      await this.#list();
    } catch (failure) {
      if (signal.aborted) return;
      this.#trouble = unavailable(failure, this.#cluster.server);
      await sleep(this.#settings.retryMs, undefined, { signal }).catch(() => {});
    }
  }

  /** A resource that is no route takes the one away that it was before: nobody can say what it means. */
  #take(resource: Resource, change: Change): void {
    const id = `${resource.metadata.name}`;
    const revision = Number(resource.metadata.resourceVersion);
    if (this.#resources.get(id)?.metadata.resourceVersion === resource.metadata.resourceVersion) return;
    this.#resources.set(id, resource);
    const route = this.#read(resource, id);
    if (route !== undefined) {
      this.#routes.set(id, { ...route, revision });
      change.set.push({ ...route, revision });
    } else if (this.#routes.delete(id)) change.delete.push(id);
  }

  #read(resource: Resource, id: string): LiveRoute | undefined {
    try {
      // One that has expired is a route all the same, for whoever deletes it.
      const { id: _, ...entry } = fromResource(resource);
      const route = readLiveRoute(entry, { now: 0, id, path: ["spec"] });
      if (!Array.isArray(route)) return route;
      const [first] = route;
      this.#settings.invalid?.(id, `${first?.path.join(".")}: ${first?.message}`);
    } catch (thrown) {
      this.#settings.invalid?.(id, reason(thrown));
    }
    return undefined;
  }

  #drop(id: string, change: Change): void {
    this.#resources.delete(id);
    if (this.#routes.delete(id)) change.delete.push(id);
  }

  #tell(change: Change): void {
    if (change.revision < this.#known) throw this.#replacedAt(change.revision);
    this.#known = change.revision;
    if (change.set.length > 0 || change.delete.length > 0) {
      this.#revision = change.revision;
      this.#onChange(change);
    }
    this.#followed.resolve();
    this.#followed = Promise.withResolvers();
  }

  #replacedAt(version: number): Unavailable {
    const known = this.#known;
    this.#replaced = new Unavailable(`the API server's data is older than before: version ${version}, after ${known}`, {
      where: this.#cluster.server,
      next: "if a backup of etcd was restored, start this server again: it reads the routes that are there now",
    });
    return this.#replaced;
  }

  // Writing

  async #commit(transaction: Transaction): Promise<Committed> {
    for (const { id } of transaction.set) {
      if (isResourceName(id)) continue;
      const next = "take lower case letters, digits, - and . alone";
      throw new Unfit(`no Kubernetes resource can have the name ${JSON.stringify(id)}: ${next}`, { where: id, next });
    }
    const until = Date.now() + this.#settings.toldMs;
    for (;;) {
      if (this.#closed.signal.aborted) throw this.#closed.signal.reason;
      if (this.#replaced) throw this.#replaced;
      const difference = differenceOf(transaction, this.#routes);
      const known = this.#known;
      const changesNothing = difference.set.length === 0 && difference.delete.length === 0;
      // What writes nothing meets no version, so it is first seen to that nothing newer is there.
      const isBehind = changesNothing && !(await this.#areLatest(transaction.set.map(({ id }) => id)));
      const written = isBehind ? undefined : await this.#writer.write(difference, this.#resources);
      if (written !== undefined) {
        for (const version of written.versions) if (version <= known) throw this.#replacedAt(version);
        await this.#told(written);
        return this.#outcome(difference, transaction);
      }
      if (Date.now() > until) {
        const next = "send it again";
        const why = this.#trouble?.message ?? "others change the same routes all the time";
        throw new Unavailable(why, { where: this.#cluster.server, next });
      }
      // Somebody else was first; what they have done comes by the watch.
      await sleep(50);
    }
  }

  async #areLatest(ids: readonly string[]): Promise<boolean> {
    try {
      for (const id of ids) {
        const metadata = { name: id, namespace: this.#settings.namespace };
        const there = await this.#cluster.get<Resource>({ apiVersion: ROUTE_API, kind: ROUTE_KIND, metadata });
        if (there?.metadata.resourceVersion !== this.#resources.get(id)?.metadata.resourceVersion) return false;
      }
      return true;
    } catch (thrown) {
      throw unavailable(thrown, this.#cluster.server);
    }
  }

  /** Waits until the watch has brought what was written, so that the table's changes stay in order. */
  async #told({ versions, gone }: Written): Promise<void> {
    const newest = Math.max(0, ...versions);
    const isThere = ([id, uid]: [string, string | undefined]) => this.#resources.get(id)?.metadata.uid === uid;
    const remaining = [...gone].filter(([id]) => this.#resources.has(id));
    const limit = AbortSignal.timeout(this.#settings.toldMs);
    const over = new Promise<void>((resolve) => {
      limit.addEventListener("abort", () => resolve(), { once: true });
    });
    while (this.#known < newest || remaining.some(isThere)) {
      await Promise.race([this.#followed.promise, over]);
      if (!limit.aborted) continue;
      throw new Unavailable("the transaction is written, but the API server does not tell of it", {
        where: this.#cluster.server,
        next: "it is in force once the watch goes on; look whether the API server is well",
      });
    }
  }

  #outcome({ outcomes }: Difference, { set }: Transaction): Committed {
    return {
      revision: this.#revision,
      set: outcomes.map((one, at) => {
        if ("kept" in one) return { revision: one.kept, created: false };
        return { revision: this.#routes.get(`${set[at]?.id}`)?.revision ?? this.#revision, created: one.created };
      }),
    };
  }
}
