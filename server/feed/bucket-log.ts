import { equal, type U64 } from "../../routes/model/u64.ts";
import type { Changed } from "../../routes/table/table.ts";

/** What a table was after a change, and what the change was. */
export interface Place extends Changed {
  /** The state's, when the table became this. */
  revision: number;
  digest: U64;
}

const MOST_PLACES = 65_536;
const MOST_BUCKETS = 500_000;

/** What has become of one table, so that a proxy that has an earlier one is told of what has changed since alone. */
export class BucketLog {
  readonly #places: Place[];
  /** The number of the first place that is kept. Places are numbered from 0 on. */
  #first = 0;
  #buckets = 0;

  constructor(start: Omit<Place, keyof Changed>) {
    this.#places = [{ ...start, buckets: [], rules: false }];
  }

  /** The number of the place that is now. */
  get last(): number {
    return this.#first + this.#places.length - 1;
  }

  /** Whether what has changed since that place is still known. */
  has(number: number): boolean {
    return number >= this.#first;
  }

  /** Whether the table has changed after a place and up to a revision. */
  hasChanged(number: number, revision: number): boolean {
    const next = this.#places[number + 1 - this.#first];
    return next !== undefined && next.revision <= revision;
  }

  /** Whether the table had this digest at a revision, or has come to it since. */
  hasBeen(digest: U64, revision: number): boolean {
    for (let index = this.#places.length - 1; index >= 0; index--) {
      const place = this.#places[index] as Place;
      if (equal(place.digest, digest)) return true;
      if (place.revision <= revision) return false;
    }
    return false;
  }

  add(place: Place): void {
    this.#places.push(place);
    this.#buckets += place.buckets.length;
    if (this.#buckets > MOST_BUCKETS || this.#places.length > MOST_PLACES) this.#drop();
  }

  /** Drops an eighth more than must be, as each time costs as much as there is left. The last change must be known to those who waited for it. */
  #drop(): void {
    let dropped = 0;
    while (
      this.#places.length - dropped > 2 &&
      (this.#buckets > (MOST_BUCKETS * 7) / 8 || this.#places.length - dropped > (MOST_PLACES * 7) / 8)
    ) {
      dropped++;
      this.#buckets -= (this.#places[dropped] as Place).buckets.length;
    }
    this.#places.splice(0, dropped);
    this.#first += dropped;
  }

  /** The number of the place where somebody is who holds the table of a revision, with this digest if that is known. */
  find(revision: number, digest: U64 | undefined): number | undefined {
    const index = this.#lastUpTo(revision);
    const place = this.#places[index];
    return place === undefined || (digest && !equal(place.digest, digest)) ? undefined : this.#first + index;
  }

  /** The buckets that have changed since a place, ascending. */
  changedSince(number: number): number[] {
    const changes = this.#places.slice(number + 1 - this.#first);
    const [only] = changes;
    if (only && changes.length === 1) return only.buckets;
    return [...new Set(changes.flatMap(({ buckets }) => buckets))].sort((a, b) => a - b);
  }

  haveRulesChangedSince(number: number): boolean {
    return this.#places.slice(number + 1 - this.#first).some(({ rules }) => rules);
  }

  /** The index of the last place whose revision is not after this one; -1 for none. */
  #lastUpTo(revision: number): number {
    let low = 0;
    let high = this.#places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#places[middle] as Place).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
