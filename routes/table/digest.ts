// The hashes by which a proxy knows that its table is the server's; routes/model/feed.ts says what they are.
import { FINISH_A, FINISH_B, PRIME_A, PRIME_B, RULES_INDEX, SEED_A, SEED_B } from "../model/feed.ts";
import { type U64, u64 } from "../model/u64.ts";
import { ByteWriter, readU32 } from "./writer.ts";

/** The hash of the parts, one after the other. All but the last must be whole words of four bytes. */
export function laneHash(...parts: Uint8Array[]): U64 {
  let a = SEED_A;
  let b = SEED_B;
  let length = 0;
  for (const part of parts) {
    const whole = part.length & ~3;
    const rest = part.length & 3;
    for (let i = 0; i < part.length; i += 4) {
      const word = i < whole ? readU32(part, i) : lastWord(part, whole, rest);
      a = Math.imul(a ^ word, PRIME_A);
      a ^= a >>> 15;
      b = Math.imul(b ^ word, PRIME_B);
      b ^= b >>> 13;
    }
    length += part.length;
  }
  const lo = finish(a ^ length) + finish(b ^ length);
  return u64(lo, lo + finish(b ^ length));
}

/** One to three bytes, padded with zeros. */
function lastWord(part: Uint8Array, at: number, size: number): number {
  return (
    (part[at] as number) |
    ((size > 1 ? (part[at + 1] as number) : 0) << 8) |
    ((size > 2 ? (part[at + 2] as number) : 0) << 16)
  );
}

function finish(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), FINISH_A);
  h = Math.imul(h ^ (h >>> 13), FINISH_B);
  return (h ^ (h >>> 16)) >>> 0;
}

const pair = new ByteWriter(12);

/** What a bucket with that index and hash adds to its table's digest. */
export function mix(index: number, hash: U64): U64 {
  pair.clear().u32(index).u64(hash);
  return laneHash(pair.bytes);
}

/** What the rules section adds to its table's digest. */
export function mixRules(section: Uint8Array): U64 {
  return mix(RULES_INDEX, laneHash(section));
}
