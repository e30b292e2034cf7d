import { FLAG_LAST, KIND_RESET, PAGE_AT_FLAGS, PAGE_AT_KIND, PAGE_AT_REVISION } from "../../routes/model/feed.ts";
import { toHex, toNumber } from "../../routes/model/u64.ts";
import { readU64 } from "../../routes/table/writer.ts";
import type { Follower } from "./followers.ts";
import type { Question } from "./query.ts";

/** The table that a proxy follows. */
interface Followed {
  readonly scope: string;
  readonly polls: {
    /** Whether who asks this has in force what the table was at a revision. */
    has(question: Question, revision: number): boolean;
  };
}

/** One that follows a table, at an address. */
export interface FollowingProxy<Table> {
  readonly address: string;
  table: Table;
  question: Question;
  /** What it asks next; undefined while it waits for its answer. */
  next: Next | undefined;
  /** When it came: with its first question, or the first after a pause or a visit elsewhere. Times are the steady clock's. */
  cameAt: number;
  /** When its latest question was answered. */
  answeredAt: number;
}

/** A follower of this server, with what it asks. */
export interface OwnFollower<Table> extends Follower {
  table: Table;
  question: Question;
}

/** A question of somebody who holds nothing, who holds this revision, or one that is not known here. */
type Next = "fresh" | number | "any";

const isNext = (next: Next | undefined, asked: Next) => next === asked || (next === "any" && asked !== "fresh");

/** Milliseconds without a question after which a proxy counts as gone. */
const GONE = 30_000;

/** Milliseconds between an answer and the next question after which a proxy may have asked another server meanwhile. */
const PAUSE = 200;

/**
 * The proxies that follow their tables here, and what each of them has by its latest question. A proxy counts until its connection is closed, or
 * 30 s have passed without a question.
 *
 * A proxy asks one question at a time, but not always by the same connection: Envoy takes another one of its pool when it asks again at once, and
 * proxies behind another proxy share theirs. So a question may go on with what was answered by another connection from the same host: then that
 * proxy has moved. Which of several it is does not matter for their number, as each of them asks again.
 */
export class Proxies<Table extends Followed> {
  readonly #proxies = new Map<string, FollowingProxy<Table>>();
  /** The addresses of those that were answered and have not asked again, by host and scope, the longest ago first. */
  readonly #answered = new Map<string, Set<string>>();

  /** Somebody asks. */
  asks(address: string, table: Table, question: Question): FollowingProxy<Table> {
    const own = this.#proxies.get(address);
    const former = this.#formerAddress(address, table, question);
    const cameAt = this.#cameAt(former, question);
    // The usual case: it has its answer, and asks again by the same connection.
    if (own?.next !== undefined && former === address) {
      this.#forgetAnswered(own);
      this.#proxies.set(address, own);
      own.question = question;
      own.next = undefined;
      own.cameAt = cameAt;
      return own;
    }
    if (former !== undefined && former !== address) {
      this.left(former);
      // Whoever used this connection before asks next by another one, too.
      if (own?.next !== undefined) this.#put({ ...own, address: former });
    }
    const proxy: FollowingProxy<Table> = { address, table, question, next: undefined, cameAt, answeredAt: 0 };
    this.#put(proxy);
    return proxy;
  }

  /** It is answered with this page, if any. */
  answered(proxy: FollowingProxy<Table>, page: Uint8Array | undefined): void {
    proxy.next = nextOf(proxy.question, page);
    proxy.answeredAt = performance.now();
    if (this.#proxies.get(proxy.address) === proxy) this.#noteAnswered(proxy);
  }

  /** When the proxy came that asks; `former` is the address at which it was answered before. */
  #cameAt(former: string | undefined, question: Question): number {
    const now = performance.now();
    const proxy = former === undefined ? undefined : this.#proxies.get(former);
    const goesOn = proxy !== undefined && isNext(proxy.next, askedBy(question)) && now - proxy.answeredAt < PAUSE;
    return goesOn ? proxy.cameAt : now;
  }

  /** Where the proxy that asks was answered before; undefined for a new one. */
  #formerAddress(address: string, table: Table, question: Question): string | undefined {
    const asked = askedBy(question);
    const own = this.#proxies.get(address);
    const isOwn = own?.table === table;
    if (isOwn && isNext(own.next, asked)) return address;
    let other: string | undefined;
    for (const one of this.#answered.get(placeOf(address, table)) ?? []) {
      const { next, answeredAt } = this.#proxies.get(one) as FollowingProxy<Table>;
      if (answeredAt < performance.now() - GONE) this.left(one);
      else if (isNext(next, asked)) return one;
      else if (next !== "fresh") other ??= one;
    }
    if (isOwn) return address;
    return asked === "fresh" ? undefined : other;
  }

  #put(proxy: FollowingProxy<Table>): void {
    this.left(proxy.address);
    this.#proxies.set(proxy.address, proxy);
    if (proxy.next !== undefined) this.#noteAnswered(proxy);
  }

  /** The connection from this address is closed. */
  left(address: string): void {
    const proxy = this.#proxies.get(address);
    if (!proxy) return;
    this.#proxies.delete(address);
    this.#forgetAnswered(proxy);
  }

  #noteAnswered({ address, table }: FollowingProxy<Table>): void {
    const place = placeOf(address, table);
    const answered = this.#answered.get(place) ?? new Set();
    this.#answered.set(place, answered.add(address));
  }

  #forgetAnswered({ address, table }: FollowingProxy<Table>): void {
    const place = placeOf(address, table);
    const answered = this.#answered.get(place);
    answered?.delete(address);
    if (answered?.size === 0) this.#answered.delete(place);
  }

  /** Those that count. */
  all(): OwnFollower<Table>[] {
    const now = performance.now();
    const all: OwnFollower<Table>[] = [];
    for (const [address, { table, question, next, cameAt, answeredAt }] of this.#proxies) {
      if (next !== undefined && answeredAt < now - GONE) continue;
      const digest = question.digest && toHex(question.digest);
      const follower = { address, scope: table.scope, digest, cameAt };
      all.push({ ...follower, answeredAt: next === undefined ? undefined : answeredAt, table, question });
    }
    return all;
  }
}

/** The host and the scope. */
const placeOf = (address: string, { scope }: Followed) => `${address.replace(/:\d+$/, "")} ${scope}`;

const askedBy = ({ history, revision }: Question): Next => (history === undefined ? "fresh" : revision);

/** What somebody asks next who has asked this and got this page. */
function nextOf(question: Question, page: Uint8Array | undefined): Next {
  const before = askedBy(question);
  if (page === undefined) return before;
  if (page[PAGE_AT_KIND] === KIND_RESET) return "fresh";
  const isLast = ((page[PAGE_AT_FLAGS] ?? 0) & FLAG_LAST) !== 0;
  if (!isLast) return before;
  // A sweep of several pages leads to the revision of its first one.
  return question.next === 0 ? toNumber(readU64(page, PAGE_AT_REVISION)) : "any";
}
