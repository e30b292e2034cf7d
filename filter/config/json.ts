// A JSON reader that pulls: it walks a text that lies in memory or arrives in pieces, keeps one string at a time and
// allocates nothing. After an error every call answers as at the end of the text.
import { MAX_DEPTH, MAX_TEXT } from "../../routes/model/names";
import { configuration, got, gotLen } from "../host/calls";
import { resetScratch } from "../host/memory";
import {
  BACKSLASH,
  BACKSPACE,
  CARRIAGE_RETURN,
  CASE_BIT,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  DOT,
  FORM_FEED,
  LINE_FEED,
  LOWER_A,
  LOWER_B,
  LOWER_E,
  LOWER_F,
  LOWER_N,
  LOWER_R,
  LOWER_T,
  LOWER_U,
  MINUS,
  OPEN_BRACE,
  OPEN_BRACKET,
  PLUS,
  QUOTE,
  SLASH,
  SPACE,
  TAB,
  ZERO,
} from "../text/ascii";

const PIECE: u32 = 64 * 1024;

/** The string last read, unescaped, as UTF-8: its first MAX_TEXT bytes, with `textCut` set when there were more. */
export const text = memory.data(MAX_TEXT + 8);
export let textLen: i32 = 0;
export let textCut: bool = false;

/** What is wrong with the text as JSON, and at which byte; null while nothing is. */
export let problem: Bytes | null = null;
export let problemAt: u32 = 0;

let at: usize = 0;
let end: usize = 0;
let pieceStart: usize = 0;
let pieceOffset: u32 = 0;
let total: u32 = 0;

/** Reads the plugin configuration of `size` bytes, piece by piece; only inside on_configure. */
export function openConfiguration(size: u32): void {
  open(0, 0);
  total = size;
}

/** Reads `len` bytes at `from`. */
export function openMemory(from: usize, len: i32): void {
  open(from, len);
}

function open(from: usize, len: u32): void {
  at = pieceStart = from;
  end = from + len;
  total = len;
  pieceOffset = 0;
  problem = null;
}

// The next byte without taking it, -1 at the end.
function peekByte(): i32 {
  if (at < end) return load<u8>(at);
  const next = pieceOffset + <u32>(end - pieceStart);
  if (problem != null || next >= total) return -1;
  resetScratch();
  if (!configuration(next, min(PIECE, total - next)) || gotLen == 0) return fail("the host cut it off");
  pieceOffset = next;
  at = pieceStart = got;
  end = at + gotLen;
  return load<u8>(at);
}

function fail(what: Bytes): i32 {
  if (problem == null) {
    problem = what;
    problemAt = pieceOffset + <u32>(at - pieceStart);
    at = end = pieceStart;
    total = 0;
  }
  return -1;
}

/** The next byte that is not white space, without taking it; -1 at the end. */
export function peek(): i32 {
  let c = peekByte();
  while (c == SPACE || c == LINE_FEED || c == CARRIAGE_RETURN || c == TAB) {
    at++;
    c = peekByte();
  }
  return c;
}

/** Takes `c`, if it comes next, after any white space. */
export function accept(c: i32): bool {
  peek();
  return take(c);
}

function take(c: i32): bool {
  if (peekByte() != c) return false;
  at++;
  return true;
}

/** True when nothing but white space is left. */
export function atEnd(): bool {
  return peek() == -1 && problem == null;
}

export function expectEnd(): void {
  if (peek() != -1) fail("text after the end of the JSON value");
}

/** Moves to the next field of an object whose `{` was taken and reads its name and colon; false at its `}`. */
export function nextField(first: bool): bool {
  if (!nextOf(CLOSE_BRACE, first)) return false;
  if (peek() != QUOTE) return fail("expected a field name in quotes") > 0;
  readString();
  if (problem == null && !accept(COLON)) fail("expected `:` after a field name");
  return problem == null;
}

/** Moves to the next item of an array whose `[` was taken; false at its `]`. */
export function nextItem(first: bool): bool {
  return nextOf(CLOSE_BRACKET, first);
}

function nextOf(close: i32, first: bool): bool {
  const c = peek();
  if (c == close) {
    at++;
    return false;
  }
  if (first || problem != null) return c != -1 || fail("it ends too early") > 0;
  if (c != COMMA) return fail(c == -1 ? "it ends too early" : "expected a comma") > 0;
  at++;
  if (peek() == close) return fail("a comma with nothing after it") > 0;
  return true;
}

/** Reads a string into (`text`, `textLen`); the opening quote comes next. */
export function readString(): void {
  textLen = 0;
  textCut = false;
  at++;
  for (;;) {
    const c = peekByte();
    if (c < SPACE) {
      fail(c < 0 ? "a string without an end" : "a control character in a string");
      return;
    }
    at++;
    if (c == QUOTE) return;
    if (c == BACKSLASH) readEscape();
    else if (c < 128) keep(c);
    else readSequence(c);
    if (problem != null) return;
  }
}

function keep(c: u32): void {
  if (textLen == MAX_TEXT) {
    textCut = true;
    return;
  }
  store<u8>(text + textLen++, <u8>c);
}

function readEscape(): void {
  const c = peekByte();
  at++;
  if (c == QUOTE || c == BACKSLASH || c == SLASH) keep(c);
  else if (c == LOWER_N) keep(LINE_FEED);
  else if (c == LOWER_T) keep(TAB);
  else if (c == LOWER_R) keep(CARRIAGE_RETURN);
  else if (c == LOWER_B) keep(BACKSPACE);
  else if (c == LOWER_F) keep(FORM_FEED);
  else if (c == LOWER_U) readUnicode();
  else fail("an unknown escape in a string");
}

function readUnicode(): void {
  let code = readHex();
  if (code - 0xd800 < 0x400) {
    const second = take(BACKSLASH) && take(LOWER_U) ? readHex() : 0;
    if (second - 0xdc00 >= 0x400) {
      fail("half of a surrogate pair");
      return;
    }
    code = 0x10000 + ((code - 0xd800) << 10) + (second - 0xdc00);
  } else if (code - 0xdc00 < 0x400) {
    fail("half of a surrogate pair");
    return;
  }
  if (code < 0x80) return keep(code);
  if (code < 0x800) keep(0xc0 | (code >> 6));
  else {
    if (code < 0x10000) keep(0xe0 | (code >> 12));
    else {
      keep(0xf0 | (code >> 18));
      keep(0x80 | ((code >> 12) & 63));
    }
    keep(0x80 | ((code >> 6) & 63));
  }
  keep(0x80 | (code & 63));
}

function readHex(): u32 {
  let v: u32 = 0;
  for (let i = 0; i < 4; i++) {
    let d: u32 = <u32>peekByte();
    if (d - ZERO < 10) d -= ZERO;
    else {
      d = (d | CASE_BIT) - LOWER_A + 10;
      if (d - 10 > 5) {
        fail("a \\u escape needs four hexadecimal digits");
        return 0;
      }
    }
    at++;
    v = (v << 4) | d;
  }
  return v;
}

// A UTF-8 sequence whose first byte was taken; overlong forms, surrogates and what lies past U+10FFFF are refused.
function readSequence(first: u32): void {
  const more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  let code: u32 = first & (0x3f >> more);
  keep(first);
  for (let i = 0; i < more; i++) {
    const c = peekByte();
    if ((c & 0xc0) != 0x80 || c < 0) {
      fail("bytes that are not UTF-8");
      return;
    }
    at++;
    code = (code << 6) | (c & 63);
    keep(c);
  }
  const least: u32 = more == 1 ? 0x80 : more == 2 ? 0x800 : 0x10000;
  if (first < 0xc2 || first > 0xf4 || code < least || code > 0x10ffff || code - 0xd800 < 0x800)
    fail("bytes that are not UTF-8");
}

/** Reads `true` or `false` as 1 or 0; -1, with nothing taken, for any other value. */
export function readBool(): i32 {
  const c = peek();
  if (c == LOWER_T) return readWord("true") ? 1 : -1;
  if (c == LOWER_F) return readWord("false") ? 0 : -1;
  return -1;
}

function readWord(word: Bytes): bool {
  for (let i = 0; i < word.len; i++) {
    if (peekByte() != load<u8>(word.start + i)) return fail("an unknown word") > 0;
    at++;
  }
  return true;
}

/**
 * Reads a number that is not negative, in units of 1/10,000 (what is finer is cut off), at most 10^9;
 * -1, with nothing taken, when no such number comes next.
 */
export function readDecimal(): i64 {
  if (<u32>(peek() - ZERO) > 9) return -1;
  let whole: i64 = 0;
  const zero = take(ZERO);
  while (<u32>(peekByte() - ZERO) <= 9) {
    if (zero) return fail("a number with a zero before it");
    whole = min(whole * 10 + (peekByte() - ZERO), 1000000000);
    at++;
  }
  let value = whole * 10000;
  if (peekByte() == DOT) {
    at++;
    if (<u32>(peekByte() - ZERO) > 9) return fail("a number without digits after its point");
    for (let unit = 1000; <u32>(peekByte() - ZERO) <= 9; unit /= 10) {
      value += (peekByte() - ZERO) * unit;
      at++;
    }
  }
  if ((peekByte() | CASE_BIT) == LOWER_E) return fail("a number with an exponent");
  return value;
}

/** Reads any value and forgets it. */
export function skipValue(depth: i32 = 0): void {
  if (depth == MAX_DEPTH) {
    fail("nested too deeply");
    return;
  }
  const c = peek();
  if (c == QUOTE) return readString();
  if (c == OPEN_BRACE || c == OPEN_BRACKET) {
    at++;
    for (let first = true; c == OPEN_BRACE ? nextField(first) : nextItem(first); first = false) {
      skipValue(depth + 1);
      if (problem != null) return;
    }
  } else if (c == LOWER_N) readWord("null");
  else if (c == LOWER_T || c == LOWER_F) readBool();
  else skipNumber();
}

function skipNumber(): void {
  if (peek() == MINUS) at++;
  if (<u32>(peekByte() - ZERO) > 9) {
    fail(peekByte() == -1 ? "it ends too early" : "expected a value");
    return;
  }
  if (take(ZERO) && <u32>(peekByte() - ZERO) <= 9) {
    fail("a number with a zero before it");
    return;
  }
  for (;;) {
    const c = peekByte();
    if (<u32>(c - ZERO) > 9 && c != DOT && (c | CASE_BIT) != LOWER_E && c != PLUS && c != MINUS) return;
    at++;
  }
}
