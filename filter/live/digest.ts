// The hash of buckets and pages, and what a table's digest is made of; routes/model/feed.ts defines both.
import { FINISH_A, FINISH_B, PRIME_A, PRIME_B, SEED_A, SEED_B } from "../../routes/model/feed";

let a: u32 = 0;
let b: u32 = 0;
let length: u32 = 0;

export function digestStart(): void {
  a = SEED_A;
  b = SEED_B;
  length = 0;
}

/** Adds bytes; only the last ones to be added may be no whole words. */
export function digestMore(at: usize, len: i32): void {
  let x = a;
  let y = b;
  const end = at + (len & ~3);
  for (let p = at; p < end; p += 4) {
    const word = load<u32>(p);
    x = (x ^ word) * PRIME_A;
    x ^= x >> 15;
    y = (y ^ word) * PRIME_B;
    y ^= y >> 13;
  }
  a = x;
  b = y;
  length += len;
  if (len & 3) addRest(end, len & 3);
}

function addRest(at: usize, len: i32): void {
  let word: u32 = 0;
  for (let i = 0; i < len; i++) word |= (<u32>load<u8>(at + i)) << (i << 3);
  a = (a ^ word) * PRIME_A;
  a ^= a >> 15;
  b = (b ^ word) * PRIME_B;
  b ^= b >> 13;
}

export function digestEnd(): u64 {
  let x = finish(a ^ length);
  let y = finish(b ^ length);
  x += y;
  y += x;
  return (<u64>x) | ((<u64>y) << 32);
}

function finish(h: u32): u32 {
  h ^= h >> 16;
  h *= FINISH_A;
  h ^= h >> 13;
  h *= FINISH_B;
  return h ^ (h >> 16);
}

export function digestOf(at: usize, len: i32): u64 {
  digestStart();
  digestMore(at, len);
  return digestEnd();
}

const pair = memory.data(12);

/** What a bucket, or the rules, of that hash add to a table's digest. */
export function mix(index: u32, hash: u64): u64 {
  store<u32>(pair, index);
  store<u64>(pair, hash, 4);
  return digestOf(pair, 12);
}
