import type { Follower } from "./followers.ts";

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
  /** Proxies that follow their tables. */
  proxies: number;
  /** Those of them that have in force what their table was at the revision. */
  inForce: number;
  /** By scope. */
  scopes: ScopeCount[];
}

/** Addresses that are told of one scope, at most. */
const MOST_BEHIND = 20;

/** Counts proxies by their scopes. */
export class Counting {
  readonly #scopes = new Map<string, ScopeCount>();

  add({ scope, address }: Pick<Follower, "scope" | "address">, has: boolean): void {
    const count = this.#scopes.get(scope) ?? { scope, proxies: 0, inForce: 0, behind: [] };
    this.#scopes.set(scope, count);
    count.proxies++;
    if (has) count.inForce++;
    else if (count.behind.length < MOST_BEHIND) count.behind.push(address);
  }

  at(revision: number): InForce {
    const scopes = [...this.#scopes.values()].sort((a, b) => (a.scope < b.scope ? -1 : 1));
    const sum = (field: "proxies" | "inForce") => scopes.reduce((total, count) => total + count[field], 0);
    return { revision, proxies: sum("proxies"), inForce: sum("inForce"), scopes };
  }
}
