// What every source yields. A source reads one text and answers candidates one by one:
//   next(at, end, name, nameLen): the place to go on from, 0 when there are no more; the candidate is (found, foundLen).
// It never writes to the text, and takes nothing that lies outside of it.
import { MAX_KEY } from "../../routes/model/names";
import { skipBlanks, trimEnd } from "../text/bytes";
import { decodePercent, decoded } from "../text/percent";

export let found: usize = 0;
export let foundLen: i32 = 0;

export function yieldKey(at: usize, end: usize): void {
  found = at;
  foundLen = <i32>(end - at);
}

/** The same without the blanks around it. */
export function yieldTrimmed(at: usize, end: usize): void {
  at = skipBlanks(at, end);
  yieldKey(at, trimEnd(at, end));
}

/** Percent-decoded; what can't be decoded to a key is yielded as empty, which is no key. */
export function yieldDecoded(at: usize, end: usize): void {
  const len = decodePercent(at, <i32>(end - at));
  if (len < 0) yieldKey(at, at);
  else yieldKey(decoded, decoded + len);
}

/** A routing key is 1 to 256 bytes of printable ASCII without space, comma and semicolon. */
export function isKey(at: usize, len: i32): bool {
  if (len < 1 || len > MAX_KEY) return false;
  for (let i = 0; i < len; i++) {
    const c = load<u8>(at + i);
    if (c <= 32 || c > 126 || c == 44 || c == 59) return false;
  }
  return true;
}
