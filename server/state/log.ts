import type { StoredRoute } from "../../routes/model/live-route.ts";

/** A change as those who watch are told of it. */
export interface Logged {
  revision: number;
  set: readonly StoredRoute[];
  /** What the routes were that are gone; of those that went before this server began, their ids alone. */
  delete: readonly (StoredRoute | { id: string })[];
}

/** The latest changes, so many that together they set and delete `most` routes. */
export class ChangeLog {
  readonly #most: number;
  #changes: Logged[] = [];
  #routes = 0;
  #since: number;

  constructor(since: number, most: number) {
    this.#since = since;
    this.#most = most;
  }

  /** All that happened after this revision is here. */
  get since(): number {
    return this.#since;
  }

  add(change: Logged): void {
    this.#changes.push(change);
    this.#routes += sizeOf(change);
    let dropped = 0;
    for (; this.#routes > this.#most; dropped++) {
      const oldest = this.#changes[dropped] as Logged;
      this.#routes -= sizeOf(oldest);
      this.#since = oldest.revision;
    }
    if (dropped > 0) this.#changes.splice(0, dropped);
  }

  /** The first change after a revision; undefined when there is none yet. Only for what is not before `since`. */
  after(revision: number): Logged | undefined {
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#changes[middle] as Logged).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#changes[low];
  }
}

const sizeOf = ({ set, delete: gone }: Logged) => set.length + gone.length;
