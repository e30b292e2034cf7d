// Of several controllers one at a time writes: the one that holds the Lease.
import { setTimeout as sleep } from "node:timers/promises";
import type { V1Lease } from "@kubernetes/client-node";
import { leaseOf } from "../routes/model/sandbox.ts";
import { statusOf } from "../shared/cluster/api-errors.ts";
import type { Cluster } from "../shared/cluster/cluster.ts";
import { reason } from "../shared/errors.ts";

export interface LeaderSettings {
  /** Its signal ends everything. */
  cluster: Cluster;
  /** Where the Lease is. */
  namespace: string;
  /** Who this is: no other one may have the same. */
  identity: string;
  /** The work of a term: it begins nothing once `term` is aborted, and resolves when it has ended. */
  lead: (term: AbortSignal) => Promise<void>;
  /** Told once for each time that the Lease can't be had for other reasons than that somebody else has it. */
  failed: (why: string) => void;
  times?: Partial<typeof TIMES>;
}

/** Milliseconds. */
const TIMES = {
  lease: 15_000,
  renew: 3000,
  /** How long before the end of its lease a leader that can't renew it stops. */
  margin: 5000,
};

const GIVE_BACK_MS = 2000;

/** The Lease as it was seen last, and when that was by the steady clock of this machine: other machines' clocks are not believed. */
interface Seen {
  version: string | undefined;
  at: number;
}

/** Leads whenever nobody else does, until the cluster's signal is aborted; the Lease is given back then. */
export class Leader {
  readonly #settings: LeaderSettings;
  readonly #times: typeof TIMES;
  #seen: Seen = { version: undefined, at: 0 };
  #term: AbortController | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  #complaint: string | undefined;

  constructor(settings: LeaderSettings) {
    this.#settings = settings;
    this.#times = { ...TIMES, ...settings.times };
  }

  get isLeading(): boolean {
    return this.#term !== undefined && !this.#term.signal.aborted;
  }

  async run(): Promise<void> {
    const { signal } = this.#settings.cluster.options;
    while (!signal.aborted) {
      const startedAt = performance.now();
      try {
        await this.#try(startedAt);
        this.#complaint = undefined;
      } catch (thrown) {
        this.#complain(thrown);
      }
      // Followers ask at different moments.
      const pause = this.isLeading ? this.#times.renew : this.#times.renew * (1 + Math.random() * 0.2);
      await sleep(pause, undefined, { signal }).catch(() => {});
    }
    this.#end();
    await this.#work;
    await this.#giveBack().catch(() => {});
  }

  #complain(thrown: unknown): void {
    const { cluster, failed } = this.#settings;
    const why = reason(thrown);
    // Somebody else was first.
    if (cluster.options.signal.aborted || statusOf(thrown) === 409 || why === this.#complaint) return;
    this.#complaint = why;
    failed(why);
  }

  async #try(startedAt: number): Promise<void> {
    const { namespace, identity } = this.#settings;
    const limited = this.#limited();
    const reference = leaseOf(namespace);
    const there = await limited.get<V1Lease>(reference);
    if (there?.metadata?.resourceVersion !== this.#seen.version) {
      this.#seen = { version: there?.metadata?.resourceVersion, at: startedAt };
    }
    const holder = there?.spec?.holderIdentity ?? "";
    const lasts = (there?.spec?.leaseDurationSeconds ?? 0) * 1000;
    const isFree = holder === "" || performance.now() > this.#seen.at + Math.max(lasts, this.#times.lease);
    if (holder !== identity && !isFree) {
      // Whoever has it has taken it over.
      this.#end();
      return;
    }
    // Who has just started under the name of one that ended without giving the Lease back goes on with it.
    const now = microTime();
    const wasOurs = holder === identity;
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#times.lease / 1000),
      acquireTime: wasOurs ? there?.spec?.acquireTime : now,
      renewTime: now,
      leaseTransitions: (there?.spec?.leaseTransitions ?? 0) + (wasOurs ? 0 : 1),
    } as unknown as V1Lease["spec"];
    const version = there?.metadata?.resourceVersion;
    const wanted = {
      ...reference,
      metadata: { ...reference.metadata, ...(version !== undefined && { resourceVersion: version }) },
      spec,
    } as V1Lease;
    const { metadata } = there ? await limited.replace(wanted) : await limited.create(wanted);
    this.#seen = { version: metadata?.resourceVersion, at: startedAt };
    this.#renewed(startedAt);
  }

  /** What takes longer than the lease has left is of no use. */
  #limited(): Cluster {
    const { cluster } = this.#settings;
    const limit = AbortSignal.timeout(this.#times.lease - this.#times.margin);
    return cluster.withSignal(AbortSignal.any([cluster.options.signal, limit]));
  }

  /** The lease counts from the moment before it was asked for. */
  #renewed(at: number): void {
    const { lease, margin } = this.#times;
    if (this.#settings.cluster.options.signal.aborted) return;
    clearTimeout(this.#deadline);
    const left = at + lease - margin - performance.now();
    this.#deadline = setTimeout(() => this.#end(), Math.max(left, 0));
    this.#deadline.unref();
    if (this.isLeading) return;
    const term = new AbortController();
    this.#term = term;
    // An earlier term may still be ending.
    this.#work = this.#work
      .then(() => (term.signal.aborted ? undefined : this.#settings.lead(term.signal)))
      .catch((thrown: unknown) => {
        this.#settings.failed(reason(thrown));
        term.abort();
      });
  }

  #end(): void {
    clearTimeout(this.#deadline);
    this.#term?.abort();
    this.#term = undefined;
  }

  /** So that another one need not wait for its end. The last renewal may have been written without an answer, so what is there is read anew. */
  async #giveBack(): Promise<void> {
    const { cluster, namespace, identity } = this.#settings;
    const limited = cluster.withSignal(AbortSignal.timeout(GIVE_BACK_MS));
    for (let isOpen = true; isOpen; ) {
      const there = await limited.get<V1Lease>(leaseOf(namespace));
      if (there?.spec?.holderIdentity !== identity) return;
      const free = { ...there, spec: { ...there.spec, holderIdentity: "", leaseDurationSeconds: 1 } };
      isOpen = await limited.replace(free).then(
        () => false,
        (thrown: unknown) => statusOf(thrown) === 409,
      );
    }
  }
}

/** Kubernetes' MicroTime. */
function microTime(): string {
  return new Date().toISOString().replace("Z", "000Z");
}
