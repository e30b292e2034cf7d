// base64url without padding, as JSON web tokens use it, and base64 with it, as PEM does.
import { EQUALS, LOWER_A, MINUS, PLUS, SLASH, UNDERSCORE, UPPER_A, ZERO } from "./ascii";
import { find } from "./bytes";

/** The six bits that a character stands for; -1 for a character outside the alphabet. */
function sextet(c: u32): i32 {
  if (c - UPPER_A < 26) return <i32>c - UPPER_A;
  if (c - LOWER_A < 26) return <i32>c - LOWER_A + 26;
  if (c - ZERO < 10) return <i32>c - ZERO + 52;
  if (c == MINUS) return 62;
  return c == UNDERSCORE ? 63 : -1;
}

/** Decodes into `to`, which holds at least 3/4 of `len` bytes; the decoded length, -1 when the text is not base64url. */
export function decodeBase64Url(at: usize, len: i32, to: usize): i32 {
  let bits: u32 = 0;
  let held = 0;
  let n = 0;
  for (let i = 0; i < len; i++) {
    const six = sextet(load<u8>(at + i));
    if (six < 0) return -1;
    bits = (bits << 6) | six;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    store<u8>(to + n++, <u8>(bits >> held));
  }
  return held == 6 ? -1 : n;
}

/** Whether a text that can be decoded is the only one that stands for its bytes: the bits that decoding leaves out are zero. */
export function isCanonical(at: usize, len: i32): bool {
  const over = len & 3;
  const spare = over == 2 ? 15 : over == 3 ? 3 : 0;
  return (sextet(load<u8>(at + len - 1)) & spare) == 0;
}

/** Decodes base64 in the same way, which is rewritten before. */
export function decodeBase64(at: usize, len: i32, to: usize): i32 {
  const padded = at + len;
  const end = find(at, padded, EQUALS);
  const padding = <i32>(padded - end);
  if (len % 4 != 0 || padding > 2 || (padding == 2 && load<u8>(padded - 1) != EQUALS)) return -1;
  for (let byte = at; byte < end; byte++) {
    const c: u32 = load<u8>(byte);
    if (c == MINUS || c == UNDERSCORE) return -1;
    if (c == PLUS) store<u8>(byte, MINUS);
    else if (c == SLASH) store<u8>(byte, UNDERSCORE);
  }
  return decodeBase64Url(at, len - padding, to);
}
