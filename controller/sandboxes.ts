// What the leader does about one Sandbox.
import {
  FORKS_FINALIZER,
  type ForkStatus,
  type SandboxResource,
  type SandboxStatus,
  sandboxName,
} from "../routes/model/sandbox.ts";
import { ApiError } from "../shared/cluster/api-errors.ts";
import type { Cluster } from "../shared/cluster/cluster.ts";
import { millisecondsUntil, type TrustedClock } from "./expiry.ts";
import type { Finalizers } from "./finalizers.ts";
import type { Forks } from "./forks/forks.ts";
import { type InForceWatch, NO_LOOK } from "./in-force.ts";
import { conditionTime, numbersOf, OwnStatuses } from "./own-status.ts";
import { inForceCondition, notAccepted, resolvedCondition, type Said, since } from "./plan/conditions.ts";
import { findingsOf, routeStatusOf } from "./plan/resolved.ts";
import type { Verdict } from "./plan/sandbox-table.ts";
import type { Services } from "./plan/services.ts";
import type { StatusWriter } from "./status.ts";
import type { Resources } from "./surroundings.ts";

export interface SandboxSettings {
  cluster: Cluster;
  resources: Pick<Resources, "verdict">;
  services: Services;
  domain: string;
  forks: Forks;
  finalizers: Finalizers;
  inForce: InForceWatch;
  status: StatusWriter;
  clock: TrustedClock;
  /** Told of a Sandbox that was deleted as its time was over. */
  expired: (name: string) => void;
}

/** A copy that is not ready is looked at again after this time, though its changes are told. */
const FORKS_AGAIN_MS = 30_000;
/** A time that can't be told now is looked at again. */
const DOUBT_MS = 10_000;

export class SandboxWork {
  readonly #settings: SandboxSettings;
  readonly #forks = new Map<string, { statuses: ForkStatus[]; seen: string; isDue: boolean }>();
  readonly #statuses: OwnStatuses;

  constructor(settings: SandboxSettings) {
    this.#settings = settings;
    this.#statuses = new OwnStatuses(settings.status);
  }

  /** The copies have to be looked at anew. */
  forksChanged(name: string): void {
    const forks = this.#forks.get(name);
    if (forks) forks.isDue = true;
  }

  forget(name: string): void {
    this.#forks.delete(name);
    this.#statuses.forget(name);
    this.#settings.inForce.forget(`Sandbox ${name}`);
    this.#settings.finalizers.forget(name);
  }

  /** The milliseconds after which to look at it again. */
  async work(told: SandboxResource): Promise<number | undefined> {
    const sandbox = this.#statuses.newest(sandboxName(told.metadata), told);
    const { resources, finalizers, clock } = this.#settings;
    const { namespace, name, deletionTimestamp } = sandbox.metadata;
    if (deletionTimestamp !== undefined) return finalizers.finish(sandbox);
    const verdict = resources.verdict(namespace, name);
    if (verdict === undefined) return undefined;
    const now = clock.now();
    const left = now === undefined ? DOUBT_MS : millisecondsUntil(verdict.expires, now);
    if (left === 0) return this.#expire(sandbox);
    const copies = verdict.accepted.ok ? await this.#copies(sandbox) : [];
    const again = await this.#tell(sandbox, verdict, copies);
    const next = [again, left, copies.every(({ ready }) => ready) ? undefined : FORKS_AGAIN_MS];
    const times = next.filter((one) => one !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  async #expire(sandbox: SandboxResource): Promise<undefined> {
    const { cluster, expired } = this.#settings;
    const { apiVersion, kind, metadata } = sandbox;
    const { name, namespace, uid, resourceVersion } = metadata;
    try {
      // Who has changed it meanwhile may have given it more time.
      const ref = { apiVersion, kind, metadata: { name, namespace, ...(uid !== undefined && { uid }) } };
      if (await cluster.remove(ref, resourceVersion)) expired(sandboxName(metadata));
    } catch (thrown) {
      if (!(thrown instanceof ApiError && thrown.code === 409)) throw thrown;
    }
  }

  /** How far the copies are: asked for only after something has changed that they hang on. */
  async #copies(sandbox: SandboxResource): Promise<ForkStatus[]> {
    const { forks, finalizers } = this.#settings;
    const name = sandboxName(sandbox.metadata);
    const known = this.#forks.get(name);
    const { finalizers: marks = [] } = sandbox.metadata;
    // One that an earlier leader has not taken away may be left.
    const mayHave = known !== undefined || marks.includes(FORKS_FINALIZER);
    if ((sandbox.spec.forks ?? []).length === 0 && !mayHave) return [];
    const seen = JSON.stringify([sandbox.metadata.uid, sandbox.spec.forks]);
    if (known && known.seen === seen && !known.isDue && known.statuses.every(({ ready }) => ready)) {
      return known.statuses;
    }
    await finalizers.add(sandbox);
    // What happens from now on is seen by the next look.
    this.#forks.set(name, { statuses: known?.statuses ?? [], seen, isDue: false });
    const statuses = await forks.reconcile(sandbox).catch((thrown: unknown) => {
      this.forksChanged(name);
      throw thrown;
    });
    const kept = this.#forks.get(name);
    this.#forks.set(name, { statuses, seen, isDue: kept?.isDue ?? false });
    return statuses;
  }

  async #tell(sandbox: SandboxResource, verdict: Verdict, copies: ForkStatus[]): Promise<number | undefined> {
    const { services, domain, inForce } = this.#settings;
    const name = sandboxName(sandbox.metadata);
    const { accepted, key, expires } = verdict;
    const planned = verdict.routes;
    const live = planned.filter(({ route }) => findingsOf(route, services, domain).length === 0);
    const look = accepted.ok
      ? await inForce.look(
          `Sandbox ${name}`,
          live.map(({ route }) => route),
        )
      : NO_LOOK;
    const resolved = accepted.ok
      ? resolvedCondition({
          findings: planned.flatMap(({ route }) => findingsOf(route, services, domain)),
          forks: copies,
          taken: verdict.taken,
          conflicts: verdict.conflicts,
        })
      : notAccepted("Resolved");
    const isResolved = resolved.status === "True";
    const said: Said[] = [
      { type: "Accepted", status: accepted.ok ? "True" : "False", reason: accepted.reason, message: accepted.message },
      resolved,
      accepted.ok ? inForceCondition({ routes: live.length, count: look.count, isResolved }) : notAccepted("InForce"),
    ];
    const { generation } = sandbox.metadata;
    const wanted: SandboxStatus = {
      ...(generation !== undefined && { observedGeneration: generation }),
      ...(key !== undefined && { key }),
      ...(expires !== undefined && { expires }),
      ...(planned.length > 0 && {
        routes: planned.map(({ route, from }) => routeStatusOf(route, from, services, domain)),
      }),
      ...(copies.length > 0 && { forks: copies }),
      ...(look.count && { proxies: numbersOf(look.count) }),
      conditions: since(said, sandbox.status?.conditions, generation, conditionTime()),
    };
    const again = live.length > 0 ? look.again : undefined;
    const wait = await this.#statuses.write(name, sandbox, wanted, look);
    return wait === undefined ? again : Math.min(wait, again ?? wait);
  }
}
