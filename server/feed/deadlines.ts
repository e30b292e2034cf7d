import type { Pace } from "./pace.ts";

/** Milliseconds between two looks at what is due, at least: each look goes through all that wait. */
const BETWEEN = 10;

interface Timed {
  /** By the steady clock. */
  due: number;
}

/** Whose time is over of those that wait: one timer for all of them. */
export class Deadlines<One extends Timed> {
  readonly #waiting = new Set<One>();
  readonly #pace: Pace;
  readonly #expire: (one: One) => void;
  #timer: NodeJS.Timeout | undefined;
  #lookAt = Number.POSITIVE_INFINITY;

  /** `expire` is called in turns for each that is due, and that nobody has taken away by then. */
  constructor(pace: Pace, expire: (one: One) => void) {
    this.#pace = pace;
    this.#expire = expire;
  }

  add(one: One): void {
    this.#waiting.add(one);
    this.#lookLater(one.due);
  }

  delete(one: One): void {
    this.#waiting.delete(one);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #lookLater(at: number): void {
    if (at >= this.#lookAt) return;
    this.#lookAt = at;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), at - performance.now());
  }

  #look(): void {
    const now = performance.now();
    const due: One[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const one of this.#waiting) {
      if (one.due <= now) due.push(one);
      else next = Math.min(next, one.due);
    }
    this.#lookAt = Number.POSITIVE_INFINITY;
    this.#lookLater(Math.max(next, now + BETWEEN));
    if (due.length > 0) this.#pace.add(this.#expiring(due));
  }

  *#expiring(due: readonly One[]): Generator<void, void> {
    for (const one of due) {
      if (!this.#waiting.delete(one)) continue;
      this.#expire(one);
      yield;
    }
  }
}
