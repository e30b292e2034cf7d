// The hash that sticky shares are chosen by: FNV-1a, then a finalizer, on 64 bits.
const wide = (value: bigint) => BigInt.asUintN(64, value);

/** A whole, in the unit of a share's weight: 1/10,000 percent. */
export const WHOLE = 1_000_000n;

export function hashMore(hash: bigint, text: string): bigint {
  return [...Buffer.from(text, "latin1")].reduce((h, byte) => wide((h ^ BigInt(byte)) * 0x100000001b3n), hash);
}

export function hashEnd(hash: bigint): bigint {
  const mixed = wide((hash ^ (hash >> 33n)) * 0xff51afd7ed558ccdn);
  return mixed ^ (mixed >> 33n);
}

export const hash = (text: string) => hashEnd(hashMore(0xcbf29ce484222325n, text));
