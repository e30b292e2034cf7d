import { Groups } from "./plan/groups.ts";

/** Who is to be told of what. */
export class Interests {
  readonly #byThing = new Groups<string>();
  readonly #things = new Map<string, readonly string[]>();

  /** In place of what it was interested in before. */
  set(who: string, things: readonly string[]): void {
    for (const thing of this.#things.get(who) ?? []) this.#byThing.delete(thing, who);
    for (const thing of things) this.#byThing.add(thing, who);
    if (things.length > 0) this.#things.set(who, things);
    else this.#things.delete(who);
  }

  of(thing: string): ReadonlySet<string> {
    return this.#byThing.of(thing);
  }
}
