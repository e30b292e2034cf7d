// header:NAME: the comma-separated values of the header, one by one.
import { COMMA } from "../text/ascii";
import { find } from "../text/bytes";
import { emitTrimmed } from "./candidate";

export function nextHeader(at: usize, end: usize): usize {
  if (at > end) return 0;
  const comma = find(at, end, COMMA);
  emitTrimmed(at, comma);
  return comma + 1;
}
