// `trace` of the configuration: how the keys of traces are remembered; trace/options.ts shows what becomes of it.
import { INBOUND, OUTBOUND } from "../host/directions";
import {
  LEAST_TRACE_ENTRIES,
  MAX_TRACE_ENTRIES,
  MAX_TRACE_SECONDS,
  TRACE_ENTRIES,
  TRACE_SECONDS,
} from "../../routes/model/names";
import { Writer, writer } from "../host/writer";
import { TRACE } from "../sources/source";
import { TRACE_BUCKETS } from "../table/names";
import { QUOTE } from "../text/ascii";
import { HEADERS, headerNamed } from "../trace/headers";
import { beginReport, inList, inSubList, report, reportMoreThan, reported } from "./diagnostic";
import { broken, isNamed, noteField, openList, openObject, readWhole, readWord } from "./fields";
import * as json from "./json";

const IDS: u32 = 1;
const SECONDS: u32 = 2;
const ENTRIES: u32 = 4;
const DIRECTION: u32 = 8;

const ids = writer();
let seconds = 0;
let entries = 0;
let direction: u32 = 0;
let isSet = false;

/** How often `trace` stands among the keys. */
export let traces = 0;

export function clearTrace(): void {
  traces = 0;
  isSet = false;
  ids.clear();
  seconds = TRACE_SECONDS;
  entries = TRACE_ENTRIES;
  direction = 0;
}

/** Reports settings of a memory that there is not. */
export function reportUnusedTrace(): void {
  if (!isSet || traces != 0) return;
  inList("trace", -1);
  report("only where trace is among the keys");
}

export function addTrace(): void {
  traces++;
}

/** Adds what `trace` among the keys stands for, once everything has been read. */
export function addTraceSource(to: Writer): void {
  if (ids.len == 0) for (let which = 0; which < HEADERS; which++) ids.u8(which);
  to.u8(TRACE)
    .u8(0)
    .u16(4 + ids.len)
    .u16(seconds)
    .u8((entries + TRACE_BUCKETS - 1) / TRACE_BUCKETS)
    .u8(direction)
    .bytes(ids.at, ids.len);
}

function traceField(): u32 {
  if (isNamed("ids")) return IDS;
  if (isNamed("seconds")) return SECONDS;
  if (isNamed("entries")) return ENTRIES;
  return isNamed("direction") ? DIRECTION : 0;
}

export function readTrace(): void {
  inList("trace", -1);
  if (!openObject()) return;
  isSet = true;
  let seen: u32 = 0;
  for (let first = true; json.nextField(first); first = false) {
    const field = traceField();
    seen = noteField(seen, field);
    if (broken()) return;
    if (field == IDS) readIds();
    else if (field == SECONDS) seconds = readWhole("seconds", 1, MAX_TRACE_SECONDS);
    else if (field == ENTRIES) entries = readWhole("entries", LEAST_TRACE_ENTRIES, MAX_TRACE_ENTRIES);
    else readDirection();
    if (broken()) return;
    inList("trace", -1);
  }
}

function readIds(): void {
  inSubList("ids", -1);
  if (!openList("expected a list of headers")) return;
  let i = 0;
  for (; json.nextItem(i == 0); i++) {
    inSubList("ids", i);
    if (json.peek() != QUOTE) report("expected a header in quotes");
    if (broken()) return;
    json.readString();
    if (json.problem == null) readHeader();
    if (!reported() && i == HEADERS) reportMoreThan(HEADERS, "headers");
    if (broken()) return;
  }
  inSubList("ids", -1);
  if (i == 0) report("at least one header is needed");
}

function readHeader(): void {
  const which = headerNamed(json.text, json.textLen);
  if (which >= 0) {
    ids.u8(which);
    return;
  }
  const line = beginReport();
  if (line) line.say('no header of trace ids that is known: "').plain(json.text, json.textLen).say('"');
}

function readDirection(): void {
  const expected = "expected inbound or outbound";
  if (!readWord("direction", expected)) return;
  if (isNamed("inbound")) direction = INBOUND;
  else if (isNamed("outbound")) direction = OUTBOUND;
  else report(expected);
}
