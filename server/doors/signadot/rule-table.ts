// The rules, kept up to date with the routes: by workload, as clients ask for those of one.
import type { StoredRoute } from "../../../routes/model/live-route.ts";
import { parseServiceName } from "../../../routes/model/service.ts";
import { Ordered } from "../../state/ordered.ts";
import type { Applied } from "../../state/state.ts";
import {
  type Baseline,
  isSameRule,
  type LeftOut,
  mergeParts,
  type Part,
  partsOf,
  type Rule,
  type Surroundings,
} from "./rules.ts";

/** What a client asks for; all of it must hold. */
export interface Filter {
  kind?: string;
  namespace?: string;
  name?: string;
  routingKey?: string;
  sandbox?: string;
}

/** The rule of one key and baseline, before and after. */
export interface RuleChange {
  before: Rule | undefined;
  after: Rule | undefined;
}

interface Entry {
  key: string;
  parts: Map<string, Part>;
  rule: Rule | undefined;
}

interface WorkloadRules {
  baseline: Baseline;
  entries: Ordered<Entry>;
}

/** What a route is here. */
interface Read {
  route: StoredRoute;
  parts: readonly Part[];
  why: LeftOut | undefined;
}

export class RuleTable {
  readonly #surroundings: Surroundings;
  readonly #workloads = new Ordered<WorkloadRules>(byBaseline);
  readonly #routes = new Map<string, Read>();
  /** Ids of routes by the Services that they name, without namespace and port. */
  readonly #naming = new Map<string, Set<string>>();
  readonly #leftOut = new Map<LeftOut, number>();
  readonly #listeners = new Set<(changes: readonly RuleChange[]) => void>();
  #size = 0;
  /** Counts the changes. */
  version = 0;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  get size(): number {
    return this.#size;
  }

  /** How many routes are in no rule, by the reason. */
  get leftOut(): ReadonlyMap<LeftOut, number> {
    return this.#leftOut;
  }

  /** Tells the changes of each transaction once they are made. The result ends it. */
  onChange(listener: (changes: readonly RuleChange[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get({ routingKey, baseline }: Pick<Rule, "routingKey" | "baseline">): Rule | undefined {
    return this.#entries(baseline)?.get({ key: routingKey } as Entry)?.rule;
  }

  /** The rules that the filter fits, by namespace, kind and name of the workload and then by key, from the one after `start` on, which
   * it fits, too. Nothing may change meanwhile. */
  *rules(filter: Filter, start?: Rule): Generator<Rule, void> {
    for (const { baseline, entries } of this.#workloadsOf(filter, start)) {
      const isFirst = start !== undefined && isSameBaseline(start.baseline, baseline);
      for (const { rule } of entriesOf(entries, filter, isFirst ? start.routingKey : undefined)) {
        if (rule && fits(rule, filter)) yield rule;
      }
    }
  }

  load(routes: Iterable<StoredRoute>): void {
    this.#change((touch) => {
      for (const route of routes) this.#put(route.id, route, touch);
    });
  }

  apply({ set, delete: gone }: Pick<Applied, "set" | "delete">): void {
    this.#change((touch) => {
      for (const { id } of gone) this.#put(id, undefined, touch);
      for (const { after } of set) this.#put(after.id, after, touch);
    });
  }

  /** Looks again at the routes that name these Services. */
  servicesChanged(names: Iterable<string>): void {
    this.#change((touch) => {
      const ids = new Set([...names].flatMap((name) => [...(this.#naming.get(name) ?? [])]));
      for (const id of ids) this.#put(id, this.#routes.get(id)?.route, touch);
    });
  }

  #change(work: (touch: Touch) => void): void {
    const touched = new Map<Entry, { baseline: Baseline; before: Rule | undefined }>();
    work((baseline, key) => {
      const entry = this.#entry(baseline, key);
      if (!touched.has(entry)) touched.set(entry, { baseline, before: entry.rule });
      return entry.parts;
    });
    const changes: RuleChange[] = [];
    for (const [entry, { baseline, before }] of touched) {
      const after = mergeParts(entry.key, inOrder(entry.parts));
      if (after === undefined) this.#drop(baseline, entry);
      if (isSameRule(before, after)) continue;
      entry.rule = after;
      this.#size += Number(after !== undefined) - Number(before !== undefined);
      changes.push({ before, after });
    }
    if (changes.length === 0) return;
    this.version++;
    for (const listener of this.#listeners) listener(changes);
  }

  #put(id: string, route: StoredRoute | undefined, touch: Touch): void {
    const old = this.#routes.get(id);
    const parts = route === undefined ? [] : partsOf(route, this.#surroundings);
    if (old) {
      for (const { baseline } of old.parts) touch(baseline, old.route.key ?? "").delete(id);
      this.#count(old.why, -1);
    }
    if (old?.route !== route) {
      if (old) this.#name(old.route, false);
      if (route) this.#name(route, true);
    }
    if (route === undefined) {
      this.#routes.delete(id);
      return;
    }
    const read: Read = typeof parts === "string" ? { route, parts: [], why: parts } : { route, parts, why: undefined };
    this.#routes.set(id, read);
    this.#count(read.why, 1);
    for (const part of read.parts) touch(part.baseline, route.key ?? "").set(id, part);
  }

  #count(why: LeftOut | undefined, by: number): void {
    if (why !== undefined) this.#leftOut.set(why, (this.#leftOut.get(why) ?? 0) + by);
  }

  /** Outside of a cluster no Service ever changes. */
  #name({ id, service, to }: StoredRoute, isThere: boolean): void {
    if (this.#surroundings.places === undefined) return;
    for (const reference of [service, to]) {
      const text = typeof reference === "object" && "service" in reference ? reference.service : reference;
      const name = typeof text === "string" ? parseServiceName(text)?.name : undefined;
      if (name === undefined) continue;
      const ids = this.#naming.get(name) ?? new Set();
      if (isThere) this.#naming.set(name, ids.add(id));
      else if (ids.delete(id) && ids.size === 0) this.#naming.delete(name);
    }
  }

  #entries(baseline: Baseline): Ordered<Entry> | undefined {
    return this.#workloads.get({ baseline } as WorkloadRules)?.entries;
  }

  #entry(baseline: Baseline, key: string): Entry {
    let entries = this.#entries(baseline);
    if (entries === undefined) {
      entries = new Ordered<Entry>(byKey);
      this.#workloads.put({ baseline, entries });
    }
    const entry = entries.get({ key } as Entry) ?? { key, parts: new Map(), rule: undefined };
    if (entry.rule === undefined && entry.parts.size === 0) entries.put(entry);
    return entry;
  }

  #drop(baseline: Baseline, entry: Entry): void {
    const entries = this.#entries(baseline);
    entries?.remove(entry);
    if (entries?.size === 0) this.#workloads.remove({ baseline, entries });
  }

  *#workloadsOf({ kind, namespace, name }: Filter, start: Rule | undefined): Generator<WorkloadRules, void> {
    const isWhole = kind !== undefined && namespace !== undefined && name !== undefined;
    const first = isWhole ? { kind, namespace, name } : start?.baseline;
    const one = first && this.#workloads.get({ baseline: first } as WorkloadRules);
    if (one) yield one;
    if (!isWhole) yield* this.#workloads.after(first && ({ baseline: first } as WorkloadRules));
  }
}

/** The parts of the rule of a key and baseline, by the ids of their routes. */
type Touch = (baseline: Baseline, key: string) => Map<string, Part>;

export function fits({ routingKey, baseline, destinationSandbox }: Rule, filter: Filter): boolean {
  const { kind, namespace, name, routingKey: key, sandbox } = filter;
  return (
    (key === undefined || key === routingKey) &&
    (kind === undefined || kind === baseline.kind) &&
    (namespace === undefined || namespace === baseline.namespace) &&
    (name === undefined || name === baseline.name) &&
    (sandbox === undefined || sandbox === destinationSandbox.name)
  );
}

function entriesOf(entries: Ordered<Entry>, { routingKey }: Filter, start: string | undefined): Iterable<Entry> {
  if (routingKey === undefined) return entries.after(start === undefined ? undefined : ({ key: start } as Entry));
  const entry = start === undefined || start < routingKey ? entries.get({ key: routingKey } as Entry) : undefined;
  return entry ? [entry] : [];
}

const inOrder = (parts: ReadonlyMap<string, Part>) =>
  parts.size < 2 ? [...parts.values()] : [...parts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);

const compare = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);
const byKey = (one: Entry, other: Entry) => compare(one.key, other.key);

/** In the order of rules. */
export function compareBaselines(one: Baseline, other: Baseline): number {
  return compare(one.namespace, other.namespace) || compare(one.kind, other.kind) || compare(one.name, other.name);
}

/** In the order in which `rules` gives them. */
export function compareRules(one: Rule, other: Rule): number {
  return compareBaselines(one.baseline, other.baseline) || compare(one.routingKey, other.routingKey);
}

const byBaseline = (one: WorkloadRules, other: WorkloadRules) => compareBaselines(one.baseline, other.baseline);
const isSameBaseline = (one: Baseline, other: Baseline) => compareBaselines(one, other) === 0;
