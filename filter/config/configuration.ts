// The plugin configuration, read once from end to end into the draft. The first thing wrong becomes the complaint, and
// then the draft is worth nothing.
import * as draft from "../table/draft";
import { clearDraft, setExplain } from "../table/draft";
import { about, complain, complained, inField, inList, reset } from "./complaint";
import { broken, isField, matched, readFlag, unknownField } from "./fields";
import * as json from "./json";
import { readRoute } from "./route";
import { addDefaultSource, addSource, resetSources, sources } from "./sources";

const MOST_SOURCES = 64;

export let sourceTotal = 0;

/** Reads the configuration of `size` bytes; only inside on_configure. False when there is a complaint. */
export function readConfiguration(size: u32): bool {
  reset();
  clearDraft();
  resetSources();
  json.openConfiguration(size);
  if (!json.atEnd()) {
    readRoot();
    if (json.problem == null && !complained()) json.expectEnd();
  }
  if (sources == 0 && !complained()) addDefaultSource(draft.sources);
  sourceTotal = sources;
  if (json.problem != null && !complained()) complainOfText();
  if (!complained() && draft.hasDuplicate()) complainOfDuplicate();
  return !complained();
}

function complainOfText(): void {
  reset();
  const line = about();
  if (line) line.say("byte ").number(json.problemAt).say(": ").say(json.problem!);
}

function complainOfDuplicate(): void {
  inList("routes", draft.duplicate);
  const line = about();
  if (line) line.say("same from and key as routes[").number(draft.duplicateOf).say("]");
}

const KEYS: u32 = 1;
const ROUTES: u32 = 2;
const EXPLAIN: u32 = 4;
const STRICT: u32 = 8;

function readRoot(): void {
  if (!json.accept(123)) {
    if (json.problem == null) complain("expected an object");
    return;
  }
  let seen: u32 = 0;
  for (let first = true; json.nextField(first); first = false) {
    if (isField("keys", KEYS, seen)) readKeys();
    else if (isField("routes", ROUTES, seen)) readRoutes();
    else if (isField("explain", EXPLAIN, seen)) setExplain(readFlag("explain"));
    else if (isField("strict", STRICT, seen)) readFlag("strict");
    else unknownField();
    if (broken()) return;
    seen |= matched;
    inList(null, -1);
  }
}

function readKeys(): void {
  inList("keys", -1);
  if (!json.accept(91)) return complain("expected a list of sources");
  for (let i = 0; json.nextItem(i == 0); i++) {
    inList("keys", i);
    if (json.peek() != 34) complain("expected a source in quotes");
    else if (i == MOST_SOURCES) complain("more than 64 sources");
    if (broken()) return;
    json.readString();
    if (json.problem == null) addSource(draft.sources, json.text, json.textLen);
    if (broken()) return;
  }
  if (sources == 0) {
    inList("keys", -1);
    complain("at least one source is needed");
  }
}

function readRoutes(): void {
  inList("routes", -1);
  if (!json.accept(91)) return complain("expected a list of routes");
  for (let i = 0; json.nextItem(i == 0); i++) {
    inList("routes", i);
    readRoute(i);
    if (broken()) return;
  }
}
