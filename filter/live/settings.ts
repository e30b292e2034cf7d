// Where a live table comes from, as its configuration says: five texts, each u16 length and its bytes, in this order.
import { Writer } from "../host/writer";
import { hash, hashEnd, hashMore, hashStart } from "../text/hash";

export const CLUSTER = 0;
export const AUTHORITY = 1;
export const PATH = 2;
export const SCOPE = 3;
export const TOKEN = 4;
const TEXTS = 5;

/** The text last looked up. */
export let text: usize = 0;
export let textLen: i32 = 0;

export function openText(settings: usize, which: i32): void {
  let at = settings;
  for (; which > 0; which--) at += 2 + load<u16>(at);
  text = at + 2;
  textLen = load<u16>(at);
}

export function settingsLen(settings: usize): i32 {
  openText(settings, TEXTS - 1);
  return <i32>(text + textLen - settings);
}

/** The table's name among the live tables of a process: two independent hashes of its settings. */
export function identityOf(settings: usize): u64 {
  return hash(settings, settingsLen(settings));
}

export function otherIdentityOf(settings: usize): u64 {
  return hashEnd(hashMore(~hashStart(), settings, settingsLen(settings)));
}

/** Adds a text to a query; what is not a letter, a digit or one of `-._~` is percent-encoded. */
export function addEncoded(to: Writer, at: usize, len: i32): void {
  const digits = "0123456789ABCDEF";
  for (let i = 0; i < len; i++) {
    const c: u32 = load<u8>(at + i);
    if (isUnreserved(c)) to.u8(c);
    else
      to.say("%")
        .u8(load<u8>(digits.start + (c >> 4)))
        .u8(load<u8>(digits.start + (c & 15)));
  }
}

function isUnreserved(c: u32): bool {
  const others = "-._~";
  if ((c | 32) - 97 < 26 || c - 48 < 10) return true;
  for (let i = 0; i < others.len; i++) if (c == <u32>load<u8>(others.start + i)) return true;
  return false;
}
