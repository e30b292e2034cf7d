// The conditions of a route; table/rule.ts shows their layout.
import * as request from "./request";
import { candidate, candidateLen } from "./sources/candidate";
import {
  CALLER,
  HEADER,
  HOST_PART,
  PATH_PART,
  afterSource,
  next,
  sourceHeader,
  sourceHeaderLen,
  sourceKind,
  startOf,
} from "./sources/source";
import { ABSENT, CONTAINS, EXACT, NOT, PREFIX, PRESENT, SUFFIX, afterConditions, firstCondition } from "./table/rule";
import { COLON, QUESTION, ZERO } from "./text/ascii";
import { contains, find, same } from "./text/bytes";

/** Whether all of them hold; reads other values into `request.value` and other candidates. */
export function allHold(conditions: usize): bool {
  const end = afterConditions(conditions);
  let at = firstCondition(conditions);
  while (at < end) {
    const kind: u32 = load<u8>(at);
    const source = at + 1;
    const wanted = afterSource(source);
    const wantedLen: i32 = load<u16>(wanted);
    at = wanted + 2;
    if (holds(kind & ~NOT, source, at, wantedLen) == ((kind & NOT) != 0)) return false;
    at += wantedLen;
  }
  return true;
}

function holds(kind: u32, source: usize, wanted: usize, wantedLen: i32): bool {
  return kind == ABSENT ? !anyFits(PRESENT, source, wanted, wantedLen) : anyFits(kind, source, wanted, wantedLen);
}

// Whether one of the values fits: of a repeated header, of several cookies or parameters of that name.
function anyFits(kind: u32, source: usize, wanted: usize, wantedLen: i32): bool {
  const where = sourceKind(source);
  if (where == CALLER) return request.readCaller() && fits(kind, request.value, request.valueLen, wanted, wantedLen);
  const header = sourceHeader(source);
  const headerLen = sourceHeaderLen(source);
  for (let n = 0; request.readValue(header, headerLen, n); n++) {
    const value = request.value;
    const end = value + request.valueLen;
    if (where == HEADER || where == PATH_PART || where == HOST_PART) {
      if (fits(kind, value, <i32>(partEnd(where, value, end) - value), wanted, wantedLen)) return true;
      continue;
    }
    let at = startOf(source, value, end);
    while ((at = next(source, at, end, 0, 0)) != 0) {
      if (fits(kind, candidate, candidateLen, wanted, wantedLen)) return true;
    }
  }
  return false;
}

// Where the query begins in a path, and the port in a host; the end of any other value.
function partEnd(where: u32, at: usize, end: usize): usize {
  if (where == PATH_PART) return find(at, end, QUESTION);
  if (where == HEADER) return end;
  let port = end;
  while (port > at && <u32>load<u8>(port - 1) - ZERO < 10) port--;
  return port > at && load<u8>(port - 1) == COLON ? port - 1 : end;
}

function fits(kind: u32, at: usize, len: i32, wanted: usize, wantedLen: i32): bool {
  if (kind == EXACT) return same(at, len, wanted, wantedLen);
  if (kind == PREFIX) return len >= wantedLen && same(at, wantedLen, wanted, wantedLen);
  if (kind == SUFFIX) return len >= wantedLen && same(at + len - wantedLen, wantedLen, wanted, wantedLen);
  if (kind == CONTAINS) return contains(at, len, wanted, wantedLen);
  return kind == PRESENT;
}
