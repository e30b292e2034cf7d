import type { Route } from "../model/model.ts";
import type { U64 } from "../model/u64.ts";
import { hashText, keyHash, writeEntry } from "./entry.ts";
import { writeRule } from "./rule.ts";
import { ByteWriter } from "./writer.ts";

/** A rule as bytes. */
export interface Rule {
  id: string;
  /** Whether it has conditions, and so comes before those that have shares alone. */
  hasConditions: boolean;
  bytes: Uint8Array;
}

const REMOVED = -1;

/** What a table is to become, encoded: routes put in, and ids taken out. Of an id that is put in nothing else stays. */
export class Batch {
  /** The entries put in, one after the other. */
  readonly entries = new ByteWriter();
  /** Of each key route put in or taken out its id, the low half of its key's hash, and where its entry begins. */
  readonly ids: string[] = [];
  readonly hashes: number[] = [];
  readonly #starts: number[] = [];
  readonly rules: Rule[] = [];
  readonly removedRules: string[] = [];
  /** How many more key routes there are afterwards, where what is taken out was there and what is put in was not. */
  growth = 0;
  /** Many routes are from few baselines. */
  readonly #froms = new Map<string, U64>();

  /** Where the entry of a key route begins; undefined for one that is taken out. */
  start(place: number): number | undefined {
    const start = this.#starts[place];
    return start === REMOVED ? undefined : start;
  }

  /** Puts in what a route is under this id; one id may be put in several times, for several baselines. */
  set(id: string, route: Route): void {
    const from = this.#hashOf(route.from);
    if ("key" in route) {
      const start = this.entries.length;
      writeEntry(this.entries, route, from);
      this.#add(id, keyHash(this.entries.bytes, start), start);
      this.growth++;
      return;
    }
    const rule = new ByteWriter();
    writeRule(rule, route, from);
    this.rules.push({ id, hasConditions: route.when !== undefined, bytes: rule.copy() });
  }

  /** Takes out whatever has this id and, for a key route, this key. */
  delete(id: string, key: string | undefined): void {
    if (key === undefined) {
      this.removedRules.push(id);
      return;
    }
    this.#add(id, hashText(key).lo, REMOVED);
    this.growth--;
  }

  #add(id: string, hash: number, start: number): void {
    this.ids.push(id);
    this.hashes.push(hash | 0);
    this.#starts.push(start);
  }

  #hashOf(from: string): U64 {
    const known = this.#froms.get(from);
    if (known) return known;
    const hash = hashText(from);
    this.#froms.set(from, hash);
    return hash;
  }
}
