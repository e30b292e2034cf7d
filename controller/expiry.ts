import { parseDate } from "../routes/model/date.ts";

/** Milliseconds until a date; 0 once it is past, undefined where there is none. */
export function millisecondsUntil(expires: string | undefined, nowMs: number): number | undefined {
  const at = parseDate(expires ?? "");
  return at === undefined ? undefined : Math.max(0, at * 1000 - nowMs);
}

/** A wall clock that moves this much against the steady one has been set. */
const JUMP_MS = 5000;
/** For so long a clock that was set is not believed: it may be set back again. */
const DOUBT_MS = 60_000;

/** The time of day, unless the clock has jumped: what is deleted by a wrong clock doesn't come back. */
export class TrustedClock {
  readonly #wall: () => number;
  readonly #steady: () => number;
  #offset: number;
  #doubtUntil = Number.NEGATIVE_INFINITY;

  constructor(wall = Date.now, steady = () => performance.now()) {
    this.#wall = wall;
    this.#steady = steady;
    this.#offset = wall() - steady();
  }

  /** Milliseconds since 1970; undefined while the clock can't be trusted. */
  now(): number | undefined {
    const jump = this.#wall() - this.#steady() - this.#offset;
    if (Math.abs(jump) >= JUMP_MS) this.#doubtUntil = this.#steady() + DOUBT_MS;
    this.#offset += jump;
    return this.#steady() < this.#doubtUntil ? undefined : this.#wall();
  }
}
