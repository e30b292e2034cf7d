// The hash that keys and baselines are filed under and by which sticky shares are chosen: FNV-1a over bytes, then a finalizer, on
// 64 bits. The filter has the same in text/hash.ts.
import { type U64, u64 } from "./u64.ts";

const OFFSET = u64(0x84222325, 0xcbf29ce4);
/** The prime of FNV is 2^40 and this. */
const PRIME = 0x1b3;
const FINAL = u64(0xed558ccd, 0xff51afd7);

/** The hash of bytes; `from` is what it starts with, as a sticky share's hash starts with that of its baseline. */
export function hash(bytes: ArrayLike<number>, start = 0, end = bytes.length, from = OFFSET): U64 {
  let { lo, hi } = from;
  for (let i = start; i < end; i++) {
    lo ^= bytes[i] as number;
    const low = (lo & 0xffff) * PRIME;
    const high = (lo >>> 16) * PRIME + (low >>> 16);
    hi = (Math.imul(hi, PRIME) + (lo << 8) + (high >>> 16)) | 0;
    lo = (high << 16) | (low & 0xffff);
  }
  return finish(lo, hi);
}

function finish(lo: number, hi: number): U64 {
  const first = (lo ^ (hi >>> 1)) >>> 0;
  const upper = (highOfProduct(first, FINAL.lo) + Math.imul(first, FINAL.hi) + Math.imul(hi, FINAL.lo)) | 0;
  return u64(Math.imul(first, FINAL.lo) ^ (upper >>> 1), upper);
}

/** The upper 32 bits of the product of two unsigned integers of 32 bits. */
function highOfProduct(a: number, b: number): number {
  const [a0, a1, b0, b1] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  return a1 * b1 + Math.floor(middle / 0x1_0000) + (((a0 * b1 + (middle & 0xffff)) / 0x1_0000) | 0);
}
