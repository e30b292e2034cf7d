// query:NAME: the value of each query parameter of that name in `:path`, percent-decoded.
import { AMPERSAND, EQUALS, QUESTION } from "../text/ascii";
import { find, same } from "../text/bytes";
import { emitDecoded } from "./candidate";

/** Where the query starts in a `:path`; its end when it has none. */
export function queryOf(at: usize, end: usize): usize {
  const mark = find(at, end, QUESTION);
  return mark == end ? end : mark + 1;
}

export function nextQuery(at: usize, end: usize, name: usize, nameLen: i32): usize {
  while (at <= end) {
    const ampersand = find(at, end, AMPERSAND);
    const equals = find(at, ampersand, EQUALS);
    const start = at;
    at = ampersand + 1;
    if (!same(start, <i32>(equals - start), name, nameLen)) continue;
    const value = min(equals + 1, ampersand);
    emitDecoded(value, ampersand);
    return at;
  }
  return 0;
}
