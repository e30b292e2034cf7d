import type { U64 } from "../model/u64.ts";

/** A bucket of the table. It never changes: another one takes its place. */
export interface Bucket {
  /** As a record of a page has it: u32 mask, then the entries by the hash of `from`, by key, and by the route's id. */
  readonly bytes: Uint8Array;
  /** The routes' ids, in the order of the entries. */
  readonly ids: readonly string[];
  readonly hash: U64;
}
