// What a proxy at the edge takes off a request before anything else reads it: keys that do not count, in every source and form that the
// configuration names, the hop mark, the wish for an explanation, and the ids of traces. What is left of a key is good.
import { HEADER_EXPLAIN, HEADER_ROUTED } from "../../routes/model/names";
import { removeHeader } from "../host/calls";
import { parameterLenOf, parameterOf } from "../link/options";
import * as request from "../request";
import {
  COOKIE,
  HEADER,
  HOST,
  JWT,
  LINK,
  NONE,
  QUERY,
  TRACE,
  afterSource,
  isSameSource,
  sourceHeader,
  sourceHeaderLen,
  sourceKind,
  sourceName,
  sourceNameLen,
} from "../sources/source";
import { firstSource, formCount, sourceCount } from "../table/header";
import { COLON } from "../text/ascii";
import { is, same } from "../text/bytes";
import { HEADERS, REQUEST_ID, headerOf } from "../trace/headers";
import { beginChecks } from "./check";
import { ACCEPT_ANY, acceptOf, removesTraces, unwraps } from "./options";
import { cleanCookies, cleanList, cleanQuery } from "./rewrite";

export function guardEdge(header: usize, edge: usize): void {
  beginChecks();
  const strict = acceptOf(edge) != ACCEPT_ANY;
  if (strict) {
    takeOff(HEADER_ROUTED);
    takeOff(HEADER_EXPLAIN);
  }
  // Envoy itself gives a request without an id one before any filter sees it, so the id that stands here may be its own.
  if (removesTraces(edge))
    for (let which = 0; which < HEADERS; which++) if (which != REQUEST_ID) takeOff(headerOf(which));
  if (!strict && !unwraps(edge)) return;
  clean(edge, firstSource(header), sourceCount(header) + formCount(header));
}

function takeOff(name: Bytes): void {
  if (!isThere(name.start, name.len)) return;
  removeHeader(name.start, name.len);
  request.forgetHeaders();
}

// One call reads all headers, and again after each change.
function isThere(name: usize, len: i32): bool {
  request.readHeaders();
  return request.readValue(name, len, 0);
}

// The sources, and the forms behind them.
function clean(edge: usize, first: usize, count: i32): void {
  let before = NONE;
  for (let source = first; count > 0; count--) {
    const kind = sourceKind(source);
    // What sticks of a link has to be good again when it comes back, so it stays signed.
    const staysSigned = kind == LINK || before == LINK;
    if (canBeCleaned(source) && cleanSource(edge, first, source, staysSigned)) request.forgetHeaders();
    before = kind;
    source = afterSource(source);
  }
}

function cleanSource(edge: usize, first: usize, source: usize, staysSigned: bool): bool {
  const kind = sourceKind(source);
  if (kind == LINK) return cleanQuery(edge, source, staysSigned);
  if (!isThere(sourceHeader(source), sourceHeaderLen(source)) || isCleaned(first, source)) return false;
  if (kind == QUERY) return cleanQuery(edge, source, staysSigned);
  return kind == COOKIE ? cleanCookies(edge, source, staysSigned) : cleanList(edge, source);
}

// Whether one of the sources before it is the same place of a request. An unwrapped key that stands there is plain, and may not be taken for a stranger's.
function isCleaned(first: usize, source: usize): bool {
  for (let other = first; other != source; other = afterSource(other))
    if (isSameSource(other, source) || isQueryOfLink(other, source)) return true;
  return false;
}

function isQueryOfLink(link: usize, source: usize): bool {
  if (sourceKind(link) != LINK || sourceKind(source) != QUERY) return false;
  return same(parameterOf(link), parameterLenOf(link), sourceName(source), sourceNameLen(source));
}

/** Whether a key can be taken off there. The host and a bearer token are more than the key in them. */
export function canBeCleaned(source: usize): bool {
  const kind = sourceKind(source);
  if (kind == HOST || kind == JWT || kind == TRACE) return false;
  if (kind != HEADER) return true;
  const name = sourceHeader(source);
  return load<u8>(name) != COLON && !is(name, sourceHeaderLen(source), "host");
}
