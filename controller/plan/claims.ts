import { byAge, type Sandbox } from "./sandbox.ts";

/** Who wants which key: the oldest has it. */
export class Claims {
  readonly #claims = new Map<string, Sandbox[]>();

  add(key: string, sandbox: Sandbox): void {
    const all = this.#claims.get(key);
    if (all === undefined) this.#claims.set(key, [sandbox]);
    else all.splice(positionIn(all, sandbox), 0, sandbox);
  }

  remove(key: string, sandbox: Sandbox): void {
    const all = this.#claims.get(key) ?? [];
    const at = positionIn(all, sandbox);
    if (all[at] === sandbox) all.splice(at, 1);
    if (all.length === 0) this.#claims.delete(key);
  }

  holder(key: string): Sandbox | undefined {
    return this.#claims.get(key)?.[0];
  }

  of(key: string): readonly Sandbox[] {
    return this.#claims.get(key) ?? [];
  }
}

/** Where the Sandbox stands in the list, or would. */
function positionIn(all: readonly Sandbox[], sandbox: Sandbox): number {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byAge(all[middle] as Sandbox, sandbox) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
