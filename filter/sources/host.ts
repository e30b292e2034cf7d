// host:SUFFIX: the one label before SUFFIX in `:authority`, its port ignored.
import { COLON, DOT } from "../text/ascii";
import { find, sameFolded } from "../text/bytes";
import { emit } from "./candidate";

export function nextHost(at: usize, end: usize, suffix: usize, suffixLen: i32): usize {
  if (at > end) return 0;
  const next = end + 1;
  const stop = find(at, end, COLON);
  const label = stop - suffixLen;
  if (<isize>(label - at) <= 0 || !sameFolded(label, suffixLen, suffix, suffixLen)) return 0;
  if (find(at, label, DOT) != label) return 0;
  emit(at, label);
  return next;
}
