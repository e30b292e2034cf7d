// What a cluster's name tells: the hash that routes are filed under, and the host of an Istio name
// (`outbound|PORT|SUBSET|HOST`).
import { BAR } from "../text/ascii";
import { find, startsWith } from "../text/bytes";
import { hash, hashEnd, hashMore, hashStart } from "../text/hash";

/** The hash of an Istio name without its subset; that of the name itself when it is none, or has no subset. */
export function hashWithoutSubset(at: usize, len: i32): u64 {
  const end = at + len;
  const subset = find(find(at, end, BAR) + 1, end, BAR) + 1;
  const host = find(subset, end, BAR);
  if (host >= end || host == subset) return hash(at, len);
  const front = hashMore(hashStart(), at, <i32>(subset - at));
  return hashEnd(hashMore(front, host, <i32>(end - host)));
}

/** The name of the service behind a cluster: what follows the third bar of an Istio name, else the whole name. */
export function serviceOf(at: usize, len: i32): usize {
  const end = at + len;
  let bar = at;
  for (let i = 0; i < 3; i++) {
    bar = find(bar, end, BAR) + 1;
    if (bar > end) return at;
  }
  return bar;
}

export function isInboundName(at: usize, len: i32): bool {
  return startsWith(at, len, "inbound|");
}

export function isOutboundName(at: usize, len: i32): bool {
  return startsWith(at, len, "outbound|");
}

/** Whether requests may be meant for a subset of the cluster's hosts: Istio makes a cluster of its own for each subset. */
export function mayHaveSubsets(at: usize, len: i32): bool {
  return !isOutboundName(at, len) && !isInboundName(at, len);
}
