import {
  fromResource,
  isResourceName,
  ROUTE_API,
  ROUTE_KIND,
  type RouteResource,
  toResource,
} from "../../routes/model/route-resource.ts";
import { fits } from "../../server/state/filter.ts";
import { atOnce } from "../../shared/at-once.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import { writeTogether } from "../../shared/cluster/write-together.ts";
import { KeywayError } from "../../shared/errors.ts";
import { count } from "../cli/output.ts";
import type { ListFilter } from "../server-client/client.ts";
import { explainMissingKind } from "./missing-kind.ts";
import { type Changes, type Listed, type RouteTable, type TableRoute, type WantedRoute, withExpiry } from "./table.ts";

/** Requests at one time. */
const AT_ONCE = 16;

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
    return (await this.#find(ids)).filter((object) => object !== undefined).map(fromResource);
  }

  /** The API server validates everything before anything is changed; where a change fails then, the others are taken back. */
  async commit({ set, delete: gone }: Changes, told: (text: string) => void = () => {}): Promise<undefined> {
    const ids = [...set.map(({ id }) => id), ...gone];
    const there = await this.#find(ids);
    const writes = ids.map((id, at) => {
      const wanted = set[at];
      return { ref: this.#ref(id), before: there[at], wanted: wanted && this.#toObject(wanted) };
    });
    let done = 0;
    await writeTogether<RouteObject>(this.#cluster, writes, {
      way: "apply",
      done: () => told(`${++done} of ${count(ids.length, "change is", "changes are")} made`),
    }).catch(explainMissingKind(ROUTE_KIND));
  }

  async renew(ids: readonly string[], ttl: string): Promise<void> {
    const routes = await this.get(ids);
    await this.commit({ set: routes.map(({ expires: _, ...route }) => ({ ...route, ttl })), delete: [] });
  }

  #find(ids: readonly string[]): Promise<(RouteObject | undefined)[]> {
    return atOnce(AT_ONCE, ids, (id) => this.#cluster.get<RouteObject>(this.#ref(id)));
  }

  #ref(name: string) {
    return { apiVersion: ROUTE_API, kind: ROUTE_KIND, metadata: { name, namespace: this.#namespace } };
  }

  #toObject(wanted: WantedRoute): RouteResource {
    const { id = "", ...route } = withExpiry(wanted);
    if (isResourceName(id)) return toResource({ ...route, id }, this.#namespace);
    throw new KeywayError(`${id} is no name of a Kubernetes resource`, {
      next: "give an id of lower case letters, digits, - and . with --id, or none",
    });
  }
}
