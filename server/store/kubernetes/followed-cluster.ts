import type { RouteVerdict } from "../../../controller/plan/route-verdict.ts";
import type { ForkService } from "../../../controller/plan/sandbox.ts";
import type { Verdict } from "../../../controller/plan/sandbox-table.ts";
import type { ResourceListener, Resources } from "../../../controller/surroundings.ts";
import { ROUTE_API, ROUTE_KIND } from "../../../routes/model/route-resource.ts";
import {
  SANDBOX_API,
  SANDBOX_KIND,
  SANDBOX_LABEL,
  type SandboxResource,
  sandboxName,
} from "../../../routes/model/sandbox.ts";
import { statusOf } from "../../../shared/cluster/api-errors.ts";
import type { Cluster } from "../../../shared/cluster/cluster.ts";
import { Informer } from "../../../shared/cluster/informer.ts";
import type { KubeObject, Meta } from "../../../shared/cluster/object.ts";
import { reason } from "../../../shared/errors.ts";
import { Followed } from "../followed.ts";
import type { Change } from "../store.ts";
import { type Current, type Resource, ResourceTable } from "./resource-table.ts";
import { idOf, refOf } from "./route-ids.ts";

export interface FollowSettings {
  /** The namespace whose Routes have their names for ids. */
  namespace: string;
  retryMs: number;
  /** Told once for each version of a resource that is no route. */
  invalid: (name: string, why: string) => void;
  /** Told once for each time that Sandboxes, or the Services of their forks, can't be read. The Routes go on without them. */
  withoutSandboxes: (why: string) => void;
  /** The API server's data is older than what is known. */
  older: (version: number, known: number) => void;
}

/** Follows the Routes, Sandboxes and forks of all namespaces and makes changes of the table of them. */
export class FollowedCluster implements Resources {
  readonly synced: Promise<unknown>;
  readonly followed = new Followed();
  readonly #home: string;
  readonly #table: ResourceTable;
  readonly #listeners = new Set<ResourceListener>();
  readonly #routes: Informer<Resource>;
  readonly #sandboxes: Informer<KubeObject, SandboxResource>;
  readonly #forks: Informer<KubeObject, ForkService>;
  #known = 0;
  /** Of one transaction that is being written: its ids, and those that have changed together with them. */
  #held: Map<string, Current | undefined> | undefined;
  #heldIds: ReadonlySet<string> = new Set();
  #heldRevision = 0;

  constructor(cluster: Cluster, { namespace, retryMs, invalid, withoutSandboxes, older }: FollowSettings) {
    this.#home = namespace;
    this.#table = new ResourceTable(namespace, invalid);
    const common = { retryMs, mostRetryMs: Math.max(retryMs, MOST_RETRY_MS), onOlder: older };
    const onVersion = (version: number) => this.#settle(version);
    const onTrouble = (thrown: unknown) => withoutSandboxes(whyWithoutSandboxes(thrown));
    this.#routes = new Informer<Resource>(cluster, {
      ...common,
      apiVersion: ROUTE_API,
      kind: ROUTE_KIND,
      keep: withoutManagedFields,
      onChange: (before, after) => {
        this.#table.changeRoute(before, after);
        const id = idOf((after ?? before)?.metadata ?? {}, namespace);
        const isNew = !isSameSpec(before?.metadata, after?.metadata);
        for (const listener of this.#listeners) listener.route(id, isNew);
      },
      onVersion: (version) => {
        this.#known = version;
        this.#settle(version);
      },
    });
    this.#sandboxes = new Informer(cluster, {
      ...common,
      apiVersion: SANDBOX_API,
      kind: SANDBOX_KIND,
      keep: (sandbox) => withoutManagedFields(sandbox) as SandboxResource,
      onChange: (before, after) => {
        this.#table.changeSandbox(before, after);
        const name = sandboxName((after ?? before)?.metadata ?? {});
        const isNew = !isSameSpec(before?.metadata, after?.metadata);
        for (const listener of this.#listeners) listener.sandbox(name, isNew);
      },
      onVersion,
      onTrouble,
    });
    this.#forks = new Informer(cluster, {
      ...common,
      apiVersion: "v1",
      kind: "Service",
      labelSelector: SANDBOX_LABEL,
      keep: (service) => ({ metadata: withoutManagedFields(service).metadata }) as ForkService,
      onChange: (before, after) => this.#table.changeFork(before, after),
      onVersion,
      onTrouble,
    });
    this.synced = Promise.all([this.#routes.synced, this.#sandboxes.synced, this.#forks.synced]);
  }

  /** Reads all of them for a first time and goes on; throws where the Routes can't be read. */
  async start(): Promise<void> {
    await Promise.all([this.#routes.start(), this.#sandboxes.start(), this.#forks.start()]);
    // A watch that fails is tried again.
    if (!this.#routes.isSynced && this.#routes.trouble !== undefined) throw this.#routes.trouble;
  }

  /** Resolves once nothing more will be told. */
  async ended(): Promise<void> {
    await Promise.all([this.#routes.ended(), this.#sandboxes.ended(), this.#forks.ended()]);
  }

  /** Why the Routes can't be read at present. */
  get trouble(): unknown {
    return this.#routes.trouble;
  }

  /** What happened to Routes up to this version is known. */
  get known(): number {
    return this.#known;
  }

  resource({ namespace = "", name = "" }: Meta): Resource | undefined {
    return this.#routes.get(namespace, name);
  }

  sandboxes(): Iterable<SandboxResource> {
    return this.#sandboxes.values();
  }

  sandbox(namespace: string, name: string): SandboxResource | undefined {
    return this.#sandboxes.get(namespace, name);
  }

  verdict(namespace: string, name: string): Verdict | undefined {
    return this.#table.sandboxes.verdict(namespace, name);
  }

  *routes(): Generator<string> {
    for (const { metadata } of this.#routes.values()) yield idOf(metadata, this.#home);
  }

  route(id: string): Resource | undefined {
    return this.resource(refOf(id, this.#home).metadata);
  }

  routeVerdict(id: string): RouteVerdict {
    return this.#table.routeVerdict(id);
  }

  /** Changes are told once the table has them, but those of a transaction that is under way. */
  listen(listener: ResourceListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Keeps what happens to these routes back until the returned function is called: all of it is then told as one change. */
  hold(ids: Iterable<string>): () => void {
    this.#heldIds = new Set(ids);
    this.#held = new Map();
    this.#heldRevision = 0;
    return () => {
      const held = this.#held ?? new Map<string, Current | undefined>();
      this.#held = undefined;
      if (held.size > 0) this.#tell(this.#heldRevision, held);
      // Whoever looked at one of them meanwhile has seen what it was before.
      for (const listener of this.#listeners) for (const id of this.#heldIds) listener.route(id, false);
    };
  }

  #settle(version: number): void {
    const { changes, verdicts } = this.#table.take();
    const isHeld = (id: string) => this.#heldIds.has(id) || this.#held?.has(id);
    if (this.#held && [...changes.keys()].some(isHeld)) {
      for (const [id, current] of changes) this.#held.set(id, current);
      this.#heldRevision = Math.max(this.#heldRevision, version);
      this.followed.moved();
    } else this.#tell(version, changes);
    for (const listener of this.#listeners) {
      for (const name of verdicts.sandboxes) listener.sandbox(name, false);
      for (const id of verdicts.routes) listener.route(id, false);
    }
  }

  /** Events of several kinds come in any order, so the revision of a change may be greater than the version that it was made with. */
  #tell(version: number, changes: ReadonlyMap<string, Current | undefined>): void {
    const { routes, revision: last } = this.followed;
    const change: Change = { revision: Math.max(version, last + 1), set: [], delete: [] };
    for (const [id, current] of changes) {
      if (current === undefined) {
        if (routes.has(id)) change.delete.push(id);
        continue;
      }
      const { route, version: own = change.revision } = current;
      if (routes.get(id)?.revision !== own) change.set.push({ ...route, revision: own });
    }
    if (change.set.length > 0 || change.delete.length > 0) this.followed.apply(change);
    else this.followed.moved();
  }
}

/** The table is to be right again soon after the API server is there again. */
const MOST_RETRY_MS = 2000;

function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata ?? {};
  return { ...object, metadata };
}

type Leaving = Meta & { deletionTimestamp?: string };

/** Whether nothing but the status or the like is another one. */
function isSameSpec(before: Leaving | undefined, after: Leaving | undefined): boolean {
  return (
    before?.uid === after?.uid &&
    before?.generation === after?.generation &&
    before?.deletionTimestamp === after?.deletionTimestamp
  );
}

function whyWithoutSandboxes(thrown: unknown): string {
  const isMissing = statusOf(thrown) === 404;
  const next = isMissing
    ? "have an administrator run `keyway render crds | kubectl apply -f -`"
    : "see that the rights of `keyway render rbac --server` are there";
  return `${reason(thrown)}; ${next}; Routes are in force without them`;
}
