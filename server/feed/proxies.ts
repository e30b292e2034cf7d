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
  isWaiting: boolean;
  /** When its latest question was answered, by the steady clock. */
  answeredAt: number;
}

/** Milliseconds without a question after which a proxy counts as gone. */
const GONE = 30_000;

/** Addresses that are told of one scope, at most. */
const MOST_BEHIND = 20;

/**
 * The proxies that follow their tables here, and what each of them has. A connection carries the polls of one proxy at a time, so its latest
 * question says which table it follows and what it holds of that. It counts until it is closed, or 30 s have passed without a question.
 */
export class Proxies<Table extends Followed> {
  readonly #proxies = new Map<string, Proxy<Table>>();

  /** Somebody asks; the result is called once they are answered. */
  asks(address: string, table: Table, question: Question): () => void {
    const proxy = { table, question, isWaiting: true, answeredAt: 0 };
    this.#proxies.set(address, proxy);
    return () => {
      proxy.isWaiting = false;
      proxy.answeredAt = performance.now();
    };
  }

  /** The connection from this address is closed. */
  left(address: string): void {
    this.#proxies.delete(address);
  }

  /** Counts the proxies whose tables are `concerned`. */
  inForce(revision: number, concerned: (table: Table) => boolean): InForce {
    const scopes = new Map<string, ScopeCount>();
    const since = performance.now() - GONE;
    for (const [address, { table, question, isWaiting, answeredAt }] of this.#proxies) {
      if ((!isWaiting && answeredAt < since) || !concerned(table)) continue;
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
