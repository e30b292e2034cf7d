// The plugin configuration, read once from end to end into the table builder. The first mistake becomes the diagnostic; what the
// builder holds then must not be published.
import { MAX_SOURCES } from "../../routes/model/names";
import * as builder from "../table/builder";
import { beginReport, report, reportMoreThan, reported, inList, reset } from "./diagnostic";
import { ACCEPT_NONE, acceptOf } from "../edge/options";
import { isKey } from "../sources/candidate";
import { QUOTE } from "../text/ascii";
import { readEdge } from "./edge";
import { addDefaultForm, readEmit } from "./emit";
import { broken, isNamed, noteField, openList, openObject, readFlag, readWord } from "./fields";
import * as json from "./json";
import { readLink } from "./link";
import { readRoute } from "./route";
import { addDefaultSource, addSource } from "./sources";
import { readTable } from "./table";
import { addTraceSource, clearTrace, readTrace, reportUnusedTrace, traces } from "./trace";

const KEYS: u32 = 1;
const ROUTES: u32 = 2;
const EXPLAIN: u32 = 4;
const STRICT: u32 = 8;
const HOP_MARK: u32 = 16;
const HIERARCHY: u32 = 32;
const TABLE: u32 = 64;
const EMIT: u32 = 128;
const TRACE: u32 = 256;
const LINK: u32 = 512;
const EDGE: u32 = 1024;

/** Reads the configuration of `size` bytes; only inside on_configure. False when there is a diagnostic. */
export function readConfiguration(size: u32): bool {
  reset();
  builder.clear();
  clearTrace();
  json.openConfiguration(size);
  if (!json.atEnd()) readRoot();
  if (json.problem != null) reportSyntax();
  else if (builder.hasDuplicate()) reportDuplicate();
  else reportUnused();
  if (builder.sources.len == 0 && traces == 0) addDefaultSource(builder.sources);
  if (traces != 0) {
    if (builder.forms.len == 0) addDefaultForm();
    addTraceSource(builder.trace);
  }
  return !reported();
}

// Reports the first of the settings that have no effect beside the others.
function reportUnused(): void {
  reportUnusedTrace();
  if (builder.links.len == 0 || builder.edge.len == 0 || acceptOf(builder.edge.at) != ACCEPT_NONE) return;
  inList("link", -1);
  report("there are no links where edge accepts no key");
}

function reportSyntax(): void {
  inList(null, -1);
  const line = beginReport();
  if (line) line.say("byte ").number(json.problemAt).say(": ").say(json.problem!);
}

function reportDuplicate(): void {
  inList("routes", builder.duplicate);
  const line = beginReport();
  if (!line) return;
  line.say(
    builder.duplicateIsConditional ? "same from, key and conditions as routes[" : "same from and key as routes[",
  );
  line.number(builder.duplicateOf).say("]");
}

function rootField(): u32 {
  if (isNamed("keys")) return KEYS;
  if (isNamed("routes")) return ROUTES;
  if (isNamed("explain")) return EXPLAIN;
  if (isNamed("hopMark")) return HOP_MARK;
  if (isNamed("hierarchy")) return HIERARCHY;
  if (isNamed("table")) return TABLE;
  if (isNamed("emit")) return EMIT;
  if (isNamed("trace")) return TRACE;
  if (isNamed("link")) return LINK;
  if (isNamed("edge")) return EDGE;
  return isNamed("strict") ? STRICT : 0;
}

function readRoot(): void {
  if (!openObject()) return;
  let seen: u32 = 0;
  for (let first = true; json.nextField(first); first = false) {
    const field = rootField();
    seen = noteField(seen, field);
    if (broken()) return;
    if (field == KEYS) readKeys();
    else if (field == ROUTES) readRoutes();
    else if (field == EXPLAIN) builder.setExplain(readFlag("explain"));
    else if (field == HOP_MARK) readHopMark();
    else if (field == HIERARCHY) readHierarchy();
    else if (field == TABLE) readTable();
    else if (field == EMIT) readEmit();
    else if (field == TRACE) readTrace();
    else if (field == LINK) readLink();
    else if (field == EDGE) readEdge();
    else readFlag("strict");
    if (broken()) return;
    inList(null, -1);
  }
  json.expectEnd();
}

function readHopMark(): void {
  const expected = "expected filter or route";
  if (!readWord("hopMark", expected)) return;
  if (isNamed("route")) builder.setRouteAddsMark(true);
  else if (!isNamed("filter")) report(expected);
}

function readHierarchy(): void {
  const expected = "expected one character that a key may contain";
  if (!readWord("hierarchy", expected)) return;
  if (json.textLen == 1 && isKey(json.text, 1)) builder.setHierarchy(load<u8>(json.text));
  else report(expected);
}

function readKeys(): void {
  inList("keys", -1);
  if (!openList("expected a list of sources")) return;
  let i = 0;
  for (; json.nextItem(i == 0); i++) {
    inList("keys", i);
    if (json.peek() != QUOTE) report("expected a source in quotes");
    if (broken()) return;
    json.readString();
    if (json.problem == null) addSource(builder.sources, json.text, json.textLen);
    if (!reported() && builder.sourceCount() + traces > MAX_SOURCES) reportMoreThan(MAX_SOURCES, "sources");
    if (broken()) return;
  }
  inList("keys", -1);
  if (i == 0) report("at least one source is needed");
}

function readRoutes(): void {
  inList("routes", -1);
  if (!openList("expected a list of routes")) return;
  for (let i = 0; json.nextItem(i == 0); i++) {
    inList("routes", i);
    readRoute(i);
    if (broken()) return;
  }
}
