import { isDeepStrictEqual } from "node:util";
import type { RouteVerdict } from "../../../controller/plan/route-verdict.ts";
import type { ForkService } from "../../../controller/plan/sandbox.ts";
import { SandboxTable, type TableChange } from "../../../controller/plan/sandbox-table.ts";
import { Twins } from "../../../controller/plan/twins.ts";
import type { LiveRoute } from "../../../routes/model/live-route.ts";
import { qualified } from "../../../routes/model/qualify.ts";
import {
  fromResource,
  OWNER_ANNOTATION,
  type RouteResource,
  type RouteResourceStatus,
} from "../../../routes/model/route-resource.ts";
import type { SandboxResource } from "../../../routes/model/sandbox.ts";
import { formatPath } from "../../../routes/reading/diagnostic.ts";
import { readLiveRoute } from "../../../routes/reading/live-route.ts";
import type { KubeObject, Meta } from "../../../shared/cluster/object.ts";
import { reason } from "../../../shared/errors.ts";
import { idOf } from "./route-ids.ts";

export type Resource = KubeObject & Pick<RouteResource, "spec"> & { metadata: Meta; status?: RouteResourceStatus };

/** What a route is now; of a resource of its own also the version with which that became so. */
export interface Current {
  route: LiveRoute;
  version?: number;
}

/** The routes for which the resources of a cluster stand: Routes, Sandboxes and the Services of forks, in whatever order they come. */
export class ResourceTable {
  readonly sandboxes = new SandboxTable();
  readonly #home: string;
  readonly #invalid: (name: string, why: string) => void;
  /** Why Routes are none, by id. */
  readonly #wrong = new Map<string, string>();
  readonly #twins = new Twins();
  /** What has become of routes since it was taken; undefined for those that are gone. */
  #changes = new Map<string, Current | undefined>();
  #verdicts = { sandboxes: new Set<string>(), routes: new Set<string>() };

  /** Services without a namespace are those of the Route's own, but in the home namespace those of whoever calls. */
  constructor(home: string, invalid: (name: string, why: string) => void) {
    this.#home = home;
    this.#invalid = invalid;
  }

  /** What has become of routes, and the Sandboxes and Routes of which there may be something else to say, since this was last asked. */
  take(): { changes: Map<string, Current | undefined>; verdicts: { sandboxes: Set<string>; routes: Set<string> } } {
    const taken = { changes: this.#changes, verdicts: this.#verdicts };
    this.#changes = new Map();
    this.#verdicts = { sandboxes: new Set(), routes: new Set() };
    return taken;
  }

  /** What there is to say of a Route, as far as the resources alone tell. */
  routeVerdict(id: string): RouteVerdict {
    const wrong = this.#wrong.get(id);
    const twins = this.#twins.before(id);
    return { ...(wrong !== undefined && { wrong }), ...(twins.length > 0 && { twins }) };
  }

  /** A resource that is no route takes the one away that it was before: nobody can say what it means. */
  changeRoute(before: Resource | undefined, after: Resource | undefined): void {
    if (before && after && saysTheSame(before, after)) return;
    const metadata = (after ?? before)?.metadata ?? {};
    const id = idOf(metadata, this.#home);
    this.#wrong.delete(id);
    const route = after && this.#read(after, id);
    for (const twin of this.#twins.put(id, route)) this.#verdicts.routes.add(twin);
    if (after === undefined || route === undefined) {
      this.#changes.set(id, undefined);
      this.#note(this.sandboxes.removeRoute(id));
    } else {
      this.#changes.set(id, { route, version: before ? Number(metadata.resourceVersion) : versionOf(after) });
      this.#note(this.sandboxes.putRoute(route));
    }
  }

  changeSandbox(before: SandboxResource | undefined, after: SandboxResource | undefined): void {
    const { namespace = "", name = "" } = before?.metadata ?? {};
    this.#note(after ? this.sandboxes.putSandbox(after) : this.sandboxes.removeSandbox(namespace, name));
  }

  changeFork(before: ForkService | undefined, after: ForkService | undefined): void {
    const { namespace = "", name = "" } = before?.metadata ?? {};
    this.#note(after ? this.sandboxes.putFork(after) : this.sandboxes.removeFork(namespace, name));
  }

  #note({ set, delete: gone, verdicts }: TableChange): void {
    for (const id of gone) this.#changes.set(id, undefined);
    for (const route of set) this.#changes.set(route.id, { route });
    for (const name of verdicts) this.#verdicts.sandboxes.add(name);
  }

  #read(resource: Resource, id: string): LiveRoute | undefined {
    const { namespace = "" } = resource.metadata;
    try {
      // One that has expired is a route all the same, for whoever deletes it.
      const { id: _, ...entry } = fromResource(resource);
      const route = readLiveRoute(entry, { now: 0, id, path: ["spec"] });
      if (!Array.isArray(route)) return namespace === this.#home ? route : qualified(route, namespace);
      const [first] = route;
      this.#isWrong(id, `${formatPath(first?.path ?? [])}: ${first?.message}`);
    } catch (thrown) {
      this.#isWrong(id, reason(thrown));
    }
    return undefined;
  }

  #isWrong(id: string, why: string): void {
    this.#wrong.set(id, why);
    this.#invalid(id, why);
  }
}

/** Whether the route that a resource stands for is the same: a status that was written is no change. */
function saysTheSame(before: Resource, after: Resource): boolean {
  const [one, other] = [before.metadata, after.metadata];
  return (
    one.uid === other.uid &&
    (one.generation === undefined ? isDeepStrictEqual(before.spec, after.spec) : one.generation === other.generation) &&
    one.annotations?.[OWNER_ANNOTATION] === other.annotations?.[OWNER_ANNOTATION] &&
    isDeepStrictEqual(one.labels, other.labels)
  );
}

/** The version with which a resource became the route that it is. Its status says it to those who have not seen that, so that all servers give
 * the route the same revision. */
function versionOf({ metadata = {}, status }: Resource): number {
  const version = Number(metadata.resourceVersion);
  const isAbout = status?.observedGeneration !== undefined && status.observedGeneration === metadata.generation;
  return isAbout && status.revision !== undefined ? Math.min(status.revision, version) : version;
}
