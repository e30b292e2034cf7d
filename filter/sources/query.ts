// query:NAME: the value of each query parameter of that name in `:path`, percent-decoded.
import { find, same } from "../text/bytes";
import { yieldDecoded } from "./found";

/** Where the query starts in a `:path`; its end when it has none. */
export function queryOf(at: usize, end: usize): usize {
  const mark = find(at, end, 63);
  return mark == end ? end : mark + 1;
}

export function nextQuery(at: usize, end: usize, name: usize, nameLen: i32): usize {
  while (at <= end) {
    const ampersand = find(at, end, 38);
    const equals = find(at, ampersand, 61);
    const start = at;
    at = ampersand + 1;
    if (!same(start, <i32>(equals - start), name, nameLen)) continue;
    const value = min(equals + 1, ampersand);
    yieldDecoded(value, ampersand);
    return at;
  }
  return 0;
}
