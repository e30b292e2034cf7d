/** What may have to end before its time. */
export interface Ending {
  /** Its signal was aborted. */
  revoked(): void;
}

/**
 * What ends with a signal. A signal goes through all its listeners each time that one more is added, and thousands of polls end with that of
 * one token, so each signal has one listener, for as long as anything waits for it.
 */
class Ends {
  readonly #signal: AbortSignal;
  readonly #all = new Set<Ending>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  readonly #listener = () => {
    for (const one of [...this.#all]) one.revoked();
  };

  add(one: Ending): void {
    if (this.#all.size === 0) this.#signal.addEventListener("abort", this.#listener);
    this.#all.add(one);
  }

  remove(one: Ending): void {
    this.#all.delete(one);
    if (this.#all.size === 0) this.#signal.removeEventListener("abort", this.#listener);
  }
}

const known = new WeakMap<AbortSignal, Ends>();

/** Tells one once the signal is aborted, unless it stays before. */
export function endWith(signal: AbortSignal, one: Ending): void {
  const ends = known.get(signal) ?? new Ends(signal);
  known.set(signal, ends);
  ends.add(one);
  if (signal.aborted) one.revoked();
}

/** One that has come to its end by itself is not told any more. */
export function stay(signal: AbortSignal, one: Ending): void {
  known.get(signal)?.remove(one);
}
