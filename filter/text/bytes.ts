// Byte strings as (address, length). Nothing here allocates.
import { CASE_BIT, SPACE, TAB, UPPER_A } from "./ascii";

/** A constant byte string: its length, then its bytes. Every string literal of the module is one (filter/transform/byte-literals.mjs). */
// @ts-ignore: decorator
@global @unmanaged
export class Bytes {
  len: i32;

  // @ts-ignore: decorator
  @inline
  get start(): usize {
    return changetype<usize>(this) + sizeof<i32>();
  }
}

export function same(a: usize, aLen: i32, b: usize, bLen: i32): bool {
  if (aLen != bLen) return false;
  let i = 0;
  for (; i + 8 <= aLen; i += 8) if (load<u64>(a + i) != load<u64>(b + i)) return false;
  for (; i < aLen; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false;
  return true;
}

export function is(at: usize, len: i32, b: Bytes): bool {
  return same(at, len, b.start, b.len);
}

export function startsWith(at: usize, len: i32, b: Bytes): bool {
  return len >= b.len && same(at, b.len, b.start, b.len);
}

export function lower(c: u32): u32 {
  return c - UPPER_A < 26 ? c | CASE_BIT : c;
}

export function sameFolded(a: usize, aLen: i32, b: usize, bLen: i32): bool {
  if (aLen != bLen) return false;
  for (let i = 0; i < aLen; i++) if (lower(load<u8>(a + i)) != lower(load<u8>(b + i))) return false;
  return true;
}

/** The first `c` in [at, end), or `end`. */
export function find(at: usize, end: usize, c: u32): usize {
  while (at < end && load<u8>(at) != c) at++;
  return at;
}

export function contains(at: usize, len: i32, part: usize, partLen: i32): bool {
  for (let i = 0; i + partLen <= len; i++) if (same(at + i, partLen, part, partLen)) return true;
  return false;
}

// @ts-ignore: decorator
@inline
function isBlank(c: u32): bool {
  return c == SPACE || c == TAB;
}

export function skipBlanks(at: usize, end: usize): usize {
  while (at < end && isBlank(load<u8>(at))) at++;
  return at;
}

export function trimEnd(at: usize, end: usize): usize {
  while (end > at && isBlank(load<u8>(end - 1))) end--;
  return end;
}
