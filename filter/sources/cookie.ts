// cookie:NAME: the value of each cookie of that name, without the quotes around it.
import { find, same, skipBlanks, trimEnd } from "../text/bytes";
import { found, foundLen, yieldKey, yieldTrimmed } from "./found";

export function nextCookie(at: usize, end: usize, name: usize, nameLen: i32): usize {
  while (at <= end) {
    const semicolon = find(at, end, 59);
    const equals = find(at, semicolon, 61);
    const start = skipBlanks(at, equals);
    at = semicolon + 1;
    if (equals == semicolon || !same(start, <i32>(trimEnd(start, equals) - start), name, nameLen)) continue;
    yieldTrimmed(equals + 1, semicolon);
    if (foundLen >= 2 && load<u8>(found) == 34 && load<u8>(found + foundLen - 1) == 34) {
      yieldKey(found + 1, found + foundLen - 1);
    }
    return at;
  }
  return 0;
}
