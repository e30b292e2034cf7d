import {
  fromResource,
  isResourceName,
  ROUTE_API,
  ROUTE_KIND,
  type RouteResource,
  toResource,
} from "../../routes/model/route-resource.ts";
import { fits } from "../../server/state/filter.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import { KeywayError } from "../../shared/errors.ts";
import { count } from "../cli/output.ts";
import { takeBack } from "../execute/apply.ts";
import type { ListFilter } from "../server-client/client.ts";
import { explainMissingKind } from "./missing-kind.ts";
import { type Changes, type Listed, type RouteTable, type TableRoute, type WantedRoute, withExpiry } from "./table.ts";

type RouteObject = KubeObject & Pick<RouteResource, "spec">;

/** The Route resources of one namespace of a Kubernetes cluster. */
export class ClusterTable implements RouteTable {
  readonly name: string;
  readonly #cluster: Cluster;
  readonly #namespace: string;

  constructor(cluster: Cluster, namespace: string) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.name = `the Routes in namespace ${namespace} of ${cluster.server}`;
  }

  async list(filter: ListFilter): Promise<Listed> {
    const scope = { namespace: this.#namespace };
    const objects = await this.#cluster
      .list<RouteObject>(ROUTE_API, ROUTE_KIND, scope)
      .catch(explainMissingKind(ROUTE_KIND));
    const routes = objects.map(fromResource).filter((route) => fits({ ...route, revision: 0 }, filter));
    return { routes: routes.sort((a, b) => (a.id < b.id ? -1 : 1)) };
  }

  async get(ids: readonly string[]): Promise<TableRoute[]> {
    const found = await Promise.all(ids.map((id) => this.#cluster.get<RouteObject>(this.#ref(id))));
    return found.filter((object) => object !== undefined).map(fromResource);
  }

  /** The API server validates everything before anything is changed; where a change fails then, those before it are taken back. */
  async commit({ set, delete: gone }: Changes, told: (text: string) => void = () => {}): Promise<undefined> {
    const objects = set.map((route) => this.#toObject(route));
    for (const object of objects) await this.#apply(object, true);
    const done: { object: KubeObject; before: KubeObject | undefined }[] = [];
    try {
      for (const object of objects) {
        const before = await this.#cluster.get<RouteObject>(this.#ref(object.metadata?.name ?? ""));
        done.push({ object: await this.#apply(object, false), before });
        told(`${done.length} of ${count(objects.length, "route is", "routes are")} applied`);
      }
      for (const id of gone) {
        const before = await this.#cluster.get<RouteObject>(this.#ref(id));
        if (before === undefined) continue;
        await this.#cluster.remove(this.#ref(id));
        done.push({ object: before, before });
      }
    } catch (thrown) {
      for (const { object, before } of done.reverse()) {
        await takeBack(this.#cluster, { object, before, outcome: before === undefined ? "created" : "configured" });
      }
      throw thrown;
    }
  }

  async renew(ids: readonly string[], ttl: string): Promise<void> {
    const routes = await this.get(ids);
    await this.commit({ set: routes.map(({ expires: _, ...route }) => ({ ...route, ttl })), delete: [] });
  }

  #ref(name: string) {
    return { apiVersion: ROUTE_API, kind: ROUTE_KIND, metadata: { name, namespace: this.#namespace } };
  }

  #apply(object: RouteObject, dryRun: boolean): Promise<RouteObject> {
    return this.#cluster.apply(object, { dryRun, force: true }).catch(explainMissingKind(ROUTE_KIND));
  }

  #toObject(wanted: WantedRoute): RouteResource {
    const { id = "", ...route } = withExpiry(wanted);
    if (isResourceName(id)) return toResource({ ...route, id }, this.#namespace);
    throw new KeywayError(`${id} is no name of a Kubernetes resource`, {
      next: "give an id of lower case letters, digits, - and . with --id, or none",
    });
  }
}
