// A key route, as a bucket of the table holds it:
//   u8 key length - 1, u8 flags, u16 target length, u64 hash of `from`, [i64 expiry in seconds], the key, the target,
//   [conditions, as rule.ts lays them down]
import {
  ENTRY_CONDITIONAL as CONDITIONAL,
  ENTRY_EXPIRES as EXPIRES,
  ENTRY_FAILS as FAILS,
  ENTRY_FIXED,
} from "../../routes/model/layout";
import { ANY_BASELINE } from "../../routes/model/names";
import { Writer } from "../host/writer";
import { hash } from "../text/hash";
import { afterConditions } from "./rule";

const any = ANY_BASELINE;
/** The hash that stands for every baseline. */
export const ANY = hash(any.start, any.len);

/** Adds an entry; `conditions` is empty for a route that has none. */
export function writeEntry(
  to: Writer,
  from: u64,
  expires: i64,
  fails: bool,
  key: usize,
  keyLen: i32,
  target: Writer,
  conditions: Writer,
): void {
  const e = to.room(ENTRY_FIXED);
  store<u8>(e, <u8>(keyLen - 1));
  store<u8>(e, <u8>((expires ? EXPIRES : 0) | (conditions.len ? CONDITIONAL : 0) | (fails ? FAILS : 0)), 1);
  store<u16>(e, <u16>target.len, 2);
  store<u64>(e, from, 4);
  if (expires) to.u64(expires);
  to.bytes(key, keyLen).bytes(target.at, target.len);
  if (conditions.len) to.u32(conditions.len).bytes(conditions.at, conditions.len);
}

/** Whether the entry has no flags but those that there are. */
export function isKnownEntry(e: usize): bool {
  return flags(e) <= <u32>(EXPIRES | CONDITIONAL | FAILS);
}

function flags(e: usize): u32 {
  return load<u8>(e, 1);
}

export function entryKeyLen(e: usize): i32 {
  return <i32>load<u8>(e) + 1;
}

export function entryFrom(e: usize): u64 {
  return load<u64>(e, 4);
}

/** Seconds since 1970; 0 when it never expires. */
export function entryExpires(e: usize): i64 {
  return flags(e) & EXPIRES ? load<i64>(e, ENTRY_FIXED) : 0;
}

/** Whether a request is refused where the target is missing. */
export function entryFails(e: usize): bool {
  return (flags(e) & FAILS) != 0;
}

export function entryKey(e: usize): usize {
  return e + ENTRY_FIXED + (flags(e) & EXPIRES ? 8 : 0);
}

export function entryTo(e: usize): usize {
  return entryKey(e) + entryKeyLen(e);
}

export function entryToLen(e: usize): i32 {
  return load<u16>(e, 2);
}

/** 0 when it has none. */
export function entryConditions(e: usize): usize {
  return flags(e) & CONDITIONAL ? entryTo(e) + entryToLen(e) : 0;
}

export function afterEntry(e: usize): usize {
  const end = entryTo(e) + entryToLen(e);
  return flags(e) & CONDITIONAL ? afterConditions(end) : end;
}
