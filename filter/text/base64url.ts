// base64url without padding, as JSON web tokens use it.

function sextet(c: u32): i32 {
  if (c - 65 < 26) return <i32>c - 65;
  if (c - 97 < 26) return <i32>c - 71;
  if (c - 48 < 10) return <i32>c + 4;
  if (c == 45) return 62;
  return c == 95 ? 63 : -1;
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
