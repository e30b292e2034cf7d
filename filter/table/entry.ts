// A key route, as a bucket of the table holds it:
//   u8 key length - 1, u8 flags, u16 target length, u64 hash of `from`, [i64 expiry in seconds], the key, the target
import { hash } from "../text/hash";
import { ANY_BASELINE } from "../../routes/model/names";

const EXPIRES: u8 = 1;
const FIXED = 12;

const any = ANY_BASELINE;
/** The hash that stands for every baseline. */
export const ANY = hash(any.at, any.len);

export function entrySize(keyLen: i32, toLen: i32, expires: i64): i32 {
  return FIXED + (expires ? 8 : 0) + keyLen + toLen;
}

export function writeEntry(e: usize, from: u64, expires: i64, key: usize, keyLen: i32, to: usize, toLen: i32): void {
  store<u8>(e, <u8>(keyLen - 1));
  store<u8>(e, expires ? EXPIRES : 0, 1);
  store<u16>(e, <u16>toLen, 2);
  store<u64>(e, from, 4);
  if (expires) store<i64>(e, expires, FIXED);
  memory.copy(entryKey(e), key, keyLen);
  memory.copy(entryTo(e), to, toLen);
}

export function entryKeyLen(e: usize): i32 {
  return <i32>load<u8>(e) + 1;
}

export function entryFrom(e: usize): u64 {
  return load<u64>(e, 4);
}

/** Seconds since 1970; 0 when it never expires. */
export function entryExpires(e: usize): i64 {
  return load<u8>(e, 1) & EXPIRES ? load<i64>(e, FIXED) : 0;
}

export function entryKey(e: usize): usize {
  return e + FIXED + (load<u8>(e, 1) & EXPIRES ? 8 : 0);
}

export function entryTo(e: usize): usize {
  return entryKey(e) + entryKeyLen(e);
}

export function entryToLen(e: usize): i32 {
  return load<u16>(e, 2);
}

export function afterEntry(e: usize): usize {
  return entryTo(e) + entryToLen(e);
}
