// Where requests with a key may arrive at which time. A change has a moment at which it begins, and one from which on nothing else is right; in between the place of before
// is right as well.
import { countBy, type Sent } from "./bed/load.ts";

interface Period {
  place: string;
  began: number;
  /** Until then the place before is right, too; infinite while that is open. */
  settled: number;
}

export class Ledger {
  readonly #baseline: string;
  readonly #periods = new Map<string, Period[]>();

  /** The baseline is where requests without a key arrive, and those whose key leads nowhere. */
  constructor(baseline: string) {
    this.#baseline = baseline;
  }

  /** From now on the key may lead there; what it returns says that it leads nowhere else any more. */
  leads(key: string, place = this.#baseline): () => void {
    const period = { place, began: Date.now(), settled: Number.POSITIVE_INFINITY };
    this.#periods.set(key, [...(this.#periods.get(key) ?? []), period]);
    return () => {
      period.settled = Date.now();
    };
  }

  /** Count of the requests that arrived where their key did not lead, by key and place; the first ones are enough to understand. */
  strays(sent: readonly Sent[], most = 20): Record<string, number> {
    const strays = sent.filter(({ ok, by, ...one }) => ok && !this.#places(one).has(by));
    return countBy(
      strays.slice(0, most).map(({ key = "no key", by, at }) => `${key} at ${by}, ${this.#when(key, at)}`),
    );
  }

  #places({ key = "", at, took }: Pick<Sent, "key" | "at" | "took">): Set<string> {
    const periods = this.#periods.get(key) ?? [];
    const places = [{ place: this.#baseline, began: 0 }, ...periods].filter(({ began }, index) => {
      const next = periods[index];
      return began <= at + took && (next === undefined || at <= next.settled);
    });
    return new Set(places.map(({ place }) => place));
  }

  /** For whoever reads of a failure. */
  #when(key: string, at: number): string {
    const last = this.#periods.get(key)?.findLast(({ began }) => began <= at);
    if (last === undefined) return "before anything led elsewhere";
    const settled =
      last.settled === Number.POSITIVE_INFINITY ? "" : ` and ${at - last.settled} ms after that was settled`;
    return `${at - last.began} ms after it led to ${last.place}${settled}`;
  }
}
