// The Sandboxes as the cluster has them, and the routes that they stand for.
import type { LiveRoute } from "../routes/model/live-route.ts";
import { qualified } from "../routes/model/qualify.ts";
import { fromResource, ROUTE_API, ROUTE_KIND, type RouteResource } from "../routes/model/route-resource.ts";
import { SANDBOX_API, SANDBOX_KIND, SANDBOX_LABEL, type SandboxResource } from "../routes/model/sandbox.ts";
import { readLiveRoute } from "../routes/reading/live-route.ts";
import type { Cluster } from "../shared/cluster/cluster.ts";
import { Informer } from "../shared/cluster/informer.ts";
import type { KubeObject } from "../shared/cluster/object.ts";
import type { ForkService } from "./plan/sandbox.ts";
import { SandboxTable, type TableChange } from "./plan/sandbox-table.ts";

export interface ClusterTableSettings {
  /** Followed until its signal is aborted. */
  cluster: Cluster;
  /** The namespace whose Routes have their names for ids. */
  home: string;
  /** Called with the Sandboxes of which there is something else to say; `isNew` where the Sandbox itself has become another one. */
  changed: (sandbox: string, isNew: boolean) => void;
  /** Told once for each time that a kind can't be read. */
  failed: (kind: string, thrown: unknown) => void;
}

export class ClusterTable {
  readonly table = new SandboxTable();
  readonly #sandboxes: Informer<KubeObject, SandboxResource>;
  readonly #informers: Informer<KubeObject, never>[];
  readonly #changed: ClusterTableSettings["changed"];
  #isSynced = false;

  constructor({ cluster, home, changed, failed }: ClusterTableSettings) {
    this.#changed = changed;
    const follow = <Kept>(
      apiVersion: string,
      kind: string,
      rest: Pick<ConstructorParameters<typeof Informer<KubeObject, Kept>>[1], "keep" | "onChange" | "labelSelector">,
    ) => {
      const onTrouble = (thrown: unknown) => failed(kind, thrown);
      return new Informer<KubeObject, Kept>(cluster, { apiVersion, kind, onTrouble, mostRetryMs: 30_000, ...rest });
    };
    this.#sandboxes = follow<SandboxResource>(SANDBOX_API, SANDBOX_KIND, {
      keep: withoutManagedFields,
      onChange: (before, after) => this.#put(before, after),
    });
    const routes = follow<KeptRoute>(ROUTE_API, ROUTE_KIND, {
      keep: (resource) => keptRoute(resource, home),
      onChange: (before, after) => {
        const { id = "", route } = after ?? before ?? {};
        this.#tell(after && route ? this.table.putRoute(route) : this.table.removeRoute(id));
      },
    });
    const forks = follow<ForkService>("v1", "Service", {
      labelSelector: SANDBOX_LABEL,
      keep: ({ metadata }) => ({ metadata: withoutManagedFields({ metadata }).metadata }),
      onChange: (before, after) => {
        const { namespace = "", name = "" } = before?.metadata ?? {};
        this.#tell(after ? this.table.putFork(after) : this.table.removeFork(namespace, name));
      },
    });
    this.#informers = [this.#sandboxes, routes, forks] as unknown as Informer<KubeObject, never>[];
  }

  /** Resolves once everything has been read for the first time; until then nothing is told. */
  async start(): Promise<void> {
    for (const informer of this.#informers) void informer.start();
    await Promise.all(this.#informers.map(({ synced }) => synced));
    this.#isSynced = true;
    for (const { metadata } of this.#sandboxes.values()) this.#changed(`${metadata.namespace}/${metadata.name}`, true);
  }

  get(name: string): SandboxResource | undefined {
    const [namespace = "", short = ""] = name.split("/");
    return this.#sandboxes.get(namespace, short);
  }

  names(): string[] {
    return [...this.#sandboxes.values()].map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  }

  async ended(): Promise<void> {
    await Promise.all(this.#informers.map((informer) => informer.ended()));
  }

  #put(before: SandboxResource | undefined, after: SandboxResource | undefined): void {
    const { namespace = "", name = "" } = (after ?? before)?.metadata ?? {};
    this.#tell(after ? this.table.putSandbox(after) : this.table.removeSandbox(namespace, name));
    if (this.#isSynced) this.#changed(`${namespace}/${name}`, !isSame(before, after));
  }

  #tell({ verdicts }: TableChange): void {
    if (this.#isSynced) for (const name of verdicts) this.#changed(name, false);
  }
}

/** Whether nothing but the status or the like is another one. */
function isSame(before: SandboxResource | undefined, after: SandboxResource | undefined): boolean {
  const one = before?.metadata;
  const other = after?.metadata;
  return (
    one?.uid === other?.uid &&
    one?.generation === other?.generation &&
    one?.deletionTimestamp === other?.deletionTimestamp
  );
}

interface KeptRoute {
  id: string;
  /** Absent for what is no route, and for a route without a key, which is nobody's rival. */
  route?: LiveRoute;
}

function keptRoute(resource: KubeObject, home: string): KeptRoute {
  const { namespace = "", name = "" } = resource.metadata ?? {};
  const id = namespace === home ? name : `${namespace}/${name}`;
  try {
    const { id: _, ...entry } = fromResource(resource as RouteResource);
    const route = readLiveRoute(entry, { now: 0, id, path: ["spec"] });
    if (Array.isArray(route) || route.key === undefined) return { id };
    return { id, route: namespace === home ? route : qualified(route, namespace) };
  } catch {
    // The route server tells what is wrong with it.
    return { id };
  }
}

function withoutManagedFields(object: KubeObject): SandboxResource {
  const { managedFields: _, ...metadata } = object.metadata ?? {};
  return { ...object, metadata } as SandboxResource;
}
