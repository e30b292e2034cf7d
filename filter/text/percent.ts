// Percent-decoding into a buffer of its own.
import { MAX_TEXT } from "../../routes/model/names";
import { CASE_BIT, LOWER_A, PERCENT, ZERO } from "./ascii";
import { find } from "./bytes";

const buffer = memory.data(MAX_TEXT);

/** Where the text last decoded stands: the text itself when it has no escapes. */
export let decoded: usize = 0;

/** The value of a hexadecimal digit; -1 for any other character. */
function hexValue(c: u32): i32 {
  if (c - ZERO < 10) return <i32>c - ZERO;
  c |= CASE_BIT;
  return c - LOWER_A < 6 ? <i32>c - LOWER_A + 10 : -1;
}

/** The decoded length; -1 for a broken escape, or when the result is longer than MAX_TEXT. */
export function decodePercent(at: usize, len: i32): i32 {
  const end = at + len;
  if (find(at, end, PERCENT) == end) {
    decoded = at;
    return len > MAX_TEXT ? -1 : len;
  }
  decoded = buffer;
  let n = 0;
  for (; at < end; at++) {
    let c: i32 = load<u8>(at);
    if (c == PERCENT) {
      if (at + 2 >= end) return -1;
      const high = hexValue(load<u8>(at, 1));
      const low = hexValue(load<u8>(at, 2));
      if ((high | low) < 0) return -1;
      c = (high << 4) | low;
      at += 2;
    }
    if (n == MAX_TEXT) return -1;
    store<u8>(buffer + n++, <u8>c);
  }
  return n;
}
