// Writes routes as resources. Kubernetes has no transactions: several writes are tried first, and taken back where one of them fails
// all the same.
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { LiveRoute } from "../../../routes/model/live-route.ts";
import { ROUTE_API, ROUTE_KIND, type RouteResource, toResource } from "../../../routes/model/route-resource.ts";
import { ApiError, statusOf, wasNeverSent } from "../../../shared/cluster/api-errors.ts";
import type { Cluster } from "../../../shared/cluster/cluster.ts";
import type { KubeObject, Meta, Ref } from "../../../shared/cluster/object.ts";
import { reason } from "../../../shared/errors.ts";
import type { Difference } from "../difference.ts";
import { Unavailable, Unfit } from "../store.ts";

export type Resource = KubeObject & Pick<RouteResource, "spec"> & { metadata: Meta & { uid?: string } };

export interface Written {
  /** Of what was put, each a resourceVersion. */
  versions: number[];
  /** The uids of what was deleted, by id. */
  gone: ReadonlyMap<string, string | undefined>;
}

interface Step {
  id: string;
  before: Resource | undefined;
  /** Undefined for a deletion. */
  wanted: Resource | undefined;
}

interface Done extends Step {
  /** What the API server has now; "unknown" where its answer was lost. */
  after: Resource | undefined | "unknown";
}

export interface WriterSettings {
  cluster: Cluster;
  namespace: string;
  /** How long taking back is tried. */
  takeBackMs: number;
  retryMs: number;
}

export class Writer {
  readonly #settings: WriterSettings;

  constructor(settings: WriterSettings) {
    this.#settings = settings;
  }

  /** Writes over `known`; undefined where a resource is another one by now. Throws Unfit or Unavailable. */
  async write({ set, delete: gone }: Difference, known: ReadonlyMap<string, Resource>): Promise<Written | undefined> {
    const steps: Step[] = [
      ...set.map((route) => ({ id: route.id, before: known.get(route.id), wanted: this.#resourceOf(route, known) })),
      ...gone.map((id) => ({ id, before: known.get(id), wanted: undefined })),
    ];
    const done: Done[] = [];
    try {
      if (steps.length > 1) for (const step of steps) await this.#take(step, true);
      for (const step of steps) done.push({ ...step, after: await this.#carryOut(step, done) });
    } catch (thrown) {
      // One write is whole, whether it was carried out or not.
      const left = steps.length > 1 ? await this.#takeBack(done) : done.map(({ id }) => id);
      if (left.length === 0 && statusOf(thrown) === 409) return undefined;
      throw this.#failure(thrown, left);
    }
    return {
      versions: done.flatMap(({ after }) => (typeof after === "object" ? Number(after.metadata.resourceVersion) : [])),
      gone: new Map(done.flatMap(({ id, before, wanted }) => (wanted ? [] : [[id, before?.metadata.uid]]))),
    };
  }

  #resourceOf(route: LiveRoute, known: ReadonlyMap<string, Resource>): Resource {
    const resource = toResource(route, this.#settings.namespace);
    const before = known.get(route.id);
    if (before === undefined) return resource;
    // What others keep in the metadata stays: owner references, finalizers, annotations.
    const { managedFields: _, annotations = {}, ...metadata } = before.metadata;
    const others = Object.entries(annotations).filter(([name]) => !name.startsWith("keyway.dev/"));
    return {
      ...resource,
      metadata: {
        ...metadata,
        labels: resource.metadata.labels,
        annotations: { ...Object.fromEntries(others), ...resource.metadata.annotations },
      },
    };
  }

  async #take({ id, before, wanted }: Step, dryRun: boolean): Promise<Resource | undefined> {
    const { cluster } = this.#settings;
    if (wanted !== undefined) return before ? cluster.replace(wanted, dryRun) : cluster.create(wanted, dryRun);
    await cluster.remove(this.#ref(id), before?.metadata.resourceVersion, dryRun);
    return undefined;
  }

  /** A write whose answer was lost is noted among those that are done: it may be one of them. */
  async #carryOut(step: Step, done: Done[]): Promise<Resource | undefined> {
    try {
      return await this.#take(step, false);
    } catch (thrown) {
      const status = statusOf(thrown);
      if (status === undefined ? !wasNeverSent(thrown) : status >= 500) done.push({ ...step, after: "unknown" });
      throw thrown;
    }
  }

  /** The ids of what may be written all the same. */
  async #takeBack(done: readonly Done[]): Promise<string[]> {
    const { cluster, takeBackMs, retryMs } = this.#settings;
    const left = [...done];
    for (const until = Date.now() + takeBackMs; left.length > 0; ) {
      const [last] = left.slice(-1);
      if (last && (await this.#isBack(last))) left.pop();
      else if (Date.now() >= until || cluster.options.signal.aborted) break;
      else await sleep(retryMs, undefined, { signal: cluster.options.signal }).catch(() => {});
    }
    return left.map(({ id }) => id);
  }

  async #isBack({ id, before, wanted, after }: Done): Promise<boolean> {
    const { cluster } = this.#settings;
    try {
      const now = after === "unknown" ? await cluster.get<Resource>(this.#ref(id)) : after;
      if (after === "unknown" && !isWritten(now, { id, before, wanted })) return true;
      const version = now?.metadata.resourceVersion;
      if (before === undefined) await cluster.remove(this.#ref(id), version);
      else if (now === undefined) await cluster.create(renewed(before));
      else await cluster.replace({ ...before, metadata: { ...before.metadata, resourceVersion: version } });
      return true;
    } catch (thrown) {
      // What somebody else has changed meanwhile is theirs.
      return [404, 409].includes(statusOf(thrown) ?? 0);
    }
  }

  #ref(name: string): Ref {
    return { apiVersion: ROUTE_API, kind: ROUTE_KIND, metadata: { name, namespace: this.#settings.namespace } };
  }

  #failure(thrown: unknown, left: readonly string[]): Unfit | Unavailable {
    const { server } = this.#settings.cluster;
    if (left.length === 0 && thrown instanceof ApiError && thrown.isUnfit) {
      return new Unfit(thrown.message, { where: server, cause: thrown, ...(thrown.next && { next: thrown.next }) });
    }
    if (left.length === 0) return unavailable(thrown, server);
    const names = `${left.slice(0, 10).join(", ")}${left.length > 10 ? ` and ${left.length - 10} more` : ""}`;
    return new Unavailable(
      `the API server fails in the middle of a write (${reason(thrown)}). Of the transaction these routes may be written all the same: ${names}`,
      {
        where: server,
        next: "look at them once the API server is well, and write the transaction again",
        cause: thrown,
      },
    );
  }
}

function isWritten(now: Resource | undefined, { before, wanted }: Step): boolean {
  if (now === undefined || wanted === undefined) return now === wanted;
  return now.metadata.resourceVersion !== before?.metadata.resourceVersion && isDeepStrictEqual(now.spec, wanted.spec);
}

/** The same, to be created once more. */
function renewed({ metadata, ...rest }: Resource): Resource {
  const { uid: _, resourceVersion: __, ...kept } = metadata;
  return { ...rest, metadata: kept };
}

export function unavailable(thrown: unknown, where: string): Unavailable {
  if (thrown instanceof Unavailable) return thrown;
  const next = "see whether the API server can be reached and the rights of `keyway render rbac --server` are there";
  return new Unavailable(`the API server can't be asked: ${reason(thrown)}`, { where, next, cause: thrown });
}
