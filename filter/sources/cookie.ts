// cookie:NAME: the value of each cookie of that name, without the quotes around it.
import { EQUALS, QUOTE, SEMICOLON } from "../text/ascii";
import { find, same, skipBlanks, trimEnd } from "../text/bytes";
import { candidate, candidateLen, emit, emitTrimmed } from "./candidate";

export function nextCookie(at: usize, end: usize, name: usize, nameLen: i32): usize {
  while (at <= end) {
    const semicolon = find(at, end, SEMICOLON);
    const equals = find(at, semicolon, EQUALS);
    const start = skipBlanks(at, equals);
    at = semicolon + 1;
    if (equals == semicolon || !same(start, <i32>(trimEnd(start, equals) - start), name, nameLen)) continue;
    emitTrimmed(equals + 1, semicolon);
    if (candidateLen >= 2 && load<u8>(candidate) == QUOTE && load<u8>(candidate + candidateLen - 1) == QUOTE) {
      emit(candidate + 1, candidate + candidateLen - 1);
    }
    return at;
  }
  return 0;
}
