// header:NAME: the comma-separated values of the header, one by one.
import { find } from "../text/bytes";
import { yieldTrimmed } from "./found";

export function nextHeader(at: usize, end: usize): usize {
  if (at > end) return 0;
  const comma = find(at, end, 44);
  yieldTrimmed(at, comma);
  return comma + 1;
}
