// Takes from a header the parts that hold a key which does not count, and leaves all others as they are, byte for byte. What a part holds is
// asked of the source itself, so that nothing is left that it would find.
import { count, removeHeader, replaceHeader } from "../host/calls";
import { writer } from "../host/writer";
import { parameterLenOf, parameterOf } from "../link/options";
import { addEncoded } from "../live/settings";
import * as metrics from "../metrics";
import * as request from "../request";
import { candidate, candidateLen } from "../sources/candidate";
import { nextQuery, queryOf } from "../sources/query";
import {
  BAGGAGE,
  HEADER,
  LINK,
  OVERRIDES,
  QUERY,
  next,
  sourceHeader,
  sourceHeaderLen,
  sourceKind,
} from "../sources/source";
import { AMPERSAND, COLON, COMMA, EQUALS, SEMICOLON, SPACE } from "../text/ascii";
import { find, skipBlanks, trimEnd } from "../text/bytes";
import { GOOD, UNSIGNED, checkText, isForService, noteUnwrapped, refuseElsewhere } from "./check";
import { ACCEPT_ANY, ACCEPT_NONE, acceptOf, unwraps } from "./options";
import { plainLen } from "./token";

const PATH = ":path";

const kept = writer();
let changed = false;
let staysSigned = false;

/** Headers with values, members or pairs between commas. True when the header was changed. */
export function cleanList(edge: usize, source: usize): bool {
  begin(false);
  if (request.readAllValues(sourceHeader(source), sourceHeaderLen(source)))
    keepParts(edge, source, request.value, request.value + request.valueLen, COMMA, 0);
  else changed = true;
  return finish(source);
}

/** The same for cookies. They may stand in several lines, which become one. */
export function cleanCookies(edge: usize, source: usize, staysSigned: bool): bool {
  begin(staysSigned);
  for (let n = 0; request.readValue(sourceHeader(source), sourceHeaderLen(source), n); n++)
    keepParts(edge, source, request.value, request.value + request.valueLen, SEMICOLON, 0);
  return finish(source);
}

/** The same for the query of a path. */
export function cleanQuery(edge: usize, source: usize, staysSigned: bool): bool {
  if (!request.readNamed(PATH)) return false;
  const path = request.value;
  const end = path + request.valueLen;
  const query = queryOf(path, end);
  if (query == end) return false;
  begin(staysSigned);
  kept.bytes(path, <i32>(query - path));
  const start = kept.len;
  keepParts(edge, source, query, end, AMPERSAND, start);
  if (kept.len == start) kept.len--;
  return changed && replaceHeader(PATH.start, PATH.len, kept.at, kept.len);
}

function begin(signed: bool): void {
  kept.clear();
  changed = false;
  staysSigned = signed;
}

// A header that can't be read or written goes altogether.
function finish(source: usize): bool {
  if (!changed) return false;
  const name = sourceHeader(source);
  const len = sourceHeaderLen(source);
  if (kept.len == 0 || !replaceHeader(name, len, kept.at, kept.len)) removeHeader(name, len);
  return true;
}

// `start` is the length of what stands before the first part that is kept.
function keepParts(edge: usize, source: usize, at: usize, end: usize, separator: u32, start: i32): void {
  while (at <= end) {
    const partEnd = find(at, end, separator);
    const verdict = holdsKey(source, at, partEnd) ? judge(edge) : KEEP;
    changed = changed || verdict != KEEP;
    if (verdict != DROP) {
      const part = kept.len == start && separator != AMPERSAND ? skipBlanks(at, partEnd) : at;
      if (kept.len != start) addSeparator(separator, part, partEnd);
      if (verdict == KEEP) kept.bytes(part, <i32>(partEnd - part));
      else addPlain(source, part, partEnd);
    }
    at = partEnd + 1;
  }
}

// Cookies have a blank behind their semicolon.
function addSeparator(separator: u32, part: usize, partEnd: usize): void {
  kept.u8(separator);
  if (separator == SEMICOLON && part < partEnd && load<u8>(part) != SPACE) kept.u8(SPACE);
}

// An override is meant for any service: the one that its part names. An empty parameter of links names no key.
function holdsKey(source: usize, at: usize, end: usize): bool {
  const kind = sourceKind(source);
  if (kind == LINK) return nextQuery(at, end, parameterOf(source), parameterLenOf(source)) != 0 && candidateLen != 0;
  if (kind != OVERRIDES) return next(source, at, end, 0, 0) != 0;
  const colon = find(at, end, COLON);
  const name = skipBlanks(at, colon);
  return next(source, at, end, name, <i32>(trimEnd(name, colon) - name)) != 0;
}

const KEEP = 0;
const DROP = 1;
const REPLACE = 2;

// What becomes of the part whose candidate was read last.
function judge(edge: usize): i32 {
  const accept = acceptOf(edge);
  const checked = accept == ACCEPT_NONE ? UNSIGNED : checkText(edge, candidate, candidateLen);
  if (checked == UNSIGNED) {
    if (accept == ACCEPT_ANY) return KEEP;
    count(metrics.keysRemoved);
    return DROP;
  }
  if (checked != GOOD) return DROP;
  if (staysSigned || !unwraps(edge)) return KEEP;
  if (isForService()) {
    noteUnwrapped(candidate, plainLen);
    return REPLACE;
  }
  refuseElsewhere();
  return DROP;
}

// The part with the plain key of the signed one that was found in it.
function addPlain(source: usize, at: usize, end: usize): void {
  const kind = sourceKind(source);
  if (kind == HEADER) {
    kept.bytes(candidate, plainLen);
    return;
  }
  const name = find(at, end, kind == OVERRIDES ? COLON : EQUALS) + 1;
  kept.bytes(at, <i32>(name - at));
  if (kind != BAGGAGE && kind != QUERY) {
    kept.bytes(candidate, plainLen);
    return;
  }
  addEncoded(kept, candidate, plainLen);
  const properties = find(at, end, SEMICOLON);
  if (kind == BAGGAGE) kept.bytes(properties, <i32>(end - properties));
}
