import type { ForkService } from "../../../controller/plan/sandbox.ts";
import { SandboxTable, type TableChange } from "../../../controller/plan/sandbox-table.ts";
import type { LiveRoute } from "../../../routes/model/live-route.ts";
import { qualified } from "../../../routes/model/qualify.ts";
import { fromResource, type RouteResource } from "../../../routes/model/route-resource.ts";
import type { SandboxResource } from "../../../routes/model/sandbox.ts";
import { formatPath } from "../../../routes/reading/diagnostic.ts";
import { readLiveRoute } from "../../../routes/reading/live-route.ts";
import type { KubeObject, Meta } from "../../../shared/cluster/object.ts";
import { reason } from "../../../shared/errors.ts";
import { idOf } from "./route-ids.ts";

export type Resource = KubeObject & Pick<RouteResource, "spec"> & { metadata: Meta };

/** What a route is now; of a resource of its own also the version of that. */
export interface Current {
  route: LiveRoute;
  version?: number;
}

/** The routes for which the resources of a cluster stand: Routes, Sandboxes and the Services of forks, in whatever order they come. */
export class ResourceTable {
  readonly sandboxes = new SandboxTable();
  readonly #home: string;
  readonly #invalid: (name: string, why: string) => void;
  /** What has become of routes since it was taken; undefined for those that are gone. */
  #changes = new Map<string, Current | undefined>();
  #verdicts = new Set<string>();

  /** Services without a namespace are those of the Route's own, but in the home namespace those of whoever calls. */
  constructor(home: string, invalid: (name: string, why: string) => void) {
    this.#home = home;
    this.#invalid = invalid;
  }

  /** What has become of routes, and the Sandboxes of which there may be something else to say, since this was last asked. */
  take(): { changes: Map<string, Current | undefined>; verdicts: string[] } {
    const taken = { changes: this.#changes, verdicts: [...this.#verdicts] };
    this.#changes = new Map();
    this.#verdicts = new Set();
    return taken;
  }

  /** A resource that is no route takes the one away that it was before: nobody can say what it means. */
  changeRoute(before: Resource | undefined, after: Resource | undefined): void {
    const metadata = (after ?? before)?.metadata ?? {};
    const id = idOf(metadata, this.#home);
    const route = after && this.#read(after, id);
    if (route === undefined) {
      this.#changes.set(id, undefined);
      this.#note(this.sandboxes.removeRoute(id));
    } else {
      this.#changes.set(id, { route, version: Number(metadata.resourceVersion) });
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
    for (const name of verdicts) this.#verdicts.add(name);
  }

  #read(resource: Resource, id: string): LiveRoute | undefined {
    const { namespace = "" } = resource.metadata;
    try {
      // One that has expired is a route all the same, for whoever deletes it.
      const { id: _, ...entry } = fromResource(resource);
      const route = readLiveRoute(entry, { now: 0, id, path: ["spec"] });
      if (!Array.isArray(route)) return namespace === this.#home ? route : qualified(route, namespace);
      const [first] = route;
      this.#invalid(id, `${formatPath(first?.path ?? [])}: ${first?.message}`);
    } catch (thrown) {
      this.#invalid(id, reason(thrown));
    }
    return undefined;
  }
}
