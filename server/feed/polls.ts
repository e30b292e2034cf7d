import { MAX_ANSWER, PAGE_BYTES, PART_BYTES } from "../../routes/model/feed.ts";
import { equal, type U64 } from "../../routes/model/u64.ts";
import { encodePage } from "../../routes/table/page.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Pace } from "./pace.ts";
import type { Bytes, Poll } from "./poll.ts";
import type { Question } from "./query.ts";
import type { ScopedTable } from "./scoped-table.ts";
import { changedPart, type Part, wholePart } from "./sweep.ts";

/** From one time that those who wait are answered to the next, changes of a table are gathered so long that all proxies that wait for any
 * table can be answered without taking up the server. */
const GATHER_FOR_EACH = 0.25; // milliseconds
const LEAST_GATHERED = 5; // milliseconds: less is not worth a timer
const MOST_GATHERED = 500; // milliseconds

/** For how long pages are given to others who are at the same place, while the table goes on changing: what they lack comes the next time. Else
 * thousands of answers, which take some time, would be thousands of pages, and each proxy would be at another place the next time. */
const PAGES_LAST = 25; // milliseconds

/** A page that proxies would refuse. */
export class TooLarge extends Error {}

export interface PollsOptions {
  history: U64;
  /** How many polls wait, for whatever table. */
  allWaiting(): number;
  /** Calls `expire` for polls that are due. */
  deadlines: Pick<Deadlines<Poll>, "add" | "delete">;
  pageBytes?: number;
}

/** The proxies' polls of one table. */
export class Polls {
  readonly #table: ScopedTable;
  readonly #pace: Pace;
  readonly #options: PollsOptions;
  readonly #waiting = new Set<Poll>();
  #gathering: NodeJS.Timeout | undefined;
  #isAnswering = false;
  #answeredAt = Number.NEGATIVE_INFINITY;
  resets = 0;

  constructor(table: ScopedTable, pace: Pace, options: PollsOptions) {
    this.#table = table;
    this.#pace = pace;
    this.#options = options;
  }

  /** Ends the poll with its page, once there is something to say; the table is settled. */
  ask(poll: Poll): void {
    const { question } = poll;
    const place = this.#placeOf(question);
    if (typeof place === "number" && question.next === 0) {
      const isBehind = place < this.#table.log.last;
      // A proxy that does not say its digest wants to know whether it has all.
      const mayBeHeld = question.wait > 0 && question.digest !== undefined;
      if (mayBeHeld || (isBehind && this.#gathered > 0)) {
        this.#hold(poll, place);
        return;
      }
    }
    void this.#answerInTurn(poll);
  }

  async #answerInTurn(poll: Poll): Promise<void> {
    await this.#turn();
    await this.#table.settled();
    poll.end(this.#outcome(poll.question, this.#placeOf(poll.question)));
  }

  /** Waits until others have been answered. */
  #turn(): Promise<void> {
    return new Promise((resolve) => {
      // biome-ignore lint/correctness/useYield: its one step is to resolve
      const step = function* () {
        resolve();
      };
      this.#pace.add(step());
    });
  }

  /** Whether the state has yet to come to what the proxy has from another server. */
  isAhead({ revision, history, digest }: Question): boolean {
    const isOurs = history !== undefined && equal(history, this.#options.history);
    return isOurs && revision > this.#table.revision && !(digest && equal(digest, this.#table.content.digest));
  }

  /** Whether who asks this has in force what the table was at a revision: what it holds is that or later, or nothing has changed since. */
  has(question: Question, revision: number): boolean {
    // Without a digest its table is not whole, and may not serve yet.
    if (question.digest === undefined) return false;
    const isOurs = question.history !== undefined && equal(question.history, this.#options.history);
    const isLater = isOurs && question.revision >= revision;
    const { isSettled, revision: now, log } = this.#table;
    if (!isSettled || (isOurs && question.revision > now)) return isLater;
    const place = this.#placeOf(question);
    if (place === "start") return false;
    // One whose place is forgotten is believed; another table than that of its revision is not.
    if (place === undefined) return isLater && log.find(question.revision, undefined) === undefined;
    return isLater || (revision <= now && !log.hasChanged(place, revision));
  }

  /** The same of a proxy of another server, which may count revisions otherwise: by its table alone, which was the one here at the revision or
   * later. */
  holds(digest: U64 | undefined, revision: number): boolean {
    const { isSettled, revision: now, log } = this.#table;
    return digest !== undefined && isSettled && revision <= now && log.hasBeen(digest, revision);
  }

  /** For how long changes are gathered, in milliseconds. */
  get #gathered(): number {
    const gathered = GATHER_FOR_EACH * this.#options.allWaiting();
    return gathered < LEAST_GATHERED ? 0 : Math.min(MOST_GATHERED, gathered);
  }

  /** Answers those who wait that the table has changed, now or a little later. */
  changed(): void {
    if (this.#waiting.size === 0 || this.#gathering || this.#isAnswering) return;
    const delay = this.#answeredAt + this.#gathered - performance.now();
    if (delay <= 0) this.#answer();
    else this.#gathering = setTimeout(() => this.#answer(), delay);
  }

  /** Answers all who wait with what there is. */
  close(): void {
    clearTimeout(this.#gathering);
    for (const poll of this.#waiting) void this.expire(poll);
  }

  /** Where the proxy is: at no place yet, at one that is known, or nobody knows where. */
  #placeOf({ revision, history, digest }: Question): "start" | number | undefined {
    if (history === undefined) return "start";
    const { content, log } = this.#table;
    const isOurs = equal(history, this.#options.history);
    const place = isOurs && revision <= this.#table.revision ? log.find(revision, digest) : undefined;
    return place ?? (digest && equal(digest, content.digest) ? log.last : undefined);
  }

  #hold(poll: Poll, place: number): void {
    poll.holder = this;
    poll.place = place;
    poll.due = performance.now() + Math.max(poll.question.wait, 2 * MOST_GATHERED);
    this.#waiting.add(poll);
    this.#options.deadlines.add(poll);
    if (place < this.#table.log.last) this.changed();
  }

  /** A poll that was held has ended. */
  release(poll: Poll): void {
    this.#waiting.delete(poll);
    this.#options.deadlines.delete(poll);
  }

  /** Answers a poll that is held with what there is. */
  async expire(poll: Poll): Promise<void> {
    await this.#table.settled();
    if (!poll.isOver) poll.end(this.#outcome(poll.question, poll.place));
  }

  #answer(): void {
    this.#gathering = undefined;
    this.#isAnswering = true;
    this.#answeredAt = performance.now();
    this.#pace.add(this.#answering());
  }

  /** Answers those who are behind, one a step. Those who are at one place and revision get the same bytes. Who asks meanwhile waits for
   * the next time, as else many proxies would be answered without an end. */
  *#answering(): Generator<void, void> {
    const pages = new Map<string, Bytes | Error>();
    let madeAt = performance.now();
    for (const poll of [...this.#waiting]) {
      // A table that is not settled will say when it is.
      if (!this.#table.isSettled) break;
      if (poll.place >= this.#table.log.last || poll.isOver) continue;
      if (performance.now() - madeAt > PAGES_LAST) {
        pages.clear();
        madeAt = performance.now();
      }
      const same = `${poll.place} ${poll.question.revision}`;
      const page = pages.get(same) ?? this.#outcome(poll.question, poll.place);
      pages.set(same, page);
      poll.end(page);
      yield;
    }
    this.#isAnswering = false;
    if (!this.#table.isSettled) return;
    const { last } = this.#table.log;
    for (const { place } of this.#waiting) {
      if (place >= last) continue;
      this.changed();
      return;
    }
  }

  #outcome(question: Question, place: "start" | number | undefined): Bytes | Error {
    try {
      return this.#page(question, place);
    } catch (thrown) {
      return thrown instanceof Error ? thrown : new Error(String(thrown));
    }
  }

  #page(question: Question, place: "start" | number | undefined): Bytes {
    const { content, log } = this.#table;
    if (place === undefined || (place !== "start" && !log.has(place))) return this.#reset(question);
    const only = this.#options.pageBytes ?? PAGE_BYTES;
    const sizes = { only, several: Math.min(only, PART_BYTES) };
    const part =
      place === "start"
        ? wholePart(content.buckets, question.next, sizes)
        : changedPart(content.buckets, log.changedSince(place), question.next, sizes);
    const hasRules = part.next === 0 && (place === "start" || log.haveRulesChangedSince(place));
    return this.#encode(question, part, false, hasRules ? content.rules : undefined);
  }

  #reset(question: Question): Bytes {
    this.resets++;
    return this.#encode(question, { records: [], next: 0 }, true);
  }

  #encode({ revision: from }: Question, { records, next }: Part, isReset: boolean, rules?: Uint8Array): Bytes {
    const { content, revision } = this.#table;
    const page = encodePage({
      ...{ isReset, isLast: next === 0, history: this.#options.history, from, revision, digest: content.digest },
      ...{ buckets: content.buckets.length, routes: content.routes, next, records },
      ...(rules && { rules }),
    });
    if (page.length <= MAX_ANSWER) return page;
    const what = rules && rules.length > MAX_ANSWER / 2 ? "routes without a key have" : "routes of one key have";
    throw new TooLarge(`the ${what} ${page.length} bytes together, and proxies take no more than ${MAX_ANSWER}`);
  }
}
