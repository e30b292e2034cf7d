// Comma-separated lists of named members: W3C baggage, W3C tracestate, and `service:version` overrides.
import { COLON, COMMA, DOT, EQUALS, SEMICOLON } from "../text/ascii";
import { find, same, skipBlanks, trimEnd } from "../text/bytes";
import { candidate, candidateLen, emitDecoded, emitTrimmed } from "./candidate";

/** baggage:MEMBER: its value, percent-decoded, what follows a semicolon dropped. */
export function nextBaggage(at: usize, end: usize, name: usize, nameLen: i32): usize {
  while (at <= end) {
    const comma = find(at, end, COMMA);
    const value = valueOf(at, find(at, comma, SEMICOLON), EQUALS, name, nameLen);
    at = comma + 1;
    if (value) {
      emitDecoded(candidate, candidate + candidateLen);
      return at;
    }
  }
  return 0;
}

/** tracestate:VENDOR: the entry's value. */
export function nextTracestate(at: usize, end: usize, name: usize, nameLen: i32): usize {
  while (at <= end) {
    const comma = find(at, end, COMMA);
    const value = valueOf(at, comma, EQUALS, name, nameLen);
    at = comma + 1;
    if (value) return at;
  }
  return 0;
}

/** overrides:HEADER: the version paired with `host`, which is named in full or by leading labels. */
export function nextOverride(at: usize, end: usize, host: usize, hostLen: i32): usize {
  while (at <= end) {
    const comma = find(at, end, COMMA);
    const colon = find(at, comma, COLON);
    const name = skipBlanks(at, colon);
    const nameLen = <i32>(trimEnd(name, colon) - name);
    at = comma + 1;
    if (colon == comma || !leads(name, nameLen, host, hostLen)) continue;
    emitTrimmed(colon + 1, comma);
    return at;
  }
  return 0;
}

/** Whether the name is the host's, in full or by leading labels. */
export function leads(name: usize, nameLen: i32, host: usize, hostLen: i32): bool {
  if (nameLen == 0 || nameLen > hostLen || !same(name, nameLen, host, nameLen)) return false;
  return nameLen == hostLen || load<u8>(host + nameLen) == DOT;
}

// Takes the value of `name SEPARATOR value`, if the member has that name.
function valueOf(at: usize, end: usize, separator: u32, name: usize, nameLen: i32): bool {
  const equals = find(at, end, separator);
  if (equals == end) return false;
  at = skipBlanks(at, equals);
  if (!same(at, <i32>(trimEnd(at, equals) - at), name, nameLen)) return false;
  emitTrimmed(equals + 1, end);
  return true;
}
