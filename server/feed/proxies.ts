import { FLAG_LAST, KIND_RESET, PAGE_AT_FLAGS, PAGE_AT_KIND, PAGE_AT_REVISION } from "../../routes/model/feed.ts";
import { toNumber } from "../../routes/model/u64.ts";
import { readU64 } from "../../routes/table/writer.ts";
import type { Question } from "./query.ts";

/** The table that a proxy follows. */
interface Followed {
  readonly scope: string;
  readonly polls: {
    /** Whether who asks this has in force what the table was at a revision. */
    has(question: Question, revision: number): boolean;
  };
}

/** How many proxies of a scope have a revision in force. */
export interface ScopeCount {
  scope: string;
  proxies: number;
  inForce: number;
  /** The addresses of some of those that do not have it yet. */
  behind: string[];
}

export interface InForce {
  revision: number;
  /** Proxies that follow their tables here. */
  proxies: number;
  /** Those of them that have in force what their table was at the revision. */
  inForce: number;
  /** By scope. */
  scopes: ScopeCount[];
}

interface Proxy<Table> {
  table: Table;
  question: Question;
  /** What it asks next; undefined while it waits for its answer. */
  next: Next | undefined;
  /** When its latest question was answered, by the steady clock. */
  answeredAt: number;
}

/** A question of somebody who holds nothing, who holds this revision, or one that is not known here. */
type Next = "fresh" | number | "any";

const isNext = (next: Next | undefined, asked: Next) => next === asked || (next === "any" && asked !== "fresh");

/** Milliseconds without a question after which a proxy counts as gone. */
const GONE = 30_000;

/** Addresses that are told of one scope, at most. */
const MOST_BEHIND = 20;

/**
 * The proxies that follow their tables here, and what each of them has by its latest question. A proxy counts until its connection is closed, or
 * 30 s have passed without a question.
 *
 * A proxy asks one question at a time, but not always by the same connection: Envoy takes another one of its pool when it asks again at once, and
 * proxies behind another proxy share theirs. So a question may go on with what was answered by another connection from the same host: then that
 * proxy has moved. Which of several it is does not matter for their number, as each of them asks again.
 */
export class Proxies<Table extends Followed> {
  readonly #proxies = new Map<string, Proxy<Table>>();
  /** The addresses of those that were answered and have not asked again, by host and scope, the longest ago first. */
  readonly #answered = new Map<string, Set<string>>();

  /** Somebody asks; the result is called with the page that they are answered, if any. */
  asks(address: string, table: Table, question: Question): (page?: Uint8Array) => void {
    const own = this.#proxies.get(address);
    const former = this.#formerAddress(address, table, question);
    if (former !== undefined && former !== address) {
      this.left(former);
      // Whoever used this connection before asks next by another one, too.
      if (own?.next !== undefined) this.#put(former, own);
    }
    const proxy: Proxy<Table> = { table, question, next: undefined, answeredAt: 0 };
    this.#put(address, proxy);
    return (page) => {
      proxy.next = nextOf(question, page);
      proxy.answeredAt = performance.now();
      if (this.#proxies.get(address) === proxy) this.#put(address, proxy);
    };
  }

  /** Where the proxy that asks was answered before; undefined for a new one. */
  #formerAddress(address: string, table: Table, question: Question): string | undefined {
    const asked: Next = question.history === undefined ? "fresh" : question.revision;
    const own = this.#proxies.get(address);
    const isOwn = own?.table === table;
    if (isOwn && isNext(own.next, asked)) return address;
    let other: string | undefined;
    for (const one of this.#answered.get(placeOf(address, table)) ?? []) {
      const { next, answeredAt } = this.#proxies.get(one) as Proxy<Table>;
      if (answeredAt < performance.now() - GONE) this.left(one);
      else if (isNext(next, asked)) return one;
      else if (next !== "fresh") other ??= one;
    }
    if (isOwn) return address;
    return asked === "fresh" ? undefined : other;
  }

  #put(address: string, proxy: Proxy<Table>): void {
    this.left(address);
    this.#proxies.set(address, proxy);
    if (proxy.next === undefined) return;
    const place = placeOf(address, proxy.table);
    this.#answered.set(place, (this.#answered.get(place) ?? new Set()).add(address));
  }

  /** The connection from this address is closed. */
  left(address: string): void {
    const proxy = this.#proxies.get(address);
    if (!proxy) return;
    this.#proxies.delete(address);
    const place = placeOf(address, proxy.table);
    const answered = this.#answered.get(place);
    answered?.delete(address);
    if (answered?.size === 0) this.#answered.delete(place);
  }

  /** Counts the proxies whose tables are `concerned`. */
  inForce(revision: number, concerned: (table: Table) => boolean): InForce {
    const scopes = new Map<string, ScopeCount>();
    const since = performance.now() - GONE;
    for (const [address, { table, question, next, answeredAt }] of this.#proxies) {
      if ((next !== undefined && answeredAt < since) || !concerned(table)) continue;
      const count = scopes.get(table.scope) ?? { scope: table.scope, proxies: 0, inForce: 0, behind: [] };
      scopes.set(table.scope, count);
      count.proxies++;
      if (table.polls.has(question, revision)) count.inForce++;
      else if (count.behind.length < MOST_BEHIND) count.behind.push(address);
    }
    const all = [...scopes.values()].sort((a, b) => (a.scope < b.scope ? -1 : 1));
    const sum = (field: "proxies" | "inForce") => all.reduce((total, count) => total + count[field], 0);
    return { revision, proxies: sum("proxies"), inForce: sum("inForce"), scopes: all };
  }
}

/** The host and the scope. */
const placeOf = (address: string, { scope }: Followed) => `${address.replace(/:\d+$/, "")} ${scope}`;

/** What somebody asks next who has asked this and got this page. */
function nextOf({ history, revision, next }: Question, page: Uint8Array | undefined): Next {
  const before = history === undefined ? "fresh" : revision;
  if (page === undefined) return before;
  if (page[PAGE_AT_KIND] === KIND_RESET) return "fresh";
  const isLast = ((page[PAGE_AT_FLAGS] ?? 0) & FLAG_LAST) !== 0;
  if (!isLast) return before;
  // A sweep of several pages leads to the revision of its first one.
  return next === 0 ? toNumber(readU64(page, PAGE_AT_REVISION)) : "any";
}
