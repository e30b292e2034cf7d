// The shares of a split; table/rule.ts shows their layout.
import { now } from "./host/calls";
import * as request from "./request";
import { candidate, candidateLen } from "./sources/candidate";
import {
  NONE,
  OVERRIDES,
  afterSource,
  next,
  sourceHeader,
  sourceHeaderLen,
  sourceKind,
  startOf,
} from "./sources/source";
import { WHOLE, ruleFrom, ruleTarget, shareCount } from "./table/rule";
import { hashEnd, hashMore } from "./text/hash";

const SHARE_TARGET: usize = 4;

/** The share that falls to this request: where its target's length stands; 0 for the rest, which stays with the baseline. */
export function chooseShare(rule: usize): usize {
  const sticky = ruleTarget(rule);
  let point = <u32>(drawFor(sticky, ruleFrom(rule)) % WHOLE);
  let share = afterSource(sticky);
  for (let i = shareCount(rule); i > 0; i--) {
    const weight = load<u32>(share);
    share += SHARE_TARGET;
    if (point < weight) return share;
    point -= weight;
    share += 2 + load<u16>(share);
  }
  return 0;
}

// The same number for the same sticky value, the first that is not empty, and `from`; a new one where there is no value.
function drawFor(sticky: usize, from: u64): u64 {
  if (sourceKind(sticky) == NONE) return draw();
  if (sourceKind(sticky) == OVERRIDES) request.readService();
  for (let n = 0; request.readValue(sourceHeader(sticky), sourceHeaderLen(sticky), n); n++) {
    const end = request.value + request.valueLen;
    let at = startOf(sticky, request.value, end);
    while ((at = next(sticky, at, end, request.service, request.serviceLen)) != 0) {
      if (candidateLen != 0) return hashEnd(hashMore(from, candidate, candidateLen));
    }
  }
  return draw();
}

let state: u64 = 0;

// A step of a Weyl sequence, mixed. It starts from the clock, so that workers draw differently.
function draw(): u64 {
  if (state == 0) state = now() | 1;
  state += 0x9e3779b97f4a7c15;
  return hashEnd(hashEnd(state) * 0xd6e8feb86659fd93);
}
