/**
 * What ends with a signal. A signal goes through all its listeners each time that one more is added, and thousands of polls end with that of
 * one token, so each signal has one listener, for as long as anything waits for it.
 */
class Ends {
  readonly #signal: AbortSignal;
  readonly #all = new Set<() => void>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  readonly #listener = () => {
    for (const end of [...this.#all]) end();
  };

  add(end: () => void): void {
    if (this.#all.size === 0) this.#signal.addEventListener("abort", this.#listener);
    this.#all.add(end);
  }

  remove(end: () => void): void {
    this.#all.delete(end);
    if (this.#all.size === 0) this.#signal.removeEventListener("abort", this.#listener);
  }
}

const known = new WeakMap<AbortSignal, Ends>();

/** Calls `end` once the signal is aborted, unless the result was called before. */
export function endWith(signal: AbortSignal, end: () => void): () => void {
  const ends = known.get(signal) ?? new Ends(signal);
  known.set(signal, ends);
  ends.add(end);
  if (signal.aborted) end();
  return () => ends.remove(end);
}
