// Follows the Services, pods and rules of some namespaces, and keeps subsets and Routes for the versions of their pods.
import { isDeepStrictEqual } from "node:util";
import { ROUTE_API, ROUTE_KIND, type RouteResource } from "../../routes/model/route-resource.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { Informer } from "../../shared/cluster/informer.ts";
import { type KubeObject, refOf, title } from "../../shared/cluster/object.ts";
import { reason } from "../../shared/errors.ts";
import type { Events } from "../events.ts";
import { type QueueSettings, WorkQueue } from "../queue.ts";
import type { Log } from "../term.ts";
import {
  type DestinationRule,
  destinationRule,
  destinationRuleName,
  ISTIO_API,
  isOurs,
  kept,
  keptService,
  OVERRIDES_LABEL,
  type PodObject,
  type ServiceObject,
  type Subset,
  subsetOf,
  type VersionedPod,
  type VirtualService,
  versionedPod,
} from "./objects.ts";
import { type Wanted, wantedFor } from "./wanted.ts";

export interface OverridesSettings {
  /** Followed until its signal is aborted. */
  cluster: Cluster;
  namespaces: readonly string[];
  /** The DNS domain of the mesh. */
  domain: string;
  events: Pick<Events, "tell">;
  log: Log;
  queue?: Partial<Pick<QueueSettings, "firstRetryMs" | "mostRetryMs">>;
  /** How long a subset stays after the route that led there, so that no proxy has the route without its target. */
  lingerMs?: number;
  /** How long a subset is there with a pod that is ready before a route leads there, for the same reason. */
  settleMs?: number;
}

const LINGER_MS = 5000;
/** Istio gathers changes for 100 ms and more before it tells its proxies. */
const SETTLE_MS = 500;

/** What is followed of one namespace, and as much of it as is looked at. */
class Namespace {
  readonly services: Informer<ServiceObject>;
  readonly pods: Informer<PodObject, VersionedPod | undefined>;
  readonly destinationRules: Informer<DestinationRule>;
  readonly virtualServices: Informer<VirtualService>;
  readonly routes: Informer<RouteResource & KubeObject>;

  constructor(
    cluster: Cluster,
    namespace: string,
    changed: (object: KubeObject | undefined) => void,
    failed: (kind: string, thrown: unknown) => void,
  ) {
    const follow = <T extends KubeObject, Kept>(apiVersion: string, kind: string, keep: (object: T) => Kept) =>
      new Informer<T, Kept>(cluster, {
        ...{ apiVersion, kind, namespace, keep, mostRetryMs: 30_000 },
        onChange: (before, after) => {
          if (!isDeepStrictEqual(before, after)) changed((after ?? before) as KubeObject | undefined);
        },
        onTrouble: (thrown) => failed(kind, thrown),
      });
    this.services = follow("v1", "Service", keptService);
    this.pods = follow("v1", "Pod", versionedPod);
    this.destinationRules = follow(ISTIO_API, "DestinationRule", kept<DestinationRule>);
    this.virtualServices = follow(ISTIO_API, "VirtualService", kept<VirtualService>);
    this.routes = follow(ROUTE_API, ROUTE_KIND, kept<RouteResource & KubeObject>);
  }

  get informers() {
    return [this.services, this.pods, this.destinationRules, this.virtualServices, this.routes];
  }
}

export class Overrides {
  readonly #settings: Required<Pick<OverridesSettings, "lingerMs" | "settleMs">> & OverridesSettings;
  readonly #namespaces: ReadonlyMap<string, Namespace>;
  readonly #queue: WorkQueue;
  /** When each subset was first seen without a route, by Service and subset. */
  readonly #unused = new Map<string, number>();
  /** Since when the subsets of each Service can be routed to. */
  readonly #usable = new Map<string, ReadonlyMap<string, number>>();
  /** What was written of an object since its watch has told of it. */
  readonly #written = new Map<string, unknown>();
  readonly #told = new Map<string, string>();
  /** Namespaces of which everything has been read once. */
  readonly #begun = new Set<string>();

  constructor(settings: OverridesSettings) {
    this.#settings = { lingerMs: LINGER_MS, settleMs: SETTLE_MS, ...settings };
    const { cluster, namespaces, log, queue = {} } = settings;
    this.#namespaces = new Map(
      namespaces.map((namespace) => {
        const failed = (kind: string, thrown: unknown) =>
          log.error(
            { namespace, why: reason(thrown) },
            `${kind}s can't be read, so routes to versions stay as they are`,
          );
        return [namespace, new Namespace(cluster, namespace, (object) => this.#changed(namespace, object), failed)];
      }),
    );
    this.#queue = new WorkQueue({
      ...queue,
      work: (name) => this.#work(name),
      failed: (name, thrown, retryMs) => {
        if (cluster.options.signal.aborted) return;
        log.error(
          { service: name, why: reason(thrown), retryMs },
          "routes to versions can't be written; it is tried again",
        );
      },
    });
  }

  /** Resolves once the signal is aborted and nothing more is under way. */
  async run(): Promise<void> {
    const { signal } = this.#settings.cluster.options;
    const over = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    const all = [...this.#namespaces.values()].flatMap(({ informers }) => informers as Informer<KubeObject, unknown>[]);
    for (const informer of all) void informer.start();
    for (const [name, { informers }] of this.#namespaces) {
      void Promise.all(informers.map(({ synced }) => synced)).then(() => this.#begin(name));
    }
    await over;
    await this.#queue.close();
    await Promise.all(all.map((informer) => informer.ended()));
  }

  #begin(namespace: string): void {
    this.#begun.add(namespace);
    this.#changed(namespace);
  }

  /** Which Services a change touches is not worth working out: the work on one that it does not touch writes nothing. */
  #changed(namespace: string, object?: KubeObject): void {
    if (object?.kind !== undefined) this.#written.delete(title(object));
    const known = this.#namespaces.get(namespace);
    if (known === undefined || !this.#begun.has(namespace)) return;
    const owned = [...known.routes.values(), ...known.destinationRules.values()];
    const names = new Set([...known.services.values(), ...owned.filter(isOurs)].map(serviceName));
    for (const name of names) this.#queue.add(`${namespace}/${name}`);
  }

  async #work(name: string): Promise<number | undefined> {
    const [namespace = "", short = ""] = name.split("/");
    const known = this.#namespaces.get(namespace);
    if (known === undefined || this.#settings.cluster.options.signal.aborted) return undefined;
    const service = known.services.get(namespace, short);
    const wanted = this.#wanted(service, known);
    if (service) this.#tell(service, name, wanted.told);
    const isOf = (object: KubeObject) => isOurs(object) && serviceName(object) === short;
    const named = known.destinationRules.get(namespace, destinationRuleName(short));
    const rule = named && isOf(named) ? named : undefined;
    const routes = [...known.routes.values()].filter(isOf);

    const { subsets, again } = this.#withLingering(name, wanted.subsets, rule?.spec?.subsets ?? []);
    // Somebody else's of this very name stays as it is.
    if (service && subsets.length > 0 && named === rule)
      await this.#put(destinationRule(service, subsets, this.#settings.domain), rule);
    const settled = this.#settled(name, wanted, { routes, rule });
    for (const route of settled.routes) {
      await this.#put(
        route as KubeObject,
        routes.find(({ metadata }) => metadata.name === route.metadata.name),
      );
    }
    const kept = new Set(settled.routes.map(({ metadata }) => metadata.name));
    for (const route of routes) if (!kept.has(route.metadata.name)) await this.#settings.cluster.remove(refOf(route));
    if (rule && subsets.length === 0) await this.#settings.cluster.remove(refOf(rule));
    const times = [again, settled.again].filter((one) => one !== undefined);
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  #wanted(service: ServiceObject | undefined, known: Namespace): Wanted {
    if (service === undefined) return { subsets: [], routes: [], told: [] };
    return wantedFor(service, {
      pods: [...known.pods.values()].filter((pod) => pod !== undefined),
      destinationRules: known.destinationRules.values(),
      virtualServices: known.virtualServices.values(),
      routes: known.routes.values(),
      domain: this.#settings.domain,
    });
  }

  /** Subsets are there before their routes and go after them. `again`: the milliseconds until the next one may go. */
  #withLingering(name: string, wanted: readonly Subset[], there: readonly Subset[]) {
    const { lingerMs } = this.#settings;
    const now = performance.now();
    const names = new Set(wanted.map((one) => one.name));
    for (const one of names) this.#unused.delete(`${name} ${one}`);
    const lingering = there.filter((one) => {
      const place = `${name} ${one.name}`;
      if (names.has(one.name)) return false;
      const since = this.#unused.get(place) ?? now;
      this.#unused.set(place, since);
      if (now - since < lingerMs) return true;
      this.#unused.delete(place);
      return false;
    });
    const subsets = [...wanted, ...lingering].sort((a, b) => (a.name < b.name ? -1 : 1));
    return { subsets, again: lingering.length > 0 ? lingerMs : undefined };
  }

  /** The routes whose targets proxies know by now, or had before. `again`: the milliseconds until the next one may be added. */
  #settled(
    name: string,
    { routes, subsets }: Wanted,
    there: { routes: readonly RouteResource[]; rule: DestinationRule | undefined },
  ) {
    const now = performance.now();
    // Without subsets of its own it is somebody else's rule that has them.
    const known = new Set((subsets.length === 0 ? [] : (there.rule?.spec?.subsets ?? [])).map((one) => one.name));
    const before = this.#usable.get(name);
    const usable = new Map<string, number>();
    for (const subset of routes.map(subsetOf)) {
      if (subsets.length === 0 || known.has(subset)) usable.set(subset, before?.get(subset) ?? now);
    }
    if (usable.size > 0) this.#usable.set(name, usable);
    else this.#usable.delete(name);
    const waits: number[] = [];
    const settled = routes.filter((route) => {
      const own = there.routes.find(({ metadata }) => metadata.name === route.metadata.name);
      if (isDeepStrictEqual(own?.spec, route.spec)) return true;
      const since = usable.get(subsetOf(route));
      if (since === undefined) return false;
      const left = since + this.#settings.settleMs - now;
      if (left > 0) waits.push(left);
      return left <= 0;
    });
    return { routes: settled, again: waits.length > 0 ? Math.min(...waits) : undefined };
  }

  async #put(object: KubeObject & { spec?: unknown }, there: { spec?: unknown } | undefined): Promise<void> {
    const name = title(object);
    if ([there?.spec, this.#written.get(name)].some((spec) => isDeepStrictEqual(spec, object.spec))) return;
    await this.#settings.cluster.apply(object, { force: true });
    this.#written.set(name, object.spec);
  }

  #tell(service: ServiceObject, name: string, told: readonly string[]): void {
    const text = told.join("; ");
    if (this.#told.get(name) === text) return;
    this.#told.set(name, text);
    for (const note of told) {
      this.#settings.log.warn({ service: name, why: note }, "versions");
      const object = { ...service, apiVersion: "v1", kind: "Service" };
      this.#settings.events.tell(object, { type: "Warning", reason: "Overrides", note, action: "Routing" });
    }
  }
}

/** The Service that an object is, or was made for. */
function serviceName({ metadata }: KubeObject): string {
  return metadata?.labels?.[OVERRIDES_LABEL] ?? metadata?.name ?? "";
}
