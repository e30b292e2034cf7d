// A buffer that grows and is used again, in which texts and byte layouts are put together. The content of a writer is void once
// it has been cleared, and addresses into it are void once it has grown.
import { BACKSLASH, DELETE, LOWER_A, QUESTION, QUOTE, SPACE, ZERO } from "../text/ascii";
import { allocate } from "./memory";


@unmanaged
export class Writer {
  at: usize;
  len: i32;
  private size: i32;

  clear(): this {
    this.len = 0;
    return this;
  }

  /** Room for `n` more bytes, for the caller to fill. */
  room(n: i32): usize {
    const need = this.len + n;
    if (need > this.size) {
      let size = max(this.size, 256);
      while (size < need) size <<= 1;
      const grown = allocate(size);
      memory.copy(grown, this.at, this.len);
      this.at = grown;
      this.size = size;
    }
    const at = this.at + this.len;
    this.len = need;
    return at;
  }

  bytes(at: usize, len: i32): this {
    memory.copy(this.room(len), at, len);
    return this;
  }

  say(b: Bytes): this {
    return this.bytes(b.start, b.len);
  }

  u8(v: u32): this {
    store<u8>(this.room(1), <u8>v);
    return this;
  }

  u16(v: u32): this {
    store<u16>(this.room(2), <u16>v);
    return this;
  }

  u32(v: u32): this {
    store<u32>(this.room(4), v);
    return this;
  }

  u64(v: u64): this {
    store<u64>(this.room(8), v);
    return this;
  }

  /** Adds a number in decimal digits. */
  number(v: u64): this {
    let digits = 1;
    for (let rest = v / 10; rest != 0; rest /= 10) digits++;
    let at = this.room(digits) + digits;
    do {
      store<u8>(--at, <u8>(ZERO + (v % 10)));
      v /= 10;
    } while (v != 0);
    return this;
  }

  /** Adds a number in 16 hexadecimal digits. */
  hex(v: u64): this {
    for (let shift = 60; shift >= 0; shift -= 4) this.u8(hexDigit((<u32>(v >> shift)) & 15));
    return this;
  }

  /** Adds a byte in two hexadecimal digits. */
  hexByte(v: u32): this {
    return this.u8(hexDigit(v >> 4)).u8(hexDigit(v & 15));
  }

  /** Adds at most 60 bytes of a text that may come from anywhere; `?` stands for quotes and for what is not printable ASCII. */
  plain(from: usize, len: i32): this {
    const n = min(len, 60);
    const at = this.room(n);
    for (let i = 0; i < n; i++) {
      const c = load<u8>(from + i);
      store<u8>(at + i, isPrintable(c) && c != QUOTE ? c : QUESTION);
    }
    return n < len ? this.say("...") : this;
  }

  /** Adds a JSON string with its quotes; bytes that are not printable ASCII are written as \u00XX. */
  json(from: usize, len: i32): this {
    this.u8(QUOTE);
    for (let i = 0; i < len; i++) {
      const c: u32 = load<u8>(from + i);
      if (!isPrintable(c)) {
        this.say("\\u00").hexByte(c);
        continue;
      }
      if (c == QUOTE || c == BACKSLASH) this.u8(BACKSLASH);
      this.u8(c);
    }
    return this.u8(QUOTE);
  }
}

// @ts-ignore: decorator
@inline
function isPrintable(c: u32): bool {
  return c >= <u32>SPACE && c < <u32>DELETE;
}

function hexDigit(n: u32): u32 {
  return n < 10 ? ZERO + n : LOWER_A + n - 10;
}

/** A writer for a module-level constant. */
// @ts-ignore: decorator
@inline
export function writer(): Writer {
  return changetype<Writer>(memory.data(offsetof<Writer>()));
}
