// What a proxy at the edge takes off a request before anything else reads it: keys that do not count, in every source and form that the
// configuration names, the hop mark, the wish for an explanation, and the ids of traces. What is left of a key is good.
import { HEADER_EXPLAIN, HEADER_ROUTED } from "../../routes/model/names";
import { removeHeader } from "../host/calls";
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
  sourceHeader,
  sourceHeaderLen,
  sourceKind,
} from "../sources/source";
import { firstForm, firstSource, formCount, sourceCount } from "../table/header";
import { COLON } from "../text/ascii";
import { is } from "../text/bytes";
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
  clean(edge, firstSource(header), sourceCount(header));
  clean(edge, firstForm(header), formCount(header));
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

function clean(edge: usize, source: usize, count: i32): void {
  let before = NONE;
  for (; count > 0; count--) {
    const kind = sourceKind(source);
    // What sticks of a link has to be good again when it comes back, so it stays signed.
    const staysSigned = kind == LINK || before == LINK;
    if (canBeCleaned(source) && cleanSource(edge, source, staysSigned)) request.forgetHeaders();
    before = kind;
    source = afterSource(source);
  }
}

function cleanSource(edge: usize, source: usize, staysSigned: bool): bool {
  const kind = sourceKind(source);
  if (kind == LINK) return cleanQuery(edge, source, staysSigned);
  if (!isThere(sourceHeader(source), sourceHeaderLen(source))) return false;
  if (kind == QUERY) return cleanQuery(edge, source, staysSigned);
  return kind == COOKIE ? cleanCookies(edge, source, staysSigned) : cleanList(edge, source);
}

/** Whether a key can be taken off there. The host and a bearer token are more than the key in them. */
export function canBeCleaned(source: usize): bool {
  const kind = sourceKind(source);
  if (kind == HOST || kind == JWT || kind == TRACE) return false;
  if (kind != HEADER) return true;
  const name = sourceHeader(source);
  return load<u8>(name) != COLON && !is(name, sourceHeaderLen(source), "host");
}
