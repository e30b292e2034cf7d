/** Work on one item; the result is the milliseconds after which to look at it again, if it is to be looked at again by itself. */
export type Work = (item: string) => Promise<number | undefined>;

export interface QueueSettings {
  work: Work;
  /** Told when work has failed, with the milliseconds until it is tried again. */
  failed: (item: string, thrown: unknown, retryMs: number) => void;
  /** Items that are worked on at the same time. */
  workers?: number;
  firstRetryMs?: number;
  mostRetryMs?: number;
}

interface Item {
  timer: NodeJS.Timeout | undefined;
  /** By the steady clock; infinite while nothing is to be done. */
  due: number;
  /** It is in the line, or worked on. */
  state: "idle" | "waiting" | "working";
  /** Something has happened to it while it was worked on. */
  isStale: boolean;
  failures: number;
  /** Until when nothing but a new start begins the work again, after a failure. */
  pausedUntil: number;
  /** How often it may still be worked on at once; see BURST. */
  credit: number;
  creditAt: number;
}

/** An item may be worked on this often in a row, then only so often in a second: nobody who changes it all the time keeps a core busy. */
const BURST = 20;
const PER_SECOND = 2;
const LONGEST_TIMER = 2 ** 31 - 1;

/** Items that are worked on one at a time each, again after something has happened to them, and ever later after failures. */
export class WorkQueue {
  readonly #settings: Required<QueueSettings>;
  readonly #items = new Map<string, Item>();
  readonly #line: string[] = [];
  readonly #idle = new Set<() => void>();
  #working = 0;
  #isClosed = false;

  constructor(settings: QueueSettings) {
    this.#settings = { workers: 4, firstRetryMs: 1000, mostRetryMs: 300_000, ...settings };
  }

  /** Something has happened to the item; `isNew` when it is another one than the one that failed, so that it is tried at once. */
  add(name: string, isNew = false): void {
    const item = this.#item(name);
    if (isNew) {
      item.failures = 0;
      item.pausedUntil = 0;
    }
    if (item.state === "working") item.isStale = true;
    else this.#schedule(name, item, Math.max(performance.now(), item.pausedUntil));
  }

  /** The item is no more. */
  delete(name: string): void {
    const item = this.#items.get(name);
    clearTimeout(item?.timer);
    this.#items.delete(name);
  }

  /** Begins nothing more; resolves once what is under way is over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { timer } of this.#items.values()) clearTimeout(timer);
    if (this.#working > 0) await new Promise<void>((resolve) => this.#idle.add(resolve));
  }

  #item(name: string): Item {
    const now = performance.now();
    const fresh: Item = {
      timer: undefined,
      due: Number.POSITIVE_INFINITY,
      state: "idle",
      isStale: false,
      failures: 0,
      pausedUntil: 0,
      credit: BURST,
      creditAt: now,
    };
    const item = this.#items.get(name) ?? fresh;
    this.#items.set(name, item);
    return item;
  }

  /** Work begins at the time at the latest, unless the item has been worked on too often. */
  #schedule(name: string, item: Item, at: number): void {
    if (this.#isClosed || item.state !== "idle" || at >= item.due) return;
    clearTimeout(item.timer);
    const now = performance.now();
    item.credit = Math.min(BURST, item.credit + ((now - item.creditAt) / 1000) * PER_SECOND);
    item.creditAt = now;
    const wait = item.credit >= 1 ? 0 : ((1 - item.credit) / PER_SECOND) * 1000;
    item.due = Math.max(at, now + wait);
    const delay = item.due - now;
    if (delay <= 0) this.#enqueue(name, item);
    else item.timer = setTimeout(() => this.#enqueue(name, item), Math.min(delay, LONGEST_TIMER)).unref();
  }

  #enqueue(name: string, item: Item): void {
    item.state = "waiting";
    this.#line.push(name);
    // In a turn of its own, so that what happens together is worked on together.
    setImmediate(() => this.#next());
  }

  #next(): void {
    while (!this.#isClosed && this.#working < this.#settings.workers) {
      const name = this.#line.shift();
      if (name === undefined) return;
      const item = this.#items.get(name);
      if (item?.state === "waiting") void this.#workOn(name, item);
    }
  }

  async #workOn(name: string, item: Item): Promise<void> {
    this.#working++;
    Object.assign(item, { state: "working", isStale: false, due: Number.POSITIVE_INFINITY, credit: item.credit - 1 });
    const again = await this.#try(name, item);
    this.#working--;
    item.state = "idle";
    // It may have been deleted meanwhile.
    if (this.#items.get(name) === item) {
      if (item.isStale) this.add(name);
      else if (again !== undefined) this.#schedule(name, item, performance.now() + again);
    }
    if (this.#working === 0) for (const resolve of this.#idle) resolve();
    this.#next();
  }

  async #try(name: string, item: Item): Promise<number | undefined> {
    const { work, failed, firstRetryMs, mostRetryMs } = this.#settings;
    try {
      const again = await work(name);
      item.failures = 0;
      item.pausedUntil = 0;
      return again;
    } catch (thrown) {
      const retryMs = Math.min(firstRetryMs * 2 ** item.failures++, mostRetryMs);
      item.pausedUntil = performance.now() + retryMs;
      if (!this.#isClosed) failed(name, thrown, retryMs);
      return retryMs;
    }
  }
}
