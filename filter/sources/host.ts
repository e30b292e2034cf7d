// host:SUFFIX: the one label before SUFFIX in `:authority`, its port ignored.
import { find, sameFolded } from "../text/bytes";
import { yieldKey } from "./found";

export function nextHost(at: usize, end: usize, suffix: usize, suffixLen: i32): usize {
  if (at > end) return 0;
  const next = end + 1;
  const stop = find(at, end, 58);
  const label = stop - suffixLen;
  if (<isize>(label - at) <= 0 || !sameFolded(label, suffixLen, suffix, suffixLen)) return 0;
  if (find(at, label, 46) != label) return 0;
  yieldKey(at, label);
  return next;
}
