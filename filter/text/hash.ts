// 64-bit hashes of byte strings: FNV-1a over the bytes, then a finalizer, so that the low bits alone spread well.
// Only operators choose what is put into a table, so the hash need not resist an attacker.

const OFFSET: u64 = 0xcbf29ce484222325;
const PRIME: u64 = 0x100000001b3;

// @ts-ignore: decorator
@inline
export function hashStart(): u64 {
  return OFFSET;
}

export function hashMore(h: u64, at: usize, len: i32): u64 {
  for (let i = 0; i < len; i++) h = (h ^ load<u8>(at + i)) * PRIME;
  return h;
}

export function hashEnd(h: u64): u64 {
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccd;
  return h ^ (h >> 33);
}

export function hash(at: usize, len: i32): u64 {
  return hashEnd(hashMore(OFFSET, at, len));
}
