import { setImmediate as turn } from "node:timers/promises";

/** Milliseconds of work after which others have their turn. */
const MOST = 8;

/** Long work in slices: between two of them whatever else has come in is done. */
export class Slices {
  #since = performance.now();

  /** Whether the slice at hand has taken its time. To ask costs some 50 ns. */
  get isOver(): boolean {
    return performance.now() - this.#since > MOST;
  }

  async next(): Promise<void> {
    await turn();
    this.#since = performance.now();
  }

  /** Does something with each item. */
  async each<Item>(items: Iterable<Item>, work: (item: Item) => void): Promise<void> {
    for (const item of items) {
      work(item);
      if (this.isOver) await this.next();
    }
  }
}
