import type { Rule } from "./batch.ts";
import { ByteWriter } from "./writer.ts";

/** The routes without a key: those with conditions in the order of their ids, then those that have shares alone likewise. */
export class Rules {
  #rules: Rule[] = [];
  #section = sectionOf([]);

  get count(): number {
    return this.#rules.length;
  }

  /** The rules section of a page. */
  get section(): Uint8Array {
    return this.#section;
  }

  /** Takes out what has these ids, and what has the ids of those that are put in. True when the section is another one now. */
  replace(removed: readonly string[], added: readonly Rule[]): boolean {
    if (removed.length === 0 && added.length === 0) return false;
    const gone = new Set([...removed, ...added.map(({ id }) => id)]);
    this.#rules = [...this.#rules.filter(({ id }) => !gone.has(id)), ...added].sort(byKindAndId);
    const section = sectionOf(this.#rules);
    const isSame = section.length === this.#section.length && section.every((byte, i) => byte === this.#section[i]);
    if (!isSame) this.#section = section;
    return !isSame;
  }
}

/** Rules of one id stay in the order in which they were put in. */
function byKindAndId(a: Rule, b: Rule): number {
  if (a.hasConditions !== b.hasConditions) return a.hasConditions ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function sectionOf(rules: readonly Rule[]): Uint8Array {
  const section = new ByteWriter();
  const conditional = rules.filter(({ hasConditions }) => hasConditions).length;
  section.u32(conditional).u32(rules.length - conditional);
  for (const { bytes } of rules) section.raw(bytes);
  return section.copy();
}
