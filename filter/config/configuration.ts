// The plugin configuration, read once from end to end into the draft. The first thing wrong becomes the complaint, and
// then the draft is worth nothing.
import { MAX_SOURCES } from "../../routes/model/names";
import * as draft from "../table/draft";
import { about, complain, complained, inList, reset } from "./complaint";
import { broken, isNamed, noteField, openList, openObject, readFlag } from "./fields";
import * as json from "./json";
import { readRoute } from "./route";
import { addDefaultSource, addSource } from "./sources";

const KEYS: u32 = 1;
const ROUTES: u32 = 2;
const EXPLAIN: u32 = 4;
const STRICT: u32 = 8;

/** Reads the configuration of `size` bytes; only inside on_configure. False when there is a complaint. */
export function readConfiguration(size: u32): bool {
  reset();
  draft.clearDraft();
  json.openConfiguration(size);
  if (!json.atEnd()) readRoot();
  if (json.problem != null) complainOfText();
  else if (draft.hasDuplicate()) complainOfDuplicate();
  if (draft.sources.len == 0) addDefaultSource(draft.sources);
  return !complained();
}

function complainOfText(): void {
  inList(null, -1);
  const line = about();
  if (line) line.say("byte ").number(json.problemAt).say(": ").say(json.problem!);
}

function complainOfDuplicate(): void {
  inList("routes", draft.duplicate);
  const line = about();
  if (line) line.say("same from and key as routes[").number(draft.duplicateOf).say("]");
}

function rootField(): u32 {
  if (isNamed("keys")) return KEYS;
  if (isNamed("routes")) return ROUTES;
  if (isNamed("explain")) return EXPLAIN;
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
    else if (field == EXPLAIN) draft.setExplain(readFlag("explain"));
    else readFlag("strict");
    if (broken()) return;
    inList(null, -1);
  }
  json.expectEnd();
}

function readKeys(): void {
  inList("keys", -1);
  if (!openList("expected a list of sources")) return;
  let i = 0;
  for (; json.nextItem(i == 0); i++) {
    inList("keys", i);
    if (json.peek() != 34) complain("expected a source in quotes");
    if (broken()) return;
    json.readString();
    if (json.problem == null) addSource(draft.sources, json.text, json.textLen);
    if (!complained() && draft.sourceCount() > MAX_SOURCES) complain("more than 64 sources");
    if (broken()) return;
  }
  inList("keys", -1);
  if (i == 0) complain("at least one source is needed");
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
