// Byte strings as (address, length). Nothing here allocates after start-up.

/** A constant byte string, made once when the module starts. */
@unmanaged
export class Bytes {
  at: usize;
  len: i32;
}

/** The bytes of an ASCII literal; only for module-level constants. */
export function ascii(s: string): Bytes {
  const b = changetype<Bytes>(heap.alloc(offsetof<Bytes>()));
  b.len = s.length;
  b.at = heap.alloc(max(s.length, 1));
  for (let i = 0; i < s.length; i++) store<u8>(b.at + i, <u8>s.charCodeAt(i));
  return b;
}

export function same(a: usize, aLen: i32, b: usize, bLen: i32): bool {
  if (aLen != bLen) return false;
  let i = 0;
  for (; i + 8 <= aLen; i += 8) if (load<u64>(a + i) != load<u64>(b + i)) return false;
  for (; i < aLen; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false;
  return true;
}

export function sameLiteral(a: usize, len: i32, s: string): bool {
  if (len != s.length) return false;
  for (let i = 0; i < len; i++) if (load<u8>(a + i) != <u8>s.charCodeAt(i)) return false;
  return true;
}

// @ts-ignore: decorator
@inline
export function lower(c: u32): u32 {
  return c - 65 < 26 ? c | 32 : c;
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
export function isBlank(c: u32): bool {
  return c == 32 || c == 9;
}

export function skipBlanks(at: usize, end: usize): usize {
  while (at < end && isBlank(load<u8>(at))) at++;
  return at;
}

export function trimEnd(at: usize, end: usize): usize {
  while (end > at && isBlank(load<u8>(end - 1))) end--;
  return end;
}
