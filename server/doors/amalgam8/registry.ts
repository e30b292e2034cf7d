// The instances that have registered: kept as documents, so that they outlive this server and others know them, and gone when no heartbeat
// has come for as long as they asked for. None of it is a change of the route table.
import { createHash } from "node:crypto";
import type { Clock } from "../../expiry.ts";
import type { DocumentChange, Documents } from "../../store/documents.ts";
import { A8Error } from "./errors.ts";
import { Heartbeats } from "./heartbeats.ts";
import type { Instance } from "./instance.ts";

const INSTANCES = "amalgam8/instances/";
const KNOWN = "amalgam8/known/";

/** Instances of one namespace, at most. */
const MOST_INSTANCES = 10_000;
/** Services with tags of one namespace that are remembered, at most. */
const MOST_KNOWN = 2000;
/** Milliseconds that another server has, which has heard the last heartbeat itself, to let an instance go, before this one does. */
const AFTER_OTHERS_MS = 300;

/** A service with tags that some instance has had. */
interface Known {
  service: string;
  tags: string[];
  /** Milliseconds since 1970. */
  since: number;
}

export interface Registered {
  namespace: string;
  instance: Instance;
  version: number;
  /** On the steady clock; none for one that never expires. */
  deadline: number;
}

export class Registry {
  readonly #documents: Documents;
  readonly #clock: Clock;
  readonly #heartbeats: Heartbeats;
  /** By their documents' ids. */
  readonly #instances = new Map<string, Registered>();
  /** The same by `NAMESPACE SERVICE`. */
  readonly #byService = new Map<string, Map<string, Registered>>();
  readonly #known = new Map<string, Known>();
  /** What this server has written last. */
  readonly #own = new Map<string, string>();
  #isLoaded = false;
  /** Called with a namespace in which rules may lead elsewhere now. */
  onChange: (namespace: string) => void = () => {};

  constructor(documents: Documents, clock: Clock) {
    this.#documents = documents;
    this.#clock = clock;
    this.#heartbeats = new Heartbeats((ids) => this.#renewAll(ids));
  }

  get size(): number {
    return this.#instances.size;
  }

  /** All there are at first, then what has changed. */
  take(changes: readonly DocumentChange[]): void {
    const namespaces = new Set<string>();
    for (const change of changes) {
      if (change.id.startsWith(KNOWN)) this.#takeKnown(change);
      if (!change.id.startsWith(INSTANCES)) continue;
      const [before, after] = this.#takeInstance(change);
      if (!isSame(before?.instance, after?.instance)) namespaces.add(`${(after ?? before)?.namespace}`);
    }
    for (const namespace of namespaces) this.onChange(namespace);
  }

  /** From now on what is told has just happened. */
  loaded(): void {
    this.#isLoaded = true;
  }

  /** Those of a namespace that have not expired, by service. */
  *instances(namespace: string): Generator<Instance, void> {
    for (const one of this.#instances.values()) {
      if (one.namespace === namespace && !this.#isOver(one)) yield one.instance;
    }
  }

  /** Those of one service. */
  ofService(namespace: string, service: string): Instance[] {
    const all = this.#byService.get(`${namespace} ${service}`)?.values() ?? [];
    return [...all].filter((one) => !this.#isOver(one)).map(({ instance }) => instance);
  }

  /**
   * Whether requests may be sent to a service with all of these tags: an instance of it is up, or none has ever registered, and then it is not
   * for the registry to say.
   */
  isThere(namespace: string, service: string, tags: readonly string[]): boolean {
    const hasAll = (own: { tags: readonly string[] }) => tags.every((tag) => own.tags.includes(tag));
    if (this.ofService(namespace, service).some((one) => one.status === "UP" && hasAll(one))) return true;
    for (const [id, one] of this.#known) {
      if (id.startsWith(`${KNOWN}${namespace}/`) && one.service === service && hasAll(one)) return false;
    }
    return true;
  }

  async register(namespace: string, instance: Instance): Promise<void> {
    const id = `${INSTANCES}${namespace}/${instance.id}`;
    if (!this.#instances.has(id) && [...this.instances(namespace)].length >= MOST_INSTANCES) {
      throw new A8Error(403, "error_internal", `Quota exceeded: ${namespace} has ${MOST_INSTANCES} instances`);
    }
    await this.#documents.write([...this.#learn(namespace, instance), { id, text: this.#written(id, instance) }]);
  }

  /** False for an instance that is not there, or not any more. */
  renew(namespace: string, instance: string): Promise<boolean> {
    return this.#heartbeats.renew(`${INSTANCES}${namespace}/${instance}`);
  }

  /** False for an instance that was not there. */
  async deregister(namespace: string, instance: string): Promise<boolean> {
    const id = `${INSTANCES}${namespace}/${instance}`;
    const there = this.#instances.get(id);
    if (there === undefined || this.#isOver(there)) return false;
    await this.#documents.write([{ id }]);
    return true;
  }

  /** Deletes those that have expired; how many. One that has been renewed meanwhile, by whichever server, stays. */
  async expire(): Promise<number> {
    const due = [...this.#instances].filter(([, one]) => this.#isOver(one));
    if (due.length === 0) return 0;
    const gone = await this.#documents.write(due.map(([id, { version }]) => ({ id, version })));
    return gone.filter((one) => one !== undefined).length;
  }

  close(): void {
    this.#heartbeats.close();
  }

  #isOver({ deadline }: Registered): boolean {
    return this.#clock.steady() >= deadline;
  }

  /** Which of them are there and renewed. */
  async #renewAll(ids: readonly string[]): Promise<boolean[]> {
    const renewed = new Map<string, boolean>();
    // Another server may renew the same one at the same time; that one's heartbeat comes by the store.
    for (let tries = 0; tries < 5 && renewed.size < ids.length; tries++) {
      const left = ids.filter((id) => !renewed.has(id));
      const writes = left.flatMap((id) => {
        const there = this.#instances.get(id);
        if (there === undefined || this.#isOver(there)) {
          renewed.set(id, false);
          return [];
        }
        const instance = { ...there.instance, heartbeat: this.#clock.wall() };
        return { id, text: this.#written(id, instance), version: there.version };
      });
      if (writes.length === 0) break;
      const versions = await this.#documents.write(writes);
      for (const [at, { id }] of writes.entries()) if (versions[at] !== undefined) renewed.set(id, true);
      if (renewed.size < ids.length) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return ids.map((id) => renewed.get(id) ?? false);
  }

  #written(id: string, instance: Instance): string {
    const text = JSON.stringify(instance);
    this.#own.set(id, text);
    return text;
  }

  /** What is to be written where no instance has had these tags before. */
  #learn(namespace: string, { service, tags, heartbeat }: Instance) {
    const known: Known = { service, tags: [...tags].sort(), since: heartbeat };
    const digest = createHash("sha256")
      .update(JSON.stringify([service, known.tags]))
      .digest("hex");
    const id = `${KNOWN}${namespace}/${digest.slice(0, 32)}`;
    if (this.#known.has(id)) return [];
    const own = [...this.#known].filter(([other]) => other.startsWith(`${KNOWN}${namespace}/`));
    const oldest = own.sort(([, a], [, b]) => b.since - a.since).slice(MOST_KNOWN - 1);
    return [{ id, text: JSON.stringify(known) }, ...oldest.map(([other]) => ({ id: other }))];
  }

  #takeKnown({ id, text }: DocumentChange): void {
    if (text === undefined) this.#known.delete(id);
    else this.#known.set(id, JSON.parse(text));
  }

  #takeInstance({
    id,
    version,
    text,
  }: DocumentChange): [before: Registered | undefined, after: Registered | undefined] {
    const before = this.#instances.get(id);
    if (before) this.#index(id, before)?.delete(id);
    if (text === undefined) {
      this.#instances.delete(id);
      this.#own.delete(id);
      return [before, undefined];
    }
    const instance: Instance = JSON.parse(text);
    const [namespace = ""] = id.slice(INSTANCES.length).split("/");
    const deadline = this.#deadlineOf(instance, this.#own.get(id) === text);
    const after = { namespace, instance, version, deadline };
    this.#instances.set(id, after);
    const services = this.#index(id, after) ?? new Map<string, Registered>();
    this.#byService.set(`${namespace} ${instance.service}`, services.set(id, after));
    return [before, after];
  }

  #index(_: string, { namespace, instance }: Registered): Map<string, Registered> | undefined {
    return this.#byService.get(`${namespace} ${instance.service}`);
  }

  /** Clocks of two machines are never the same, so what another server has heard counts from when this one learns of it. */
  #deadlineOf({ status, ttl, heartbeat }: Instance, isOwn: boolean): number {
    if (status === "OUT_OF_SERVICE") return Number.POSITIVE_INFINITY;
    const now = this.#clock.steady();
    const age = Math.max(0, this.#clock.wall() - heartbeat);
    if (isOwn || !this.#isLoaded) return now - age + ttl * 1000;
    return now - Math.min(age, AFTER_OTHERS_MS) + ttl * 1000 + AFTER_OTHERS_MS;
  }
}

/** Whether the two mean the same for routes. */
function isSame(a: Instance | undefined, b: Instance | undefined): boolean {
  const said = (one: Instance | undefined) => one && JSON.stringify([one.service, one.status, one.tags]);
  return said(a) === said(b);
}
