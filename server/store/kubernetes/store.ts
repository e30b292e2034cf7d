import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Resources } from "../../../controller/surroundings.ts";
import type { LiveRoute } from "../../../routes/model/live-route.ts";
import { qualified } from "../../../routes/model/qualify.ts";
import { atOnce } from "../../../shared/at-once.ts";
import { statusOf } from "../../../shared/cluster/api-errors.ts";
import type { Cluster } from "../../../shared/cluster/cluster.ts";
import { type KeywayError, reason } from "../../../shared/errors.ts";
import { within } from "../../../shared/within.ts";
import { type Difference, differenceOf, idsOf } from "../difference.ts";
import {
  type Change,
  type Committed,
  type Loaded,
  type ServiceChange,
  type Store,
  type Transaction,
  Unavailable,
  Undecided,
} from "../store.ts";
import { KubernetesDocuments } from "./documents.ts";
import { unavailable } from "./failures.ts";
import { FollowedCluster } from "./followed-cluster.ts";
import { refOf, refuseManaged, sandboxOf } from "./route-ids.ts";
import { type Written, writeRoutes } from "./write-routes.ts";

export interface KubernetesSettings {
  /** Connects with a signal that ends everything; the same user for all calls. */
  cluster: Cluster;
  /** The namespace into which routes without another one in their id are written. */
  namespace: string;
  /** Told once for each version of a resource that is no route. */
  invalid?: (name: string, why: string) => void;
  /** Told once for each time that Sandboxes, or the Services of their forks, can't be read. */
  withoutSandboxes?: (why: string) => void;
}

const DEFAULTS = {
  /** How long somebody waits for others who change the same routes, and then for the watch to tell what was written. */
  toldMs: 10_000,
  takeBackMs: 10_000,
  retryMs: 500,
  invalid: (_name: string, _why: string) => {},
  withoutSandboxes: (_why: string) => {},
};

/** Requests at one time. */
const AT_ONCE = 16;

/** The Routes and Sandboxes of a cluster: the API server is the database, and whoever writes there, by kubectl or here, changes the table.
 * A revision is a resourceVersion, that of the table's newest change or a little more. */
export class KubernetesStore implements Store {
  readonly countsAlone = true;
  readonly writesOneByOne = true;
  readonly documents: KubernetesDocuments;
  readonly #settings: Required<KubernetesSettings> & typeof DEFAULTS;
  readonly #closed = new AbortController();
  readonly #cluster: Cluster;
  readonly #there: FollowedCluster;
  #history: bigint | undefined;
  /** Set for good once versions are smaller than those that are known: what is known is of another past. */
  #replaced: Unavailable | undefined;
  /** One transaction after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(settings: KubernetesSettings & Partial<typeof DEFAULTS>) {
    this.#settings = { ...DEFAULTS, ...settings };
    this.#cluster = settings.cluster.withSignal(this.#closed.signal);
    this.documents = new KubernetesDocuments(this.#cluster, this.#settings);
    // Once the API server is of another past nothing more is followed; the store itself stays open to say so.
    const following = new AbortController();
    this.#closed.signal.addEventListener("abort", () => following.abort(), { once: true });
    this.#there = new FollowedCluster(settings.cluster.withSignal(following.signal), {
      ...this.#settings,
      older: (version, known) => {
        this.#replacedAt(version, known);
        following.abort();
      },
    });
  }

  get history(): bigint {
    if (this.#history === undefined) throw new Error("the store was not started");
    return this.#history;
  }

  /** What the routes are made from. */
  get resources(): Resources {
    return this.#there;
  }

  /** Makes a change of what is known of services now, so that it has its place among the changes of routes. */
  tellServices(services: readonly ServiceChange[], version: number): void {
    const { followed } = this.#there;
    followed.apply({ revision: Math.max(version, followed.revision + 1), set: [], delete: [], services });
  }

  trouble(): KeywayError | undefined {
    const { trouble } = this.#there;
    return this.#replaced ?? (trouble === undefined ? undefined : unavailable(trouble, this.#cluster.server));
  }

  isManaged(id: string): boolean {
    return sandboxOf(id) !== undefined;
  }

  async start(onChange: (change: Change) => void, signal: AbortSignal): Promise<Loaded> {
    signal.addEventListener("abort", () => void this.close(), { once: true });
    const { namespace } = this.#settings;
    const home = await this.#cluster.get({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace, namespace: "" },
    });
    if (home === undefined) {
      throw new Unavailable(`there is no namespace ${namespace}`, {
        next: "create it, or name another: kubernetes:NAMESPACE",
      });
    }
    this.#history = createHash("sha256").update(`${home.metadata?.uid}`).digest().readBigUInt64LE();
    await this.#there.start().catch((thrown) => this.#explainStart(thrown));
    signal.throwIfAborted();
    const { followed, known } = this.#there;
    followed.load(Math.max(known, followed.revision), []);
    return followed.handOver(onChange);
  }

  commit(transaction: Transaction): Promise<Committed> {
    const committed = this.#turn.then(() => this.#commit(transaction));
    this.#turn = committed.catch(() => {});
    return committed;
  }

  async close(limitMs?: number): Promise<void> {
    await within(limitMs, this.#turn);
    this.#closed.abort(new Unavailable("the store is closed", { where: this.#cluster.server }));
    await this.#there.ended();
  }

  #explainStart(thrown: unknown): never {
    if (statusOf(thrown) !== 404) throw thrown;
    const next = "have an administrator run `keyway render crds | kubectl apply -f -`, then start the server again";
    throw new Unavailable(`Routes can't be read: ${reason(thrown)}`, { where: this.#cluster.server, next });
  }

  #replacedAt(version: number, known: number): Unavailable {
    this.#replaced ??= new Unavailable(
      `the API server's data is older than before: version ${version}, after ${known}`,
      {
        where: this.#cluster.server,
        next: "if a backup of etcd was restored, start this server again: it reads the routes that are there now",
      },
    );
    return this.#replaced;
  }

  async #commit({ set, ...rest }: Transaction): Promise<Committed> {
    const { routes } = this.#there.followed;
    for (const id of idsOf({ set, ...rest })) refuseManaged(id, routes.get(id));
    const transaction = { ...rest, set: set.map((route) => this.#atHome(route)) };
    const until = Date.now() + this.#settings.toldMs;
    for (;;) {
      if (this.#closed.signal.aborted) throw this.#closed.signal.reason;
      if (this.#replaced) throw this.#replaced;
      const committed = await this.#try(transaction);
      if (committed) return committed;
      if (Date.now() > until) {
        const why = this.trouble()?.message ?? "others change the same routes all the time";
        throw new Unavailable(why, { where: this.#cluster.server, next: "send it again" });
      }
      // Somebody else was first; what they have done comes by the watch.
      await sleep(50);
    }
  }

  /** Undefined where a resource is another one by now than the one that is known. */
  async #try(transaction: Transaction): Promise<Committed | undefined> {
    const { followed, known } = this.#there;
    const difference = differenceOf(transaction, followed.routes);
    const { set, delete: gone } = difference;
    const ids = [...set.map(({ id }) => id), ...gone];
    // What writes nothing meets no version, so it is first seen to that nothing newer is there.
    if (ids.length === 0)
      return (await this.#areLatest(transaction.set)) ? this.#outcome(difference, transaction) : undefined;
    const release = this.#there.hold(ids);
    try {
      const written = await writeRoutes(this.#cluster, this.#writesOf(difference), this.#settings);
      if (written === undefined) return undefined;
      for (const version of written.versions) if (version <= known) throw this.#replacedAt(version, known);
      await this.#told(written);
    } finally {
      release();
    }
    return this.#outcome(difference, transaction);
  }

  #writesOf({ set, delete: gone }: Difference) {
    const read = (id: string) => {
      const ref = this.#refOf(id);
      return { ref, before: this.#there.resource(ref.metadata) };
    };
    return [...set.map((route) => ({ ...read(route.id), route })), ...gone.map((id) => read(id))];
  }

  /** Whether the API server has what is known here, which may change while it is asked. */
  async #areLatest(routes: readonly LiveRoute[]): Promise<boolean> {
    const known = routes.map(({ id }) => {
      const ref = this.#refOf(id);
      return { ref, version: this.#there.resource(ref.metadata)?.metadata.resourceVersion };
    });
    try {
      const are = await atOnce(AT_ONCE, known, async ({ ref, version }) => {
        return (await this.#cluster.get(ref))?.metadata?.resourceVersion === version;
      });
      return !are.includes(false);
    } catch (thrown) {
      throw unavailable(thrown, this.#cluster.server);
    }
  }

  /** Waits until the watch has brought what was written, so that the table's changes stay in order. */
  async #told({ versions, gone }: Written): Promise<void> {
    const newest = Math.max(0, ...versions);
    const isGone = ({ ref, uid }: Written["gone"][number]) => {
      const there = this.#there.resource(ref.metadata);
      return there === undefined || there.metadata.uid !== uid;
    };
    const isTold = () => this.#there.known >= newest && gone.every(isGone);
    const { followed } = this.#there;
    if (await followed.until(isTold, AbortSignal.timeout(this.#settings.toldMs))) return;
    throw new Undecided("the transaction is written, all of it, but the API server does not tell of it", {
      where: this.#cluster.server,
      next: "it is in force once the watch goes on; look whether the API server is well",
    });
  }

  #outcome({ outcomes }: Difference, { set }: Transaction): Committed {
    const { routes, revision } = this.#there.followed;
    return {
      revision,
      set: outcomes.map((one, at) => {
        if ("kept" in one) return { revision: one.kept, created: false };
        return { revision: routes.get(`${set[at]?.id}`)?.revision ?? revision, created: one.created };
      }),
    };
  }

  #refOf(id: string) {
    return refOf(id, this.#settings.namespace);
  }

  /** Services of a route of another namespace are that namespace's unless they say another. */
  #atHome(route: LiveRoute): LiveRoute {
    const { namespace } = this.#refOf(route.id).metadata;
    return namespace === this.#settings.namespace ? route : qualified(route, namespace);
  }
}
