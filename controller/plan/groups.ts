/** Values in groups, each value at most once in a group; a group without values is not there. */
export class Groups<Value> {
  readonly #groups = new Map<string, Set<Value>>();

  add(group: string, value: Value): void {
    const values = this.#groups.get(group);
    if (values) values.add(value);
    else this.#groups.set(group, new Set([value]));
  }

  delete(group: string, value: Value): void {
    const values = this.#groups.get(group);
    if (values?.delete(value) && values.size === 0) this.#groups.delete(group);
  }

  of(group: string): ReadonlySet<Value> {
    return this.#groups.get(group) ?? NONE;
  }
}

const NONE: ReadonlySet<never> = new Set();
