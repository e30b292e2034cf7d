import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type KeywayError, reason } from "../../../installer/cli/errors.ts";
import { statusOf } from "../../../installer/cluster/api-errors.ts";
import type { Cluster } from "../../../installer/cluster/cluster.ts";
import type { KubeObject, Meta } from "../../../installer/cluster/object.ts";
import type { LiveRoute, StoredRoute } from "../../../routes/model/live-route.ts";
import {
  fromResource,
  isResourceName,
  ROUTE_API,
  ROUTE_KIND,
  type RouteResource,
  toResource,
} from "../../../routes/model/route-resource.ts";
import { readLiveRoute } from "../../../routes/reading/live-route.ts";
import { type Difference, differenceOf } from "../difference.ts";
import {
  type Change,
  type Committed,
  Conflict,
  type Loaded,
  type Store,
  type Transaction,
  Unavailable,
} from "../store.ts";

export interface KubernetesSettings {
  /** Connects with a signal that ends everything; the same user for all calls. */
  cluster: Cluster;
  /** The namespace whose Route resources are the table. */
  namespace: string;
  /** Told once for each version of a resource that is no route. */
  invalid?: (name: string, why: string) => void;
}

const DEFAULTS = { toldMs: 10_000, retryMs: 500 };

type Resource = KubeObject & Pick<RouteResource, "spec"> & { metadata: Meta & { uid?: string } };

/** The Route resources of one namespace: the API server is the database, and whoever writes there, by kubectl or here, changes the table.
 * A revision is the newest resourceVersion that the table has. */
export class KubernetesStore implements Store {
  readonly #settings: typeof DEFAULTS & KubernetesSettings;
  readonly #closed = new AbortController();
  readonly #cluster: Cluster;
  readonly #routes = new Map<string, StoredRoute>();
  /** As they are in the cluster, those that are no routes among them. */
  readonly #resources = new Map<string, Resource>();
  /** The version that a watch goes on from; other kinds' changes move it, too. */
  #version = "";
  #revision = 0;
  #history: bigint | undefined;
  #onChange: (change: Change) => void = () => {};
  #trouble: KeywayError | undefined;
  #followed = Promise.withResolvers<void>();
  #following: Promise<void> | undefined;
  /** One transaction after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(settings: KubernetesSettings & Partial<typeof DEFAULTS>) {
    this.#settings = { ...DEFAULTS, ...settings };
    this.#cluster = settings.cluster.withSignal(this.#closed.signal);
  }

  get history(): bigint {
    if (this.#history === undefined) throw new Error("the store was not started");
    return this.#history;
  }

  trouble(): KeywayError | undefined {
    return this.#trouble;
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
    await this.#list();
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
    while (!signal.aborted) {
      try {
        const scope = { namespace: this.#settings.namespace, resourceVersion: this.#version };
        const opened = () => {
          this.#trouble = undefined;
        };
        for await (const { type, object } of this.#cluster.watch<Resource>(ROUTE_API, ROUTE_KIND, scope, opened)) {
          this.#version = `${object.metadata?.resourceVersion}`;
          const change: Change = { revision: Number(this.#version), set: [], delete: [] };
          if (type === "DELETED") this.#drop(`${object.metadata?.name}`, change);
          else if (type !== "BOOKMARK") this.#take(object, change);
          this.#tell(change);
        }
        // The API server ends a watch now and then; where it has forgotten the version it says so, and all is read again.
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
    const isNew = change.revision > this.#revision;
    this.#revision = Math.max(this.#revision, change.revision);
    if (isNew && (change.set.length > 0 || change.delete.length > 0)) this.#onChange(change);
    this.#followed.resolve();
    this.#followed = Promise.withResolvers();
  }

  // Writing

  async #commit(transaction: Transaction): Promise<Committed> {
    for (const { id } of transaction.set) {
      if (!isResourceName(id)) {
        throw new Conflict(
          id,
          "no Kubernetes resource can have this name: it takes lower case letters, digits, - and .",
        );
      }
    }
    const until = AbortSignal.timeout(this.#settings.toldMs);
    try {
      for (;;) {
        const difference = differenceOf(transaction, this.#routes);
        const changesNothing = difference.set.length === 0 && difference.delete.length === 0;
        // What writes nothing meets no version, so it is first seen to that nothing newer is there.
        const isBehind = changesNothing && !(await this.#areLatest(transaction.set.map(({ id }) => id)));
        const written = isBehind ? undefined : await this.#write(difference);
        if (written !== undefined) {
          await this.#told(written, difference.delete, until);
          return this.#outcome(difference, Math.max(written, this.#revision), transaction);
        }
        // Somebody else was first; what they have done comes by the watch.
        await sleep(50, undefined, { signal: this.#closed.signal });
        until.throwIfAborted();
      }
    } catch (thrown) {
      if (thrown instanceof Conflict) throw thrown;
      throw unavailable(thrown, this.#cluster.server);
    }
  }

  async #areLatest(ids: readonly string[]): Promise<boolean> {
    for (const id of ids) {
      const there = await this.#cluster.get<Resource>(this.#ref(id));
      if (there?.metadata.resourceVersion !== this.#resources.get(id)?.metadata.resourceVersion) return false;
    }
    return true;
  }

  /** The newest version written; undefined where a resource is another one than is known. Several are tried first, and taken back where one
   * of them fails all the same. */
  async #write({ set, delete: gone }: Difference): Promise<number | undefined> {
    const several = set.length + gone.length > 1;
    const done: { id: string; before: Resource | undefined; after: Resource | undefined }[] = [];
    try {
      if (several) for (const route of set) await this.#put(route, true);
      for (const route of set) {
        const before = this.#resources.get(route.id);
        done.push({ id: route.id, before, after: await this.#put(route, false) });
      }
      for (const id of gone) {
        const before = this.#resources.get(id);
        const { resourceVersion } = before?.metadata ?? {};
        if (before && (await this.#cluster.remove(this.#ref(id), resourceVersion)))
          done.push({ id, before, after: undefined });
      }
    } catch (thrown) {
      for (const one of done.reverse()) await this.#takeBack(one);
      if (statusOf(thrown) === 409) return undefined;
      throw thrown;
    }
    return Math.max(0, ...done.map(({ after }) => Number(after?.metadata.resourceVersion ?? 0)));
  }

  #put(route: LiveRoute, dryRun: boolean): Promise<Resource> {
    const resource = toResource(route, this.#settings.namespace);
    const before = this.#resources.get(route.id);
    if (before === undefined) return this.#cluster.create<Resource>(resource, dryRun);
    // What others keep in the metadata stays: owner references, finalizers, annotations.
    const { managedFields: _, annotations = {}, ...metadata } = before.metadata;
    const others = Object.entries(annotations).filter(([name]) => !name.startsWith("keyway.dev/"));
    return this.#cluster.replace<Resource>(
      {
        ...resource,
        metadata: {
          ...metadata,
          labels: resource.metadata.labels,
          annotations: { ...Object.fromEntries(others), ...resource.metadata.annotations },
        },
      },
      dryRun,
    );
  }

  async #takeBack({ id, before, after }: { id: string; before: Resource | undefined; after: Resource | undefined }) {
    const { uid: _, resourceVersion: __, ...metadata } = before?.metadata ?? {};
    const version = after?.metadata.resourceVersion;
    const back =
      before === undefined
        ? this.#cluster.remove(this.#ref(id), version)
        : after === undefined
          ? this.#cluster.create({ ...before, metadata })
          : this.#cluster.replace({ ...before, metadata: { ...before.metadata, resourceVersion: version } });
    // What somebody else has changed meanwhile is theirs.
    await back.catch(() => {});
  }

  #ref(name: string) {
    return { apiVersion: ROUTE_API, kind: ROUTE_KIND, metadata: { name, namespace: this.#settings.namespace } };
  }

  /** Waits until the watch has brought what was written, so that the table's changes stay in order. */
  async #told(version: number, gone: readonly string[], until: AbortSignal): Promise<void> {
    const over = new Promise<never>((_, reject) => {
      until.addEventListener(
        "abort",
        () => reject(new Unavailable("what was written is not told by the API server in time")),
        {
          once: true,
        },
      );
    });
    over.catch(() => {});
    const known = new Map(gone.map((id) => [id, this.#resources.get(id)?.metadata.uid]));
    const isThere = (id: string) => this.#resources.get(id)?.metadata.uid === known.get(id) && this.#resources.has(id);
    while (this.#revision < version || gone.some(isThere)) await Promise.race([this.#followed.promise, over]);
  }

  #outcome({ outcomes }: Difference, revision: number, { set }: Transaction): Committed {
    return {
      revision,
      set: outcomes.map((one, at) => {
        if ("kept" in one) return { revision: one.kept, created: false };
        return { revision: this.#routes.get(`${set[at]?.id}`)?.revision ?? revision, created: one.created };
      }),
    };
  }
}

function unavailable(thrown: unknown, where: string): Unavailable {
  if (thrown instanceof Unavailable) return thrown;
  const next = "see whether the API server can be reached and the rights of `keyway render rbac --server` are there";
  return new Unavailable(`the API server can't be asked: ${reason(thrown)}`, { where, next, cause: thrown });
}
