// Reads the id of a trace from a header's value, as 128 bits in two halves. An id of 64 bits, as some formats have, is the low half; the high
// one is 0 then. So an id is known again when a service translates one format into another, also into a shorter one.
import { CASE_BIT, COLON, COMMA, LOWER_A, MINUS, PERCENT, SEMICOLON, ZERO } from "../text/ascii";
import { find, skipBlanks, startsWith, trimEnd } from "../text/bytes";
import { hash, hashEnd, hashMore, hashStart } from "../text/hash";
import { AMAZON, B3, B3_TRACE_ID, CLOUD, DATADOG, REQUEST_ID, TRACEPARENT, UBER } from "./headers";

/** The id last read. */
export let low: u64 = 0;
export let high: u64 = 0;

/** An id with fewer bits could be guessed, so it is none. */
const LEAST: u64 = 1 << 24;
/** A request id that is no number is known by two hashes, where it has at least so many bytes. */
const LEAST_TEXT = 8;
/** Envoy writes here, in a request id, why the request is traced; each proxy may write something else. */
const REASON: u64 = 0xf000;

const TRACEPARENT_LEN = 55;
const UUID_LEN = 36;
/** A one in each byte. */
const EACH: u64 = 0x0101010101010101;

/** False for a value that holds no id, or one that is too short, or zero. */
export function readId(which: u32, at: usize, len: i32): bool {
  low = high = 0;
  const end = trimEnd(at, at + len);
  at = skipBlanks(at, end);
  if (!parse(which, at, end)) return false;
  high &= ~REASON;
  return low != 0 && (high != 0 || low >= LEAST);
}

/** Adds the high half of a Datadog id, which travels in `x-datadog-tags` as 16 digits; any other tag has none. */
export function readDatadogTags(at: usize, len: i32): void {
  const end = at + len;
  const name = "_dd.p.tid=";
  while (at < end) {
    const comma = find(at, end, COMMA);
    at = skipBlanks(at, comma);
    if (startsWith(at, <i32>(comma - at), name)) {
      const id = low;
      const value = at + name.len;
      const digits = readHex(value, comma);
      high = digits == 16 && value + digits == trimEnd(value, comma) ? low & ~REASON : 0;
      low = id;
      return;
    }
    at = comma + 1;
  }
}

function parse(which: u32, at: usize, end: usize): bool {
  const len = <i32>(end - at);
  if (which == TRACEPARENT) {
    if (len < TRACEPARENT_LEN || load<u8>(at, 2) != MINUS || (load<u16>(at) | 0x2020) == 0x6666) return false;
    return readHex(at + 3, at + 35) == 32 && load<u8>(at, 35) == MINUS;
  }
  if (which == B3) {
    const digits = readHex(at, end);
    return (digits == 32 || digits == 16) && (digits == len || load<u8>(at + digits) == MINUS);
  }
  if (which == B3_TRACE_ID) return len <= 32 && readHex(at, end) == len;
  if (which == DATADOG) return readDecimal(at, end);
  if (which == AMAZON) return readAmazon(at, end);
  if (which == CLOUD) return readHex(at, end) == 32;
  if (which == UBER) {
    const digits = readHex(at, end);
    const after: i32 = digits < len ? load<u8>(at + digits) : 0;
    return digits > 0 && digits <= 32 && (after == COLON || after == PERCENT);
  }
  if (which == REQUEST_ID) return readRequestId(at, end);
  // sw8 has its fields between dashes; the second one is the trace's id, a text in base64.
  const start = find(at, end, MINUS) + 1;
  return start < end && readText(start, find(start, end, MINUS), 2 * LEAST_TEXT);
}

// Reads hexadecimal digits up to another character, and answers how many there were; of more than 32 the last ones count.
function readHex(at: usize, end: usize): i32 {
  const start = at;
  let first: u64 = 0;
  let last: u64 = 0;
  for (let eight: i64; at + 8 <= end && (eight = eightDigits(load<u64>(at))) >= 0; at += 8) {
    first = (first << 32) | (last >> 32);
    last = (last << 32) | eight;
  }
  for (let value: i32; at < end && (value = hexValue(load<u8>(at))) >= 0; at++) {
    first = (first << 4) | (last >> 60);
    last = (last << 4) | value;
  }
  low = last;
  high = first;
  return <i32>(at - start);
}

function hexValue(c: u32): i32 {
  if (c - ZERO < 10) return <i32>c - ZERO;
  c |= CASE_BIT;
  return c - LOWER_A < 6 ? <i32>c - LOWER_A + 10 : -1;
}

// The number that eight hexadecimal digits say, all at once; negative where one of them is none.
function eightDigits(text: u64): i64 {
  // A byte is 1 where a letter stands, whose low four bits are 9 less than what it says.
  const letters = (text >> 6) & EACH;
  let x = (text & (15 * EACH)) + letters * 9;
  const kinds = text & (0xf0 * EACH) & ~(letters << 5);
  const tens = (x + 6 * EACH) & (16 * EACH);
  if (kinds != 0x30 * EACH + (letters << 4) || tens != letters << 4 || (x & (16 * EACH)) != 0) return -1;
  x = ((x << 4) | (x >> 8)) & 0x00ff00ff00ff00ff;
  x = ((x << 8) | (x >> 16)) & 0x0000ffff0000ffff;
  return <i64>(((x << 16) | (x >> 32)) & 0xffffffff);
}

function readDecimal(at: usize, end: usize): bool {
  const len = <i32>(end - at);
  if (len < 1 || len > 20) return false;
  let value: u64 = 0;
  for (; at < end; at++) {
    const digit: u64 = load<u8>(at) - ZERO;
    if (digit > 9 || value > (u64.MAX_VALUE - digit) / 10) return false;
    value = value * 10 + digit;
  }
  low = value;
  return true;
}

// `Root=1-8 digits-24 digits`, among other fields between semicolons.
function readAmazon(at: usize, end: usize): bool {
  const root = "Root=1-";
  while (at < end) {
    const semicolon = find(at, end, SEMICOLON);
    at = skipBlanks(at, semicolon);
    const stop = trimEnd(at, semicolon);
    if (startsWith(at, <i32>(stop - at), root)) {
      const first = at + root.len;
      if (readHex(first, stop) != 8 || load<u8>(first, 8) != MINUS) return false;
      const top = low;
      if (readHex(first + 9, stop) != 24 || first + 33 != stop) return false;
      high |= top << 32;
      return true;
    }
    at = semicolon + 1;
  }
  return false;
}

// A UUID, as Envoy makes them, another number of 64 or 128 bits, or any other text.
function readRequestId(at: usize, end: usize): bool {
  const len = <i32>(end - at);
  if (len == UUID_LEN ? readUuid(at) : (len == 32 || len == 16) && readHex(at, end) == len) return true;
  return readText(at, end, LEAST_TEXT);
}

// Digits in groups of 8, 4, 4, 4 and 12.
function readUuid(at: usize): bool {
  if (load<u8>(at, 8) != MINUS || load<u8>(at, 13) != MINUS) return false;
  if (load<u8>(at, 18) != MINUS || load<u8>(at, 23) != MINUS) return false;
  const a = eightDigits(load<u64>(at));
  const b = eightDigits(load<u32>(at, 9) | ((<u64>load<u32>(at, 14)) << 32));
  const c = eightDigits(load<u32>(at, 19) | ((<u64>load<u32>(at, 24)) << 32));
  const d = eightDigits(load<u64>(at, 28));
  high = <u64>((a << 32) | b);
  low = <u64>((c << 32) | d);
  return (a | b | c | d) >= 0;
}

function readText(at: usize, end: usize, least: i32): bool {
  const len = <i32>(end - at);
  if (len < least) return false;
  low = hash(at, len);
  high = hashEnd(hashMore(~hashStart(), at, len));
  return true;
}
