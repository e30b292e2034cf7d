// The phases of a life under load. A phase begins with a change, becomes steady when both streams have been seen at their new places, and ends
// where the next one begins. Each request of a stream is held against the places that were allowed while it was under way.
import { setTimeout as sleep } from "node:timers/promises";
import { countBy, type Sent } from "./bed/load.ts";
import { until } from "./bed/until.ts";

/** Without a key, and with one. */
export const STREAMS = ["plain", "keyed"] as const;
export type Stream = (typeof STREAMS)[number];

/** "APPLICATION PATH" by stream. */
export type Places = Record<Stream, string>;

type Phase = { name: string; places: Places; began: number; steady: number; ended: number };

/** Milliseconds that a phase lasts after it has become steady. */
const STEADY_MS = 600;
/** So many requests of each stream in a row show that all connections and all workers serve what is new. */
const IN_A_ROW = 6;

export class Phases {
  readonly #all: Phase[] = [];
  readonly #place: (stream: Stream) => Promise<string>;

  /** `place` tells where a request of the stream goes now. */
  constructor(place: (stream: Stream) => Promise<string>) {
    this.#place = place;
  }

  async next(name: string, places: Places, change: () => Promise<unknown>): Promise<void> {
    const began = Date.now();
    const before = this.#all.at(-1);
    if (before !== undefined) before.ended = began;
    await change();
    await until(`${name}: ${JSON.stringify(places)}`, () => this.#are(places));
    const steady = Date.now();
    await sleep(STEADY_MS);
    this.#all.push({ name, places, began, steady, ended: Date.now() });
  }

  async #are(places: Places): Promise<true> {
    for (let time = 0; time < IN_A_ROW; time++)
      for (const stream of STREAMS) {
        const place = await this.#place(stream);
        if (place !== places[stream]) throw new Error(`${stream} requests go to ${place}`);
      }
    return true;
  }

  /** Each phase as one stream's requests show it. */
  report(stream: Stream, sent: Sent[]): PhaseReport[] {
    return this.#all.map(({ name, places, began, steady, ended }, index) => {
      const before = this.#all[index - 1]?.places[stream];
      const after = this.#all[index + 1]?.places[stream];
      const own = sent.filter(({ at }) => (index === 0 || at >= began) && at < ended);
      const strays = own.filter(({ ok, at, took, by, path }) => {
        const allowed = [places[stream], at < steady && before, at + took > ended && after];
        return ok && !allowed.includes(`${by} ${path}`);
      });
      const counted = index === 0 ? own.filter(({ at }) => at >= steady) : own;
      return {
        name,
        strays: countBy(strays.map(({ by, path }) => `${by} ${path}`)),
        perSecond: (counted.length * 1000) / (ended - (index === 0 ? steady : began)),
      };
    });
  }

  /** What failed, in words, but for what was sent while the change of `allowed` was under way. */
  failures(sent: Sent[], allowed?: string): string[] {
    const failed = sent.filter(({ ok }) => !ok).map((one) => ({ ...one, phase: this.#at(one.at) }));
    const late = failed.filter(({ at, phase }) => phase?.name !== allowed || at > (phase?.steady ?? 0));
    return late.map(({ phase, at, took, by }) => {
      return `${by} after ${took} ms, sent ${at - (phase?.began ?? 0)} ms into "${phase?.name}"`;
    });
  }

  #at(time: number): Phase | undefined {
    return this.#all.findLast(({ began }) => began <= time);
  }
}

export type PhaseReport = {
  name: string;
  /** Count of the requests at places where none belonged, by place. */
  strays: Record<string, number>;
  /** Requests a second: in the first phase, in which the load begins, while it was steady. */
  perSecond: number;
};
