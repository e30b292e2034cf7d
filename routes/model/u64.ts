/** An unsigned integer of 64 bits in two halves, because operations on a BigInt allocate. */
export interface U64 {
  readonly lo: number;
  readonly hi: number;
}

export const ZERO: U64 = { lo: 0, hi: 0 };

export function u64(lo: number, hi: number): U64 {
  return { lo: lo >>> 0, hi: hi >>> 0 };
}

/** Of a whole number from 0 to 2^53. */
export function fromNumber(value: number): U64 {
  return u64(value, Math.floor(value / 0x1_0000_0000));
}

/** Exact up to 2^53. */
export function toNumber({ lo, hi }: U64): number {
  return hi * 0x1_0000_0000 + lo;
}

/** The sum modulo 2^64. */
export function add(a: U64, b: U64): U64 {
  const lo = a.lo + b.lo;
  return u64(lo, a.hi + b.hi + (lo > 0xffff_ffff ? 1 : 0));
}

/** The difference modulo 2^64. */
export function subtract(a: U64, b: U64): U64 {
  const lo = a.lo - b.lo;
  return u64(lo, a.hi - b.hi - (lo < 0 ? 1 : 0));
}

export function equal(a: U64, b: U64): boolean {
  return a.lo === b.lo && a.hi === b.hi;
}

/** Less than 0 when `a` is less than `b`. */
export function compare(a: U64, b: U64): number {
  return a.hi - b.hi || a.lo - b.lo;
}

/** 16 hexadecimal digits. */
export function toHex({ lo, hi }: U64): string {
  return hi.toString(16).padStart(8, "0") + lo.toString(16).padStart(8, "0");
}

/** Undefined for what is not 1 to 16 hexadecimal digits. */
export function fromHex(text: string): U64 | undefined {
  if (!/^[0-9a-f]{1,16}$/i.test(text)) return undefined;
  return u64(Number.parseInt(text.slice(-8), 16), Number.parseInt(text.slice(0, -8) || "0", 16));
}
