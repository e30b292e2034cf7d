// The routes that the Sandboxes of a cluster stand for.
import { inOrder, type LiveRoute } from "../../routes/model/live-route.ts";
import { SANDBOX_LABEL, type SandboxResource, sandboxName, sandboxRouteId } from "../../routes/model/sandbox.ts";
import type { ConditionType, REASONS } from "../../routes/model/status.ts";
import { formatDiagnostic } from "../../routes/reading/diagnostic.ts";
import { overlap, type Place, placeOf } from "../../routes/reading/place.ts";
import type { ReadSandbox } from "../../routes/reading/sandbox.ts";
import { Claims } from "./claims.ts";
import { Groups } from "./groups.ts";
import { type Conflict, type Included, includedRoutes } from "./include.ts";
import {
  type Fork,
  type ForkService,
  type OwnRoute,
  ownRoutes,
  type Sandbox,
  saysTheSame,
  specOf,
  toFork,
  toSandbox,
} from "./sandbox.ts";
import { baselineText } from "./texts.ts";

/** What a call has changed. */
export interface TableChange {
  set: LiveRoute[];
  /** Ids of routes. */
  delete: string[];
  /** `NAMESPACE/NAME` of the Sandboxes about which there may be something else to say; one that is gone among them. */
  verdicts: string[];
}

export type Reason<Type extends ConditionType> = (typeof REASONS)[Type][number];

/** A Route of its own, not a Sandbox's, is for the same requests as a Sandbox's route. */
export interface Taken {
  service: string;
  /** The Route's id. */
  route: string;
}

export interface PlannedRoute {
  id: string;
  route: LiveRoute;
  /** `spec`, `fork WORKLOAD` or `include SANDBOX`. */
  from: string;
}

/** What there is to say of a Sandbox, as far as the resources alone tell. */
export interface Verdict {
  /** Unknown where the spec can't be read. */
  key?: string;
  expires?: string;
  accepted: { ok: boolean; reason: Exclude<Reason<"Accepted">, "Expired" | "Twin">; message: string };
  routes: readonly PlannedRoute[];
  /** Routes that it would have, were it not for Routes. */
  taken: readonly Taken[];
  /** In which it includes, wins or loses. */
  conflicts: readonly Conflict[];
}

interface Entry {
  sandbox: Sandbox;
  own: OwnRoute[];
  routes: PlannedRoute[];
  taken: Taken[];
  conflicts: Conflict[];
}

/** A key route that is no Sandbox's. */
interface KeyedRoute {
  id: string;
  key: string;
  place: Place;
}

/**
 * Sandboxes, the Services of their forks and the other routes come in any order, and the table is the same for the same ones. A change costs
 * what it touches: its Sandbox, those that want the same key, and those that include it.
 */
export class SandboxTable {
  readonly #entries = new Map<string, Entry>();
  readonly #forks = new Map<string, Fork>();
  readonly #forksOf = new Groups<Fork>();
  readonly #claims = new Claims();
  /** By namespace and label. */
  readonly #labelled = new Groups<Entry>();
  /** Those that include others, by namespace and one of the labels that they look for. */
  readonly #includers = new Groups<Entry>();
  /** Conflicts of those that include it, in which a Sandbox is told. */
  readonly #toldOf = new Groups<Conflict>();
  readonly #routes = new Map<string, KeyedRoute>();
  readonly #routesOf = new Groups<KeyedRoute>();

  putSandbox(resource: SandboxResource): TableChange {
    const before = this.#entries.get(sandboxName(resource.metadata))?.sandbox;
    return before && saysTheSame(resource, before) ? nothing() : this.#change(toSandbox(resource));
  }

  removeSandbox(namespace: string, name: string): TableChange {
    const entry = this.#entries.get(`${namespace}/${name}`);
    return entry ? this.#change({ ...entry.sandbox, isLeaving: true }, true) : nothing();
  }

  /** A Service that is no fork's is passed over, or taken for gone where it was one. */
  putFork(service: ForkService): TableChange {
    const { namespace = "", name = "" } = service.metadata ?? {};
    return this.#changeFork(`${namespace}/${name}`, toFork(service));
  }

  removeFork(namespace: string, name: string): TableChange {
    return this.#changeFork(`${namespace}/${name}`, undefined);
  }

  /** A route that is no Sandbox's: it wins over those of Sandboxes that are for the same requests. */
  putRoute(route: LiveRoute): TableChange {
    const { id, key } = route;
    return this.#changeRoute(id, key === undefined ? undefined : { id, key, place: placeOf(route) });
  }

  removeRoute(id: string): TableChange {
    return this.#changeRoute(id, undefined);
  }

  /** The Sandboxes that there are. */
  get size(): number {
    return this.#entries.size;
  }

  verdict(namespace: string, name: string): Verdict | undefined {
    const entry = this.#entries.get(`${namespace}/${name}`);
    if (entry === undefined) return undefined;
    const { sandbox, routes, taken } = entry;
    const spec = Array.isArray(sandbox.read) ? undefined : sandbox.read;
    return {
      ...(spec && { key: spec.key, ...(spec.expires !== undefined && { expires: spec.expires }) }),
      accepted: this.#acceptance(sandbox),
      routes,
      taken,
      conflicts: [...entry.conflicts, ...this.#toldOf.of(sandbox.name)].sort(byIncluder),
    };
  }

  #acceptance(sandbox: Sandbox): Verdict["accepted"] {
    const { read } = sandbox;
    if (Array.isArray(read)) {
      return {
        ok: false,
        reason: "Invalid",
        message: `${read.map(formatDiagnostic).join("; ")}; mend it and apply it again`,
      };
    }
    const holder = sandbox.isLeaving ? sandbox : this.#claims.holder(read.key);
    if (holder === undefined || holder === sandbox) {
      return { ok: true, reason: "Accepted", message: `requests with the key ${read.key} are routed` };
    }
    const message = `Sandbox ${holder.name}, which is older, has the key ${read.key}; write another one in spec.key, or delete that Sandbox`;
    return { ok: false, reason: "KeyTaken", message };
  }

  // Changes

  #change(sandbox: Sandbox, isGone = false): TableChange {
    const before = this.#entries.get(sandbox.name);
    const affected = new Set([sandbox.name]);
    const keys = new Set([before?.sandbox, sandbox].flatMap((one) => (one && specOf(one)?.key) ?? []));
    const holders = new Map([...keys].map((key) => [key, this.#claims.holder(key)]));
    if (before) this.#addIncluders(before, affected);
    if (before) this.#unindex(before);
    if (isGone) this.#entries.delete(sandbox.name);
    const own = ownRoutes(sandbox, this.#forksOf.of(sandbox.name));
    const entry: Entry = { taken: [], conflicts: [], routes: [], ...before, sandbox, own };
    if (!isGone) {
      this.#index(entry);
      this.#addIncluders(entry, affected);
    }
    for (const [key, holder] of holders) {
      // Who has the key is the same one, even where it was put anew.
      if (this.#claims.holder(key)?.name === holder?.name) continue;
      for (const { name } of this.#claims.of(key)) affected.add(name);
    }
    return this.#refresh(affected, isGone ? entry : undefined);
  }

  #changeFork(id: string, fork: Fork | undefined): TableChange {
    const before = this.#forks.get(id);
    if (before) this.#forksOf.delete(before.sandbox, before);
    this.#forks.delete(id);
    if (fork) {
      this.#forks.set(id, fork);
      this.#forksOf.add(fork.sandbox, fork);
    }
    const affected = new Set<string>();
    for (const name of new Set([before?.sandbox, fork?.sandbox])) {
      const entry = this.#entries.get(name ?? "");
      if (entry === undefined) continue;
      entry.own = ownRoutes(entry.sandbox, this.#forksOf.of(entry.sandbox.name));
      affected.add(entry.sandbox.name);
      this.#addIncluders(entry, affected);
    }
    return this.#refresh(affected);
  }

  #changeRoute(id: string, route: KeyedRoute | undefined): TableChange {
    const before = this.#routes.get(id);
    if (before) this.#routesOf.delete(before.key, before);
    this.#routes.delete(id);
    if (route) {
      this.#routes.set(id, route);
      this.#routesOf.add(route.key, route);
    }
    const holders = [before, route].flatMap((one) => (one && this.#claims.holder(one.key)?.name) ?? []);
    return this.#refresh(new Set(holders));
  }

  #index(entry: Entry): void {
    const { sandbox } = entry;
    this.#entries.set(sandbox.name, entry);
    const spec = specOf(sandbox);
    if (spec) this.#claims.add(spec.key, sandbox);
    for (const label of labelsIn(sandbox)) this.#labelled.add(label, entry);
    if (spec?.include) this.#includers.add(soughtBy(sandbox, spec.include), entry);
  }

  #unindex(entry: Entry): void {
    const { sandbox } = entry;
    const spec = specOf(sandbox);
    if (spec) this.#claims.remove(spec.key, sandbox);
    for (const label of labelsIn(sandbox)) this.#labelled.delete(label, entry);
    if (spec?.include) this.#includers.delete(soughtBy(sandbox, spec.include), entry);
  }

  /** Adds those that include the Sandbox of the entry. */
  #addIncluders({ sandbox }: Entry, affected: Set<string>): void {
    for (const label of labelsIn(sandbox)) {
      for (const { sandbox: includer } of this.#includers.of(label)) {
        if (includes(includer, sandbox)) affected.add(includer.name);
      }
    }
  }

  // Routes

  /** Works the routes of these Sandboxes out anew; `gone` is one that is there no more. */
  #refresh(names: ReadonlySet<string>, gone?: Entry): TableChange {
    const change: TableChange = { set: [], delete: [], verdicts: [] };
    const told = new Set(names);
    for (const name of names) {
      const entry = this.#entries.get(name) ?? gone;
      if (entry) this.#refreshOne(entry, change, told);
    }
    change.verdicts.push(...[...told].sort());
    return change;
  }

  #refreshOne(entry: Entry, change: TableChange, told: Set<string>): void {
    const { routes, taken, conflicts } = this.#plan(entry);
    const after = new Set(routes.map(({ id }) => id));
    const before = new Map(entry.routes.map(({ id, route }) => [id, route]));
    for (const { id } of entry.routes) if (!after.has(id)) change.delete.push(id);
    for (const { id, route } of routes) {
      if (JSON.stringify(before.get(id)) !== JSON.stringify(route)) change.set.push(route);
    }
    for (const conflict of entry.conflicts) this.#tell(conflict, told, (name) => this.#toldOf.delete(name, conflict));
    for (const conflict of conflicts) this.#tell(conflict, told, (name) => this.#toldOf.add(name, conflict));
    Object.assign(entry, { routes, taken, conflicts });
  }

  /** Who wins and who loses is told, as well as who includes them. */
  #tell({ winner, loser }: Conflict, told: Set<string>, change: (name: string) => void): void {
    for (const name of [winner, loser]) {
      told.add(name);
      change(name);
    }
  }

  #plan({ sandbox, own }: Entry): Pick<Entry, "routes" | "taken" | "conflicts"> {
    const spec = specOf(sandbox);
    if (spec === undefined || this.#claims.holder(spec.key) !== sandbox) {
      return { routes: [], taken: [], conflicts: [] };
    }
    const included = includedRoutes(sandbox, own, this.#includedBy(sandbox, spec));
    const routes: PlannedRoute[] = [];
    const taken: Taken[] = [];
    const others = this.#routesOf.of(spec.key);
    for (const [at, one] of [...own, ...included.routes].entries()) {
      const id = sandboxRouteId(sandbox.name, at);
      const winner = firstOverlapping(others, one.place);
      if (winner !== undefined) taken.push({ service: baselineText(one.route), route: winner });
      else routes.push({ id, route: liveRoute(id, one, sandbox, spec), from: one.from });
    }
    return { routes, taken, conflicts: included.conflicts };
  }

  *#includedBy(sandbox: Sandbox, { include }: ReadSandbox): Generator<[Sandbox, OwnRoute[]]> {
    if (include === undefined) return;
    for (const other of this.#labelled.of(soughtBy(sandbox, include))) {
      if (includes(sandbox, other.sandbox)) yield [other.sandbox, other.own];
    }
  }
}

const nothing = (): TableChange => ({ set: [], delete: [], verdicts: [] });

/** The id that is first in the alphabet, so that the same one is named whatever came first. */
function firstOverlapping(routes: Iterable<KeyedRoute>, place: Place): string | undefined {
  let first: string | undefined;
  for (const { id, place: other } of routes) {
    if (overlap(place, other) && (first === undefined || id < first)) first = id;
  }
  return first;
}

function liveRoute(
  id: string,
  one: OwnRoute | Included,
  sandbox: Sandbox,
  { key, expires: end }: ReadSandbox,
): LiveRoute {
  // What is included goes with the Sandbox that it comes from, if that goes first.
  const other = "sandbox" in one ? specOf(one.sandbox)?.expires : undefined;
  const expires = end === undefined || (other !== undefined && other < end) ? other : end;
  return inOrder({
    ...one.route,
    id,
    key,
    ...(expires !== undefined && { expires }),
    owner: `Sandbox ${sandbox.name}`,
    labels: { ...sandbox.labels, [SANDBOX_LABEL]: sandbox.shortName },
  });
}

function includes(includer: Sandbox, other: Sandbox): boolean {
  const wanted = specOf(includer)?.include;
  if (wanted === undefined || other.name === includer.name || other.namespace !== includer.namespace) return false;
  return Object.entries(wanted).every(([name, value]) => other.labels[name] === value);
}

function labelsIn({ namespace, labels }: Sandbox): string[] {
  return Object.entries(labels).map(([name, value]) => labelIn(namespace, name, value));
}

/** One of the labels, the same for the same ones. */
function soughtBy({ namespace }: Sandbox, include: Record<string, string>): string {
  const [name = "", value = ""] = Object.entries(include).sort(([a], [b]) => (a < b ? -1 : 1))[0] ?? [];
  return labelIn(namespace, name, value);
}

const labelIn = (namespace: string, name: string, value: string) => `${namespace}\n${name}=${value}`;

function byIncluder(a: Conflict, b: Conflict): number {
  const [one, other] = [a, b].map(({ includer, service, loser }) => `${includer}\n${service}\n${loser}`);
  return (one ?? "") < (other ?? "") ? -1 : 1;
}
