/** Who may change a part in place. Whoever else has that part changes a copy of it. */
export type Owner = object;

interface Shard<Value> {
  values: Map<string, Value>;
  owner: Owner;
}

const SHARDS = 1024;

/** A map in small pieces: one of a million entries grows without a pause, and a copy shares all pieces that neither of both has changed. */
export class Shards<Value> {
  readonly #owner: Owner;
  readonly #shards: (Shard<Value> | undefined)[];

  constructor(owner: Owner = {}, shards: (Shard<Value> | undefined)[] = []) {
    this.#owner = owner;
    this.#shards = shards;
  }

  /** A copy for another owner. This one must not change any more. */
  fork(owner: Owner): Shards<Value> {
    return new Shards(owner, this.#shards.slice());
  }

  get(name: string): Value | undefined {
    return this.#shards[shardOf(name)]?.values.get(name);
  }

  has(name: string): boolean {
    return this.#shards[shardOf(name)]?.values.has(name) ?? false;
  }

  set(name: string, value: Value): void {
    this.#own(shardOf(name)).set(name, value);
  }

  delete(name: string): void {
    if (this.has(name)) this.#own(shardOf(name)).delete(name);
  }

  #own(at: number): Map<string, Value> {
    const shard = this.#shards[at];
    if (shard?.owner === this.#owner) return shard.values;
    const values = new Map(shard?.values);
    this.#shards[at] = { values, owner: this.#owner };
    return values;
  }
}

function shardOf(name: string): number {
  let hash = name.length;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) & (SHARDS - 1);
}
