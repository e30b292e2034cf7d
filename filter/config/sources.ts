// The source grammar of the configuration: `KIND:NAME` and the presets that stand for one or several of them.
import { MAX_NAME } from "../../routes/model/names";
import { Writer } from "../host/writer";
import * as kind from "../sources/source";
import { COLON, DELETE, DOT, SPACE } from "../text/ascii";
import { find, is, lower } from "../text/bytes";
import * as builder from "../table/builder";
import { beginReport, report } from "./diagnostic";
import { addTrace } from "./trace";

function add(to: Writer, sourceKind: u32, header: Bytes, name: Bytes): bool {
  return addNamed(to, sourceKind, header, name.start, name.len);
}

function addNamed(to: Writer, sourceKind: u32, header: Bytes, name: usize, len: i32): bool {
  to.u8(sourceKind).u8(header.len).u16(len).say(header).bytes(name, len);
  return true;
}

// A header's values, or the pairs of an override header: what is looked for is the header itself.
function addHeaderOf(to: Writer, sourceKind: u32, name: usize, len: i32): bool {
  if (!isHeaderName(name, len)) {
    report("not a header's name");
    return true;
  }
  to.u8(sourceKind).u8(len).u16(0);
  const at = to.room(len);
  for (let i = 0; i < len; i++) store<u8>(at + i, <u8>lower(load<u8>(name + i)));
  return true;
}

export function addDefaultSource(to: Writer): void {
  add(to, kind.HEADER, "x-routing-key", "");
}

export function addHeader(to: Writer, name: usize, len: i32): bool {
  return addHeaderOf(to, kind.HEADER, name, len);
}

export function addCookie(to: Writer, name: usize, len: i32): bool {
  return addNamed(to, kind.COOKIE, "cookie", name, len);
}

export function addQuery(to: Writer, name: usize, len: i32): bool {
  return addNamed(to, kind.QUERY, ":path", name, len);
}

// A suffix starts at a label's end, with its dot.
function addHost(to: Writer, name: usize, len: i32): bool {
  const header: Bytes = ":authority";
  const dot = load<u8>(name) == DOT ? 0 : 1;
  to.u8(kind.HOST)
    .u8(header.len)
    .u16(len + dot)
    .say(header);
  if (dot) to.u8(DOT);
  to.bytes(name, len);
  return true;
}

/** A part of the request that conditions look at: `path`, `method`, `host` or `caller`; false for any other name. */
export function addRequestPart(to: Writer, name: usize, len: i32): bool {
  if (is(name, len, "path")) return add(to, kind.PATH_PART, ":path", "");
  if (is(name, len, "method")) return add(to, kind.HEADER, ":method", "");
  if (is(name, len, "host")) return add(to, kind.HOST_PART, ":authority", "");
  return is(name, len, "caller") && add(to, kind.CALLER, "", "");
}

function addPreset(to: Writer, at: usize, len: i32): bool {
  if (is(at, len, "signadot")) {
    add(to, kind.BAGGAGE, "baggage", "sd-routing-key");
    add(to, kind.TRACESTATE, "tracestate", "sd-routing-key");
    add(to, kind.HEADER, "ot-baggage-sd-routing-key", "");
    add(to, kind.HEADER, "uberctx-sd-routing-key", "");
    add(to, kind.BAGGAGE, "baggage", "sd-sandbox");
    add(to, kind.TRACESTATE, "tracestate", "sd-sandbox");
    add(to, kind.HEADER, "ot-baggage-sd-sandbox", "");
    return add(to, kind.HEADER, "uberctx-sd-sandbox", "");
  }
  if (is(at, len, "mirrord")) {
    add(to, kind.BAGGAGE, "baggage", "mirrord-session");
    add(to, kind.TRACESTATE, "tracestate", "mirrord-session");
    add(to, kind.COOKIE, "cookie", "mirrord-session");
    return add(to, kind.QUERY, ":path", "mirrord-session");
  }
  if (is(at, len, "trace")) {
    if (to == builder.sources) addTrace();
    else report("trace is a source of keys alone");
    return true;
  }
  if (is(at, len, "bridge")) return add(to, kind.HEADER, "kubernetes-route-as", "");
  if (is(at, len, "overrides")) return add(to, kind.OVERRIDES, "x-override", "");
  if (is(at, len, "okteto")) return add(to, kind.BAGGAGE, "baggage", "okteto-divert");
  if (is(at, len, "telepresence")) return add(to, kind.HEADER, "x-telepresence-intercept-id", "");
  return false;
}

/** Adds the sources of all systems that have a preset. */
export function addPresets(to: Writer): void {
  addPresetNamed(to, "signadot");
  addPresetNamed(to, "mirrord");
  addPresetNamed(to, "bridge");
  addPresetNamed(to, "overrides");
  addPresetNamed(to, "okteto");
  addPresetNamed(to, "telepresence");
}

function addPresetNamed(to: Writer, name: Bytes): void {
  addPreset(to, name.start, name.len);
}

// False for a kind that there is not.
function addKind(to: Writer, at: usize, kindLen: i32, name: usize, len: i32): bool {
  if (is(at, kindLen, "header")) return addHeader(to, name, len);
  if (is(at, kindLen, "overrides")) return addHeaderOf(to, kind.OVERRIDES, name, len);
  if (is(at, kindLen, "baggage")) return addNamed(to, kind.BAGGAGE, "baggage", name, len);
  if (is(at, kindLen, "tracestate")) return addNamed(to, kind.TRACESTATE, "tracestate", name, len);
  if (is(at, kindLen, "cookie")) return addCookie(to, name, len);
  if (is(at, kindLen, "query")) return addQuery(to, name, len);
  if (is(at, kindLen, "host")) return addHost(to, name, len);
  if (is(at, kindLen, "jwt")) return addNamed(to, kind.JWT, "authorization", name, len);
  return false;
}

/** Adds what `KIND:NAME` or a preset stands for, or reports what is wrong with it. */
export function addSource(to: Writer, at: usize, len: i32): void {
  const colon = find(at, at + len, COLON);
  const name = colon + 1;
  const nameLen = <i32>(at + len - name);
  if (nameLen == 0) return report("a source needs a name after its colon");
  if (nameLen > MAX_NAME) {
    const line = beginReport();
    if (line) line.say("a source's name has at most ").number(MAX_NAME).say(" bytes");
    return;
  }
  if (nameLen < 0 ? addPreset(to, at, len) : addKind(to, at, <i32>(colon - at), name, nameLen)) return;
  const line = beginReport();
  if (line) line.say('unknown source "').plain(at, len).say('"');
}

/** Token characters of RFC 9110; a pseudo-header begins with a colon. */
export function isHeaderName(at: usize, len: i32): bool {
  const separators = '"(),/;<=>?@[\\]{}';
  const separatorsEnd = separators.start + separators.len;
  for (let i = 0; i < len; i++) {
    const c: i32 = load<u8>(at + i);
    if (c <= SPACE || c >= DELETE || (c == COLON && i > 0)) return false;
    if (find(separators.start, separatorsEnd, c) != separatorsEnd) return false;
  }
  return true;
}
