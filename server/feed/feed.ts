import { setTimeout as sleep } from "node:timers/promises";
import type { StoredRoute } from "../../routes/model/live-route.ts";
import { fromHex, type U64, u64 } from "../../routes/model/u64.ts";
import { BucketPool } from "../../routes/table/pool.ts";
import { Slices } from "../slices.ts";
import { clusterOf, type Filter, serviceOf } from "../state/filter.ts";
import type { Applied, State } from "../state/state.ts";
import { Counting, type InForce } from "./counting.ts";
import { Deadlines } from "./deadlines.ts";
import { type Follower, withoutMoved } from "./followers.ts";
import { interestOf, leftOut, type Naming, namingFor } from "./naming.ts";
import { Pace } from "./pace.ts";
import { type Bytes, type Outcome, Poll } from "./poll.ts";
import { Polls, TooLarge } from "./polls.ts";
import { type FollowingProxy, Proxies } from "./proxies.ts";
import { parseQuestion, type Question } from "./query.ts";
import { RoutesByService } from "./routes-by-service.ts";
import { parseScope, type Scope, scopeText } from "./scope.ts";
import { ROUTES_A_TURN, ScopedTable } from "./scoped-table.ts";
import type { ServiceDirectory, Surroundings } from "./services.ts";

export interface FeedOptions {
  /** The mesh's DNS domain. */
  domain?: string;
  services?: ServiceDirectory;
  /** Polls that wait at one time, at most. */
  maxPolls?: number;
  /** Scopes whose tables are held at one time, at most. */
  maxTables?: number;
  /** How long a table is held that nobody asks for, in milliseconds. */
  idle?: number;
  /** Bytes of buckets in a page. */
  pageBytes?: number;
}

export type Answer =
  | { status: 200; type: "application/octet-stream"; body: Bytes }
  | { status: 400 | 503; type: "application/json"; body: Bytes; headers: Record<string, string> };

/** Who asks, and hears once: the answer, or what went wrong in the server itself. */
export interface Asker {
  answered(answer: Answer): void;
  failed(error: Error): void;
}

/** A table and who asks for it. */
interface Served {
  scope: string;
  kind: Scope["kind"];
  table: ScopedTable;
  polls: Polls;
  naming: Naming;
  /** The values of the state's indices under which changes concern it; undefined for all. */
  interest: string[] | undefined;
  askedAt: number;
  asking: number;
}

interface Part {
  revision: number;
  set: Applied["set"][number][];
  delete: StoredRoute[];
}

/** Which proxies are meant: those to whose tables all of this applies. */
export interface ProxyFilter {
  scope?: Scope;
  /** The table may have routes of this service; its port does not matter. */
  service?: string;
  /** The table has one of these. */
  routes?: readonly StoredRoute[];
}

/** A poll as the feed counts it. */
class Asked extends Poll {
  readonly served: Served;
  readonly asker: Asker;
  readonly #ended: (asked: Asked, outcome: Outcome) => void;
  proxy: FollowingProxy<Served> | undefined;

  constructor(question: Question, served: Served, asker: Asker, ended: (asked: Asked, outcome: Outcome) => void) {
    super(question);
    this.served = served;
    this.asker = asker;
    this.#ended = ended;
  }

  protected ended(outcome: Outcome): void {
    this.#ended(this, outcome);
  }
}

/** How long a server waits for its store to bring what a proxy has seen from another server, in milliseconds. */
const MOST_BEHIND = 2000;

/** The tables of all scopes, made when they are first asked for and told of every change: what /v1/table answers. */
export class Feed {
  readonly #state: Pick<State, "revision" | "list">;
  readonly #history: U64;
  readonly #surroundings: Surroundings;
  readonly #options: Required<Pick<FeedOptions, "maxPolls" | "maxTables" | "idle">> & { pageBytes?: number };
  readonly #served = new Map<string, Served>();
  readonly #proxies = new Proxies<Served>();
  /** Those whose interest has a value, and under `undefined` those that any change may concern. */
  readonly #interested = new Map<string | undefined, Set<Served>>();
  readonly #pace = new Pace();
  readonly #deadlines = new Deadlines<Poll>(this.#pace, (poll) => void (poll as Asked).served.polls.expire(poll));
  readonly #pool = new BucketPool();
  /** Undefined where nobody knows any services. */
  readonly #byService: RoutesByService | undefined;
  readonly #stop: () => void;
  #isClosed = false;
  #waiting = 0;
  #counts = { pages: 0, bytes: 0, refused: 0, resets: 0 };

  constructor(state: Pick<State, "revision" | "list" | "history" | "onChange">, options: FeedOptions = {}) {
    const { domain = "cluster.local", services, maxPolls = 10_000, maxTables = 10_000, idle = 600_000 } = options;
    const { pageBytes } = options;
    this.#state = state;
    this.#history = u64(Number(state.history & 0xffff_ffffn), Number(state.history >> 32n));
    this.#surroundings = { domain, ...(services && { services }) };
    this.#options = { maxPolls, maxTables, idle, ...(pageBytes !== undefined && { pageBytes }) };
    this.#byService = services && new RoutesByService(state, this.#surroundings);
    const unlisten = state.onChange((change) => this.#apply(change));
    const timer = setInterval(() => this.#dropIdle(), Math.min(idle, 60_000)).unref();
    this.#stop = () => {
      unlisten();
      clearInterval(timer);
    };
  }

  /** Answers a proxy's poll, at once or when there is something new. Who asks and does not want to know any more ends the poll. The address
   * is that of the proxy's connection; a poll without one is of nobody who is counted. */
  ask(query: URLSearchParams, asker: Asker, address?: string): Poll | undefined {
    const question = parseQuestion(query);
    if (question instanceof Error) return this.#refuse(asker, 400, "invalid_query", question.message);
    const served = this.#servedFor(question.scope);
    if (!served) {
      const message = `tables of ${this.#served.size} scopes are held, which is all that may be`;
      return this.#refuse(asker, 503, "too_many_scopes", message);
    }
    if (this.waiting >= this.#options.maxPolls) {
      const message = `${this.waiting} polls wait already, which is all that may wait`;
      return this.#refuse(asker, 503, "too_many_polls", message);
    }
    served.asking++;
    this.#waiting++;
    const asked = new Asked(question, served, asker, this.#ended);
    if (address !== undefined) asked.proxy = this.#proxies.asks(address, served, question);
    if (served.table.isSettled && !served.polls.isAhead(question)) this.#pass(asked);
    else void this.#passLater(asked);
    return asked;
  }

  readonly #ended = ({ served, asker, proxy }: Asked, outcome: Outcome): void => {
    served.asking--;
    this.#waiting--;
    served.askedAt = performance.now();
    const page = outcome instanceof Uint8Array ? outcome : undefined;
    if (proxy) this.#proxies.answered(proxy, page);
    if (page) {
      this.#counts.pages++;
      this.#counts.bytes += page.length;
      asker.answered({ status: 200, type: "application/octet-stream", body: page });
    } else if (outcome instanceof TooLarge) {
      this.#refuse(asker, 503, "table_too_large", `scope "${served.scope}": ${outcome.message}`);
    } else if (outcome instanceof Error) asker.failed(outcome);
  };

  /** A connection that has polled is closed. */
  left(address: string): void {
    this.#proxies.left(address);
  }

  /** The proxies that follow their tables here, for another server that counts them. */
  get followers(): Follower[] {
    return this.#proxies.all();
  }

  /** How many proxies follow their tables here, and how many of them have in force what their table was at a revision. */
  inForce(revision = this.#state.revision, filter: ProxyFilter = {}): InForce {
    return this.#count([], revision, filter);
  }

  /** The same of those that follow them here or at one of the others, each once. */
  async inForceAt(
    others: readonly (readonly Follower[])[],
    revision = this.#state.revision,
    filter: ProxyFilter = {},
  ): Promise<InForce> {
    const scopes = new Set(others.flat().map(({ scope }) => scope));
    await Promise.all([...scopes].map((scope) => this.#servedAt(scope)?.table.settled()));
    return this.#count(others, revision, filter);
  }

  #count(others: readonly (readonly Follower[])[], revision: number, filter: ProxyFilter): InForce {
    const isConcerned = this.#concernedBy(filter);
    const counting = new Counting();
    const own = this.#proxies.all();
    const [staying = [], ...elsewhere] = withoutMoved([own, ...others], performance.now());
    const stays = new Set(staying);
    for (const one of own) {
      const { table, question } = one;
      if (stays.has(one) && isConcerned(table)) counting.add(one, table.polls.has(question, revision));
    }
    for (const one of elsewhere.flat()) {
      const served = this.#servedAt(one.scope);
      const digest = one.digest === undefined ? undefined : fromHex(one.digest);
      // Of a scope whose table can't be held here nobody knows how far its proxies are.
      if (!served || isConcerned(served)) counting.add(one, served?.polls.holds(digest, revision) ?? false);
    }
    return counting.at(revision);
  }

  #concernedBy({ scope, service, routes }: ProxyFilter): (served: Served) => boolean {
    const text = scope && scopeText(scope);
    const value = service === undefined ? undefined : serviceValue(serviceOf({ service }) ?? "");
    return (table) => {
      if (text !== undefined && table.scope !== text) return false;
      if (value !== undefined && !(table.interest?.includes(value) ?? true)) return false;
      return routes?.some((route) => table.naming(route).length > 0) ?? true;
    };
  }

  /** Why callers on Istio, where any of them ask for tables here, have no such route; undefined where nothing keeps it out. */
  leftOut(route: StoredRoute): string | undefined {
    const isAsked = [...this.#served.values()].some(({ kind }) => kind === "outbound" || kind === "both");
    return isAsked ? leftOut(route, this.#surroundings) : undefined;
  }

  /** Polls that are being answered or wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** What has been answered since the start. */
  get counts(): Readonly<{ pages: number; bytes: number; refused: number; resets: number }> {
    let { resets } = this.#counts;
    for (const { polls } of this.#served.values()) resets += polls.resets;
    return { ...this.#counts, resets };
  }

  /** The tables that are held. */
  get tables(): { scope: string; routes: number; buckets: number; waiting: number }[] {
    return [...this.#served.values()].map(({ scope, table: { content }, asking }) => {
      return { scope, routes: content.routes, buckets: content.buckets.length, waiting: asking };
    });
  }

  /** Answers all polls; those that come later are answered at once. */
  close(): void {
    this.#isClosed = true;
    this.#stop();
    this.#deadlines.close();
    for (const { polls } of this.#served.values()) polls.close();
  }

  #pass(asked: Asked): void {
    if (this.#isClosed) asked.question.wait = 0;
    asked.served.polls.ask(asked);
  }

  async #passLater(asked: Asked): Promise<void> {
    const { table, polls } = asked.served;
    await table.settled();
    for (const start = performance.now(); polls.isAhead(asked.question) && performance.now() - start < MOST_BEHIND; ) {
      if (this.#isClosed || asked.isOver) break;
      await sleep(50);
      await table.settled();
    }
    if (!asked.isOver) this.#pass(asked);
  }

  /** The table of a scope that another server has told. */
  #servedAt(text: string): Served | undefined {
    const scope = parseScope(text);
    return scope instanceof Error ? undefined : this.#servedFor(scope);
  }

  #servedFor(scope: Scope): Served | undefined {
    const text = scopeText(scope);
    const known = this.#served.get(text);
    if (known || this.#served.size >= this.#options.maxTables) return known;
    const { pageBytes } = this.#options;
    const interest = interestOf(scope, this.#surroundings);
    const filters: Filter[] = interest
      ? [...interest.services.map((service) => ({ service })), ...interest.clusters.map((from) => ({ from }))]
      : [{}];
    const naming = namingFor(scope, this.#surroundings);
    const table: ScopedTable = new ScopedTable(this.#state, naming, filters, this.#pool, () => polls.changed());
    const polls = new Polls(table, this.#pace, {
      history: this.#history,
      allWaiting: () => this.#waiting,
      deadlines: this.#deadlines,
      ...(pageBytes !== undefined && { pageBytes }),
    });
    const values = interest && [...interest.services.map(serviceValue), ...interest.clusters.map(clusterValue)];
    const served: Served = {
      scope: text,
      kind: scope.kind,
      table,
      polls,
      naming,
      interest: values,
      askedAt: performance.now(),
      asking: 0,
    };
    this.#served.set(text, served);
    for (const value of values ?? [undefined]) {
      const others = this.#interested.get(value) ?? new Set();
      this.#interested.set(value, others.add(served));
    }
    return served;
  }

  #apply(applied: Applied): void {
    const change = this.#byService?.apply(applied) ?? applied;
    for (const { table } of this.#interested.get(undefined) ?? []) table.apply(change);
    if (this.#interested.size === (this.#interested.has(undefined) ? 1 : 0)) return;
    const parts = new Parts(change, this.#interested);
    if (change.set.length + change.delete.length <= ROUTES_A_TURN) {
      for (const step of parts.steps()) step();
      for (const [{ table }, part] of parts.made) table.apply(part);
      return;
    }
    // Each table waits for its part, so that none says meanwhile that it has come to the change's revision.
    const made = new Slices().each(parts.steps(), (step) => step());
    for (const served of this.#served.values()) {
      if (served.interest) served.table.apply(made.then(() => parts.made.get(served)));
    }
  }

  #dropIdle(): void {
    for (const served of this.#served.values()) {
      if (served.asking > 0 || performance.now() - served.askedAt < this.#options.idle) continue;
      this.#served.delete(served.scope);
      this.#counts.resets += served.polls.resets;
      for (const value of served.interest ?? [undefined]) {
        const others = this.#interested.get(value);
        others?.delete(served);
        if (others?.size === 0) this.#interested.delete(value);
      }
    }
  }

  #refuse(asker: Asker, status: 400 | 503, code: string, message: string): undefined {
    this.#counts.refused++;
    const body = new TextEncoder().encode(JSON.stringify({ error: { code, message, details: [] } }));
    asker.answered({ status, type: "application/json", body, headers: status === 503 ? { "retry-after": "1" } : {} });
  }
}

/** What of a change concerns which table. */
class Parts {
  readonly made = new Map<Served, Part>();
  readonly #change: Applied;
  readonly #interested: ReadonlyMap<string | undefined, ReadonlySet<Served>>;

  constructor(change: Applied, interested: ReadonlyMap<string | undefined, ReadonlySet<Served>>) {
    this.#change = change;
    this.#interested = interested;
  }

  /** All of them have to be done. */
  *steps(): Generator<() => void, void> {
    for (const one of this.#change.set) {
      yield () => {
        for (const part of this.#of(one.after, one.before)) part.set.push(one);
      };
    }
    for (const route of this.#change.delete) {
      yield () => {
        for (const part of this.#of(route)) part.delete.push(route);
      };
    }
  }

  #of(route: StoredRoute, other?: StoredRoute): Part[] {
    const served = this.#interested.get(indexValue(route));
    const others = other && this.#interested.get(indexValue(other));
    if (!served && !others) return [];
    return [...new Set([...(served ?? []), ...(others ?? [])])].map((one) => {
      const part = this.made.get(one) ?? { revision: this.#change.revision, set: [], delete: [] };
      this.made.set(one, part);
      return part;
    });
  }
}

const serviceValue = (service: string) => `service ${service}`;
const clusterValue = (cluster: string) => `cluster ${cluster}`;

function indexValue(route: StoredRoute): string {
  const cluster = clusterOf(route);
  return cluster === undefined ? serviceValue(serviceOf(route) ?? "") : clusterValue(cluster);
}
