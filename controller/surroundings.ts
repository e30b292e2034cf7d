// What the controller takes from the route server beside it, as little as it needs.
import type { LiveRoute, StoredRoute } from "../routes/model/live-route.ts";
import type { RouteResourceStatus } from "../routes/model/route-resource.ts";
import type { SandboxResource } from "../routes/model/sandbox.ts";
import type { KubeObject, Meta } from "../shared/cluster/object.ts";
import type { Count } from "./plan/conditions.ts";
import type { RouteVerdict } from "./plan/route-verdict.ts";
import type { Verdict } from "./plan/sandbox-table.ts";

/** A Route, as far as its status is concerned. */
export type RouteObject = KubeObject & { metadata: Meta; status?: RouteResourceStatus };

/** Who is told of resources. `isNew` says that a resource is another one than before, and not only its status or what is to be said of it. */
export interface ResourceListener {
  /** `name` is `NAMESPACE/NAME`. */
  sandbox(name: string, isNew: boolean): void;
  /** `id` is that of the route. */
  route(id: string, isNew: boolean): void;
}

/** The resources of the cluster, as the route server beside it follows them, and what it makes of them. */
export interface Resources {
  /** Resolves once all have been read for the first time. */
  readonly synced: Promise<unknown>;
  sandboxes(): Iterable<SandboxResource>;
  sandbox(namespace: string, name: string): SandboxResource | undefined;
  verdict(namespace: string, name: string): Verdict | undefined;
  /** The ids of the Routes. */
  routes(): Iterable<string>;
  route(id: string): RouteObject | undefined;
  routeVerdict(id: string): RouteVerdict;
  /** What it returns ends it. */
  listen(listener: ResourceListener): () => void;
}

/** The live table that proxies are given. */
export interface LiveTable {
  readonly revision: number;
  get(id: string): StoredRoute | undefined;
  /** The proxies that have the table as it was at a revision, of those whose tables have one of the routes; undefined while not all servers
   * can be asked. */
  count(revision: number, routes: readonly LiveRoute[]): Promise<Count | undefined>;
}
