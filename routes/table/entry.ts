// A key route as bytes; filter/table/entry.ts shows the layout.
import { parseDate } from "../model/date.ts";
import { hash } from "../model/hash.ts";
import * as layout from "../model/layout.ts";
import type { KeyRoute } from "../model/model.ts";
import { fromNumber, type U64 } from "../model/u64.ts";
import { writeConditions } from "./conditions.ts";
import { ByteWriter, readU32 } from "./writer.ts";

/** Seconds since 1970; 0 for a route that does not expire. */
export function expiryOf({ expires }: { expires?: string }): number {
  return expires === undefined ? 0 : (parseDate(expires) ?? 0);
}

const scratch = new ByteWriter();

/** The hash of a text in UTF-8. */
export function hashText(text: string): U64 {
  scratch.clear().text(text);
  return hash(scratch.bytes, 0, scratch.length);
}

/** Adds an entry; `from` is the hash of the route's. */
export function writeEntry(to: ByteWriter, route: KeyRoute, from: U64): void {
  const { key, when, missing } = route;
  const expires = expiryOf(route);
  const target = scratch.clear().text(route.to);
  to.u8(key.length - 1)
    .u8(
      (expires ? layout.ENTRY_EXPIRES : 0) |
        (when ? layout.ENTRY_CONDITIONAL : 0) |
        (missing === "fail" ? layout.ENTRY_FAILS : 0),
    )
    .u16(target.length)
    .u64(from);
  if (expires) to.u64(fromNumber(expires));
  to.text(key).raw(target.bytes, 0, target.length);
  if (when) writeConditions(to, when);
}

export function keyStart(bytes: Uint8Array, entry: number): number {
  return entry + layout.ENTRY_FIXED + ((bytes[entry + 1] as number) & layout.ENTRY_EXPIRES ? 8 : 0);
}

/** The low half of the hash of the entry's key, which says its bucket. */
export function keyHash(bytes: Uint8Array, entry: number): number {
  const start = keyStart(bytes, entry);
  return hash(bytes, start, start + (bytes[entry] as number) + 1).lo;
}

/** Where the next entry begins. */
export function afterEntry(bytes: Uint8Array, entry: number): number {
  const target = keyStart(bytes, entry) + (bytes[entry] as number) + 1;
  const end = target + ((bytes[entry + 2] as number) | ((bytes[entry + 3] as number) << 8));
  const isConditional = ((bytes[entry + 1] as number) & layout.ENTRY_CONDITIONAL) !== 0;
  return isConditional ? end + 4 + readU32(bytes, end) : end;
}

/** The order of entries in a bucket, ids aside: by the hash of `from`, then by key. Less than 0 when `a` comes first. */
export function compareEntries(a: Uint8Array, entryA: number, b: Uint8Array, entryB: number): number {
  const from = readU32(a, entryA + 8) - readU32(b, entryB + 8) || readU32(a, entryA + 4) - readU32(b, entryB + 4);
  if (from !== 0) return from;
  const [startA, startB] = [keyStart(a, entryA), keyStart(b, entryB)];
  const [lengthA, lengthB] = [a[entryA] as number, b[entryB] as number];
  for (let i = 0; i <= Math.min(lengthA, lengthB); i++) {
    const difference = (a[startA + i] as number) - (b[startB + i] as number);
    if (difference !== 0) return difference;
  }
  return lengthA - lengthB;
}
