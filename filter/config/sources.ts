// The source grammar of the configuration: `KIND:NAME` and the presets that stand for one or several of them.
import { Writer } from "../host/writer";
import * as kind from "../sources/source";
import { Bytes, ascii, find, lower, sameLiteral } from "../text/bytes";
import { about, complain } from "./complaint";

const BAGGAGE_HEADER = ascii("baggage");
const TRACESTATE_HEADER = ascii("tracestate");
const COOKIE_HEADER = ascii("cookie");
const PATH_HEADER = ascii(":path");
const AUTHORITY_HEADER = ascii(":authority");
const TOKEN_HEADER = ascii("authorization");
const EMPTY = ascii("");

const SIGNADOT_KEY = ascii("sd-routing-key");
const OKTETO = ascii("okteto-divert");
const MIRRORD = ascii("mirrord-session");
const OT_BAGGAGE = ascii("ot-baggage-sd-routing-key");
const UBERCTX = ascii("uberctx-sd-routing-key");
const BRIDGE = ascii("kubernetes-route-as");
const X_OVERRIDE = ascii("x-override");
const TELEPRESENCE = ascii("x-telepresence-intercept-id");
const DEFAULT_HEADER = ascii("x-routing-key");

const LONGEST_NAME = 200;

/** The sources added since the last reset. */
export let sources = 0;

export function resetSources(): void {
  sources = 0;
}

function add(to: Writer, sourceKind: u32, header: Bytes, name: Bytes): void {
  sources++;
  to.u8(sourceKind).u8(header.len).u16(name.len).constant(header).constant(name);
}

/** A header's values, or the pairs of an override header: what is looked for is the header itself. */
function addHeader(to: Writer, sourceKind: u32, name: usize, len: i32): void {
  sources++;
  to.u8(sourceKind).u8(len).u16(0);
  const at = to.room(len);
  for (let i = 0; i < len; i++) store<u8>(at + i, <u8>lower(load<u8>(name + i)));
}

function addNamed(to: Writer, sourceKind: u32, header: Bytes, name: usize, len: i32): void {
  sources++;
  to.u8(sourceKind).u8(header.len).u16(len).constant(header).bytes(name, len);
}

export function addDefaultSource(to: Writer): void {
  add(to, kind.HEADER, DEFAULT_HEADER, EMPTY);
}

function addPreset(to: Writer, at: usize, len: i32): bool {
  if (sameLiteral(at, len, "signadot")) {
    add(to, kind.BAGGAGE, BAGGAGE_HEADER, SIGNADOT_KEY);
    add(to, kind.TRACESTATE, TRACESTATE_HEADER, SIGNADOT_KEY);
    add(to, kind.HEADER, OT_BAGGAGE, EMPTY);
    add(to, kind.HEADER, UBERCTX, EMPTY);
  } else if (sameLiteral(at, len, "bridge")) add(to, kind.HEADER, BRIDGE, EMPTY);
  else if (sameLiteral(at, len, "overrides")) add(to, kind.OVERRIDES, X_OVERRIDE, EMPTY);
  else if (sameLiteral(at, len, "okteto")) add(to, kind.BAGGAGE, BAGGAGE_HEADER, OKTETO);
  else if (sameLiteral(at, len, "mirrord")) add(to, kind.BAGGAGE, BAGGAGE_HEADER, MIRRORD);
  else if (sameLiteral(at, len, "telepresence")) add(to, kind.HEADER, TELEPRESENCE, EMPTY);
  else return false;
  return true;
}

/** Whether a name can be a header's: token characters of RFC 9110, or a pseudo-header. */
export function isHeaderName(at: usize, len: i32): bool {
  if (len == 0 || len > LONGEST_NAME) return false;
  for (let i = 0; i < len; i++) {
    const c: u32 = load<u8>(at + i);
    if (c <= 32 || c > 126 || (c == 58 && i > 0)) return false;
    if (c == 34 || c == 40 || c == 41 || c == 44 || c == 47 || (c >= 59 && c <= 64) || (c >= 91 && c <= 93) || c == 123 || c == 125) return false;
  }
  return true;
}

/** Adds what `KIND:NAME` or a preset stands for, or complains. */
export function addSource(to: Writer, at: usize, len: i32): void {
  const end = at + len;
  const colon = find(at, end, 58);
  if (colon == end) {
    if (!addPreset(to, at, len)) unknown(at, len);
    return;
  }
  const kindLen = <i32>(colon - at);
  const name = colon + 1;
  const nameLen = <i32>(end - name);
  if (nameLen == 0) return complain("a source needs a name after its colon");
  if (nameLen > LONGEST_NAME) return complain("a source's name has at most 200 bytes");

  if (sameLiteral(at, kindLen, "header") || sameLiteral(at, kindLen, "overrides")) {
    if (!isHeaderName(name, nameLen)) return complain("not a header's name");
    addHeader(to, kindLen == 6 ? kind.HEADER : kind.OVERRIDES, name, nameLen);
  } else if (sameLiteral(at, kindLen, "baggage")) addNamed(to, kind.BAGGAGE, BAGGAGE_HEADER, name, nameLen);
  else if (sameLiteral(at, kindLen, "tracestate")) addNamed(to, kind.TRACESTATE, TRACESTATE_HEADER, name, nameLen);
  else if (sameLiteral(at, kindLen, "cookie")) addCookie(to, name, nameLen);
  else if (sameLiteral(at, kindLen, "query")) addQuery(to, name, nameLen);
  else if (sameLiteral(at, kindLen, "host")) addHost(to, name, nameLen);
  else if (sameLiteral(at, kindLen, "jwt")) addNamed(to, kind.JWT, TOKEN_HEADER, name, nameLen);
  else unknown(at, len);
}

export function addHeaderValue(to: Writer, name: usize, len: i32): void {
  addHeader(to, kind.HEADER, name, len);
}

export function addCookie(to: Writer, name: usize, len: i32): void {
  addNamed(to, kind.COOKIE, COOKIE_HEADER, name, len);
}

export function addQuery(to: Writer, name: usize, len: i32): void {
  addNamed(to, kind.QUERY, PATH_HEADER, name, len);
}

// A suffix starts at a label's end, with its dot.
function addHost(to: Writer, name: usize, len: i32): void {
  sources++;
  const dot = load<u8>(name) == 46 ? 0 : 1;
  to.u8(kind.HOST).u8(AUTHORITY_HEADER.len).u16(len + dot).constant(AUTHORITY_HEADER);
  if (dot) to.u8(46);
  to.bytes(name, len);
}

function unknown(at: usize, len: i32): void {
  const line = about();
  if (line) line.say('unknown source "').plain(at, len).say('"');
}
