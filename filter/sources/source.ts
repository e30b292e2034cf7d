// A source as the table header holds it, and the one place that knows which kinds there are.
//   u8 kind, u8 header length, u16 name length, the header to read, the name looked for in it
import { BAGGAGE, COOKIE, HEADER, HOST, OVERRIDES, QUERY, TRACESTATE } from "../../routes/model/layout";
import { same } from "../text/bytes";
import { nextCookie } from "./cookie";
import { nextHeader } from "./header";
import { nextHost } from "./host";
import { nextClaim } from "./jwt";
import { nextBaggage, nextOverride, nextTracestate } from "./members";
import { nextQuery, queryOf } from "./query";

export {
  BAGGAGE,
  CALLER,
  COOKIE,
  EDGE,
  HEADER,
  HOST,
  HOST_PART,
  JWT,
  LINK,
  NONE,
  OVERRIDES,
  PATH_PART,
  QUERY,
  TRACE,
  TRACESTATE,
} from "../../routes/model/layout";

export const SOURCE_FIXED = 4;

/** Whether the source reads a list whose parts may stand in one line of a header or in several, between commas. */
export function isList(s: usize): bool {
  const kind = sourceKind(s);
  return kind == HEADER || kind == BAGGAGE || kind == TRACESTATE || kind == OVERRIDES;
}

// @ts-ignore: decorator
@inline
export function sourceKind(s: usize): u32 {
  return load<u8>(s);
}

// @ts-ignore: decorator
@inline
export function sourceHeader(s: usize): usize {
  return s + SOURCE_FIXED;
}

// @ts-ignore: decorator
@inline
export function sourceHeaderLen(s: usize): i32 {
  return load<u8>(s, 1);
}

export function sourceName(s: usize): usize {
  return s + SOURCE_FIXED + load<u8>(s, 1);
}

export function sourceNameLen(s: usize): i32 {
  return load<u16>(s, 2);
}

export function afterSource(s: usize): usize {
  return sourceName(s) + sourceNameLen(s);
}

/** Whether both are the same place of a request. */
export function isSameSource(a: usize, b: usize): bool {
  return same(a, <i32>(afterSource(a) - a), b, <i32>(afterSource(b) - b));
}

/** Where to start in the value of the source's header. */
export function startOf(s: usize, at: usize, end: usize): usize {
  return sourceKind(s) == QUERY ? queryOf(at, end) : at;
}

/** The next candidate of source `s` in [at, end); see candidate.ts. `host` is the destination's, for overrides. */
export function next(s: usize, at: usize, end: usize, host: usize, hostLen: i32): usize {
  const kind = sourceKind(s);
  if (kind == HEADER) return nextHeader(at, end);
  const name = sourceName(s);
  const len = sourceNameLen(s);
  if (kind == BAGGAGE) return nextBaggage(at, end, name, len);
  if (kind == TRACESTATE) return nextTracestate(at, end, name, len);
  if (kind == COOKIE) return nextCookie(at, end, name, len);
  if (kind == QUERY) return nextQuery(at, end, name, len);
  if (kind == HOST) return nextHost(at, end, name, len);
  if (kind == OVERRIDES) return nextOverride(at, end, host, hostLen);
  return nextClaim(at, end, name, len);
}
