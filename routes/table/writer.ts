import type { U64 } from "../model/u64.ts";

const encoder = new TextEncoder();
const MOST_ONE_BY_ONE = 128; // bytes

/** Bytes put together one after the other, in a buffer that grows and is used again. Numbers are little endian. */
export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;

  constructor(room = 256) {
    this.bytes = new Uint8Array(room);
  }

  clear(): this {
    this.length = 0;
    return this;
  }

  u8(value: number): this {
    const at = this.#room(1);
    this.bytes[at] = value;
    return this;
  }

  u16(value: number): this {
    const at = this.#room(2);
    this.bytes[at] = value;
    this.bytes[at + 1] = value >>> 8;
    return this;
  }

  u32(value: number): this {
    this.setU32(this.#room(4), value);
    return this;
  }

  u64({ lo, hi }: U64): this {
    return this.u32(lo).u32(hi);
  }

  raw(bytes: Uint8Array, start = 0, end = bytes.length): this {
    const at = this.#room(end - start);
    // A view costs more than to copy that little.
    if (end - start > MOST_ONE_BY_ONE) this.bytes.set(bytes.subarray(start, end), at);
    else for (let i = start; i < end; i++) this.bytes[at + i - start] = bytes[i] as number;
    return this;
  }

  /** Adds a text in UTF-8. */
  text(text: string): this {
    // No character takes more than three bytes.
    const start = this.#room(text.length * 3);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        this.length = start + i + encoder.encodeInto(text.slice(i), this.bytes.subarray(start + i)).written;
        return this;
      }
      this.bytes[start + i] = code;
    }
    this.length = start + text.length;
    return this;
  }

  /** Overwrites four bytes that were written before. */
  setU32(at: number, value: number): void {
    this.bytes[at] = value;
    this.bytes[at + 1] = value >>> 8;
    this.bytes[at + 2] = value >>> 16;
    this.bytes[at + 3] = value >>> 24;
  }

  /** A copy of what was written. */
  copy(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }

  /** Makes room for `size` more bytes and gives their place. */
  #room(size: number): number {
    const at = this.length;
    const need = at + size;
    if (need > this.bytes.length) {
      const grown = new Uint8Array(Math.max(need, this.bytes.length * 2));
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.length = need;
    return at;
  }
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

export function readU64(bytes: Uint8Array, at: number): U64 {
  return { lo: readU32(bytes, at), hi: readU32(bytes, at + 4) };
}
