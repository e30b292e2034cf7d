// The hash by which sticky shares are chosen: FNV-1a over bytes (here Latin-1), then a finalizer, on 64 bits.
const wide = (value: bigint) => BigInt.asUintN(64, value);

const OFFSET = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

export function hash(text: string, from = OFFSET): bigint {
  const sum = [...text].reduce((value, byte) => wide((value ^ BigInt(byte.charCodeAt(0))) * PRIME), from);
  const mixed = wide((sum ^ (sum >> 33n)) * 0xff51afd7ed558ccdn);
  return mixed ^ (mixed >> 33n);
}
