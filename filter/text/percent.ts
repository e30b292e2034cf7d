// Percent-decoding into a buffer of its own, as long as a routing key can be.

const LONGEST = 256;
const buffer = memory.data(LONGEST);

/** Where the text last decoded stands: the text itself when it has no escapes. */
export let decoded: usize = 0;

function hexValue(c: u32): i32 {
  if (c - 48 < 10) return <i32>c - 48;
  c |= 32;
  return c - 97 < 6 ? <i32>c - 87 : -1;
}

/** The decoded length; -1 for a broken escape, or when the result is longer than a key can be. */
export function decodePercent(at: usize, len: i32): i32 {
  let escapes = false;
  let n = 0;
  for (let i = 0; i < len; i++) {
    let c: i32 = load<u8>(at + i);
    if (c == 37) {
      escapes = true;
      if (i + 2 >= len) return -1;
      const high = hexValue(load<u8>(at + i + 1));
      const low = hexValue(load<u8>(at + i + 2));
      if ((high | low) < 0) return -1;
      c = (high << 4) | low;
      i += 2;
    }
    if (n == LONGEST) return -1;
    store<u8>(buffer + n++, <u8>c);
  }
  decoded = escapes ? buffer : at;
  return n;
}
