// The parts of rules: the conditions of a `when`, the shares of a `split`; header.ts shows their layout.
import { now } from "./host/calls";
import * as request from "./request";
import { candidate, candidateLen } from "./sources/candidate";
import {
  HEADER,
  NONE,
  OVERRIDES,
  afterSource,
  next,
  sourceHeader,
  sourceHeaderLen,
  sourceKind,
  startOf,
} from "./sources/source";
import {
  ABSENT,
  CONTAINS,
  EXACT,
  PREFIX,
  PRESENT,
  RULE_FIXED,
  SUFFIX,
  WHOLE,
  ruleFrom,
  ruleParts,
} from "./table/header";
import { contains, same } from "./text/bytes";
import { hashEnd, hashMore } from "./text/hash";

/** Whether all conditions of a `when` hold. */
export function holds(rule: usize): bool {
  let at = rule + RULE_FIXED;
  at += 2 + load<u16>(at);
  for (let i = ruleParts(rule); i > 0; i--) {
    const source = at + 1;
    const wanted = afterSource(source);
    if (!test(load<u8>(at), source, wanted + 2, load<u16>(wanted))) return false;
    at = wanted + 2 + load<u16>(wanted);
  }
  return true;
}

// A condition holds when one of the values does: of a repeated header, of several cookies or parameters of that name.
function test(kind: u32, source: usize, wanted: usize, wantedLen: i32): bool {
  const header = sourceHeader(source);
  const headerLen = sourceHeaderLen(source);
  for (let n = 0; request.readValue(header, headerLen, n); n++) {
    const end = request.value + request.valueLen;
    if (sourceKind(source) == HEADER) {
      if (fits(kind, request.value, request.valueLen, wanted, wantedLen)) return kind != ABSENT;
      continue;
    }
    let at = startOf(source, request.value, end);
    while ((at = next(source, at, end, 0, 0)) != 0) {
      if (fits(kind, candidate, candidateLen, wanted, wantedLen)) return kind != ABSENT;
    }
  }
  return kind == ABSENT;
}

function fits(kind: u32, at: usize, len: i32, wanted: usize, wantedLen: i32): bool {
  if (kind == EXACT) return same(at, len, wanted, wantedLen);
  if (kind == PREFIX) return len >= wantedLen && same(at, wantedLen, wanted, wantedLen);
  if (kind == SUFFIX) return len >= wantedLen && same(at + len - wantedLen, wantedLen, wanted, wantedLen);
  if (kind == CONTAINS) return contains(at, len, wanted, wantedLen);
  return kind == PRESENT || kind == ABSENT;
}

/** The share that falls to this request; 0 for the rest, which stays with the baseline. */
export function chooseShare(rule: usize): usize {
  const sticky = rule + RULE_FIXED;
  let point = <u32>(drawFor(sticky, ruleFrom(rule)) % WHOLE);
  let share = afterSource(sticky);
  for (let i = ruleParts(rule); i > 0; i--) {
    const weight = load<u32>(share);
    if (point < weight) return share;
    point -= weight;
    share += 6 + load<u16>(share, 4);
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

// A step of a Weyl sequence, mixed; it starts from the clock, so that workers draw differently.
function draw(): u64 {
  if (state == 0) state = now() | 1;
  state += 0x9e3779b97f4a7c15;
  return hashEnd(hashEnd(state) * 0xd6e8feb86659fd93);
}
