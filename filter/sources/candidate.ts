// The candidate that a source read last. A source reads one text and answers its candidates one by one:
//   next(at, end, name, nameLen): where to go on from, or 0 when there are no more; the candidate is (candidate, candidateLen).
// A source never writes to the text, and reads nothing outside of it.
import { MAX_KEY } from "../../routes/model/names";
import { COMMA, DELETE, SEMICOLON, SPACE } from "../text/ascii";
import { skipBlanks, trimEnd } from "../text/bytes";
import { decodePercent, decoded } from "../text/percent";

export let candidate: usize = 0;
export let candidateLen: i32 = 0;

export function emit(at: usize, end: usize): void {
  candidate = at;
  candidateLen = <i32>(end - at);
}

/** The same without the blanks around it. */
export function emitTrimmed(at: usize, end: usize): void {
  at = skipBlanks(at, end);
  emit(at, trimEnd(at, end));
}

/** Percent-decoded. A text that can't be decoded, or is too long, becomes an empty candidate, which is no key. */
export function emitDecoded(at: usize, end: usize): void {
  const len = decodePercent(at, <i32>(end - at));
  if (len < 0) emit(at, at);
  else emit(decoded, decoded + len);
}

/** A routing key is 1 to MAX_KEY bytes of printable ASCII without space, comma and semicolon. */
export function isKey(at: usize, len: i32): bool {
  return len > 0 && len <= MAX_KEY && isWord(at, len);
}

/** Whether all bytes are such as a key may have. */
export function isWord(at: usize, len: i32): bool {
  for (let i = 0; i < len; i++) {
    const c: i32 = load<u8>(at + i);
    if (c <= SPACE || c >= DELETE || c == COMMA || c == SEMICOLON) return false;
  }
  return true;
}
