// What a controller does while it leads.
import type { LiveRoute } from "../routes/model/live-route.ts";
import { type SandboxResource, sandboxName } from "../routes/model/sandbox.ts";
import { isForbidden, isNotFound } from "../shared/cluster/api-errors.ts";
import type { Cluster } from "../shared/cluster/cluster.ts";
import type { KubeObject } from "../shared/cluster/object.ts";
import { KeywayError, reason } from "../shared/errors.ts";
import { Events } from "./events.ts";
import { TrustedClock } from "./expiry.ts";
import { Finalizers } from "./finalizers.ts";
import type { Forks } from "./forks/forks.ts";
import { InForceWatch, isInForce } from "./in-force.ts";
import { Line } from "./line.ts";
import { servicesOf } from "./plan/resolved.ts";
import type { Services } from "./plan/services.ts";
import type { QueueSettings } from "./queue.ts";
import { RouteWork } from "./routes.ts";
import { SandboxWork } from "./sandboxes.ts";
import { StatusWriter, WithoutStatus } from "./status.ts";
import type { LiveTable, Resources } from "./surroundings.ts";

export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface TermSettings {
  /** Its signal ends the term; everything is written under its field manager. */
  cluster: Cluster;
  /** The namespace of the Lease, whose Routes have their names for ids. */
  namespace: string;
  identity: string;
  /** The DNS domain of the mesh. */
  domain: string;
  resources: Resources;
  services: Services;
  table: LiveTable;
  forks: (cluster: Cluster) => Forks;
  log: Log;
  queue?: Partial<Pick<QueueSettings, "firstRetryMs" | "mostRetryMs">>;
  finalizers?: ConstructorParameters<typeof Finalizers>[0]["times"];
  clock?: TrustedClock;
}

/** Who has applied a Sandbox waits for its status, and most of the work on one is to wait for the API server and for other route servers. Nobody waits for the
 * statuses of Routes, of which there may be very many: fewer of them at one time leave the API server to others. */
const SANDBOXES_AT_ONCE = 16;

export class Term {
  readonly #settings: TermSettings;
  readonly #sandboxes: Line;
  readonly #routes: Line;
  readonly #work: SandboxWork;
  readonly #routeWork: RouteWork;
  readonly #events: Events;
  readonly #inForce: InForceWatch;
  readonly #complaints = new Set<string>();

  constructor(settings: TermSettings) {
    this.#settings = settings;
    const { cluster, identity, domain, resources, services, table, log, queue = {} } = settings;
    const forks = settings.forks(cluster);
    forks.onChange = (namespace, name) => this.#forksChanged(`${namespace}/${name}`);
    this.#events = new Events({ cluster, identity, failed: (thrown) => this.#once(thrown, "events can't be written") });
    const status = new StatusWriter(cluster, this.#events, (why) => this.#once(why, "statuses are cut short"));
    this.#inForce = new InForceWatch(table);
    const clock = settings.clock ?? new TrustedClock();
    const finalizers = new Finalizers({
      cluster,
      forks,
      areRoutesGone: (sandbox) => this.#areRoutesGone(sandbox),
      abandoned: (sandbox, thrown) => this.#abandoned(sandbox, thrown),
      ...(settings.finalizers && { times: settings.finalizers }),
    });
    this.#work = new SandboxWork({
      ...{ cluster, resources, services, domain, forks, finalizers, status, clock },
      inForce: this.#inForce,
      expired: (sandbox) => log.info({ sandbox }, "the Sandbox is past its time, and deleted"),
    });
    this.#routeWork = new RouteWork({ resources, table, services, domain, status, inForce: this.#inForce });
    this.#sandboxes = new Line({
      ...queue,
      workers: SANDBOXES_AT_ONCE,
      work: (name) => this.#workOnSandbox(name),
      failed: (name, thrown, retryMs) => this.#failed("Sandbox", name, this.#sandbox(name), thrown, retryMs),
    });
    this.#routes = new Line({
      ...queue,
      work: (id) => this.#workOnRoute(id),
      failed: (id, thrown, retryMs) => this.#failed("Route", id, resources.route(id), thrown, retryMs),
    });
  }

  /** Resolves once the term is over, and nothing more is under way. */
  async run(): Promise<void> {
    const { signal } = this.#settings.cluster.options;
    const over = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    const { resources } = this.#settings;
    await Promise.race([resources.synced, over]);
    const unlisten = resources.listen({
      sandbox: (name, isNew) => this.#sandboxes.add(name, isNew),
      route: (id, isNew) => this.#routes.add(id, isNew),
    });
    for (const { metadata } of resources.sandboxes()) this.#sandboxes.add(sandboxName(metadata), true);
    for (const id of resources.routes()) this.#routes.add(id, true);
    await over;
    unlisten();
    await Promise.all([this.#sandboxes.close(), this.#routes.close()]);
  }

  /** Something has happened to a Service or to its pods. */
  serviceChanged(namespace: string, name: string): void {
    this.#sandboxes.serviceChanged(namespace, name);
    this.#routes.serviceChanged(namespace, name);
  }

  async #workOnSandbox(name: string): Promise<number | undefined> {
    if (this.#settings.cluster.options.signal.aborted) return undefined;
    const sandbox = this.#sandbox(name);
    if (sandbox === undefined) return this.#forgetSandbox(name);
    const { namespace } = sandbox.metadata;
    const routes = this.#settings.resources.verdict(namespace, sandbox.metadata.name)?.routes ?? [];
    this.#sandboxes.follow(
      name,
      routes.flatMap(({ route }) => servicesOf(route)),
    );
    return this.#work.work(sandbox);
  }

  async #workOnRoute(id: string): Promise<number | undefined> {
    const { cluster, resources, table } = this.#settings;
    if (cluster.options.signal.aborted) return undefined;
    const route = resources.route(id);
    if (route === undefined) return this.#forgetRoute(id);
    const stored = table.get(id);
    // Its twins' targets decide which of them proxies take.
    const twins = resources.routeVerdict(id).twins ?? [];
    const all = [stored, ...twins.map((twin) => table.get(twin))];
    this.#routes.follow(
      id,
      all.flatMap((one) => (one ? servicesOf(one) : [])),
    );
    return this.#routeWork.work(id, route);
  }

  #sandbox(name: string): SandboxResource | undefined {
    const [namespace = "", short = ""] = name.split("/");
    return this.#settings.resources.sandbox(namespace, short);
  }

  #forgetSandbox(name: string): undefined {
    const [namespace = "", short = ""] = name.split("/");
    this.#sandboxes.forget(name);
    this.#work.forget(name);
    this.#events.forget("Sandbox", namespace, short);
  }

  #forgetRoute(id: string): undefined {
    const [first = "", second] = id.split("/");
    this.#routes.forget(id);
    this.#routeWork.forget(id);
    this.#events.forget("Route", second === undefined ? this.#settings.namespace : first, second ?? first);
  }

  #forksChanged(name: string): void {
    this.#work.forksChanged(name);
    this.#sandboxes.add(name);
  }

  /** Undefined routes may be those from before this controller led: then nobody knows whom to ask. */
  async #areRoutesGone(sandbox: SandboxResource): Promise<boolean> {
    const { table } = this.#settings;
    const routes: readonly LiveRoute[] = this.#inForce.routesOf(`Sandbox ${sandboxName(sandbox.metadata)}`);
    if (routes.length === 0) return (sandbox.status?.routes ?? []).length === 0;
    if (routes.some(({ id }) => table.get(id))) return false;
    const count = await table.count(table.revision, routes);
    return count !== undefined && isInForce(count);
  }

  #abandoned(sandbox: SandboxResource, thrown: unknown): void {
    const note = `the copies could not be deleted, and are left to the cluster's garbage collector: ${reason(thrown)}`;
    this.#events.tell(sandbox, { type: "Warning", reason: "CopiesLeft", note, action: "Deleting" });
    this.#settings.log.error({ sandbox: sandboxName(sandbox.metadata), why: reason(thrown) }, "copies are left");
  }

  #failed(kind: string, name: string, object: KubeObject | undefined, thrown: unknown, retryMs: number): void {
    const { cluster, log } = this.#settings;
    if (cluster.options.signal.aborted) return;
    const next = thrown instanceof KeywayError ? thrown.next : undefined;
    const fields = { [kind.toLowerCase()]: name, why: reason(thrown), ...(next && { next }), retryMs };
    log.error(fields, `the ${kind} can't be looked after; it is tried again`);
    const why = isForbidden(thrown) ? "Forbidden" : thrown instanceof WithoutStatus ? "OutdatedDefinitions" : undefined;
    if (object === undefined || why === undefined) return;
    const note = next === undefined ? reason(thrown) : `${reason(thrown)}; ${next}`;
    this.#events.tell(object, { type: "Warning", reason: why, note, action: "Reconciling" });
  }

  #once(thrown: unknown, message: string): void {
    const why = typeof thrown === "string" ? thrown : reason(thrown);
    const text = isForbidden(thrown) || isNotFound(thrown) ? message : `${message} ${why}`;
    if (this.#complaints.has(text) || this.#settings.cluster.options.signal.aborted) return;
    this.#complaints.add(text);
    this.#settings.log.warn({ why }, message);
  }
}
