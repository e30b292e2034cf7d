// One route of the configuration, read field by field, in whatever order they come, and then put into the builder.
import { MAX_CLUSTER, MAX_KEY, MAX_TEXT } from "../../routes/model/names";
import { writer } from "../host/writer";
import { isKey } from "../sources/candidate";
import { NONE, afterSource } from "../sources/source";
import * as builder from "../table/builder";
import { writeEntry } from "../table/entry";
import { beginRule, endRule, writeConditions } from "../table/rule";
import { parseDate } from "../text/date";
import { hash } from "../text/hash";
import { report, reported, inField, inSubList } from "./diagnostic";
import { conditions, readWhen } from "./conditions";
import { broken, isNamed, noteField, openObject, readCluster, readText, readWord, required } from "./fields";
import * as json from "./json";
import { readSplit, shareCount, shares } from "./shares";
import { addSource } from "./sources";

const FROM: u32 = 1;
const TO: u32 = 2;
const KEY: u32 = 4;
const WHEN: u32 = 8;
const SPLIT: u32 = 16;
const STICKY: u32 = 32;
const EXPIRES: u32 = 64;
const MISSING: u32 = 128;

const key = memory.data(MAX_KEY);
let keyLen = 0;
let from: u64 = 0;
let expires: i64 = 0;
let fails = false;
const to = writer();
const sticky = writer();
const rule = writer();
const entry = writer();

function routeField(): u32 {
  if (isNamed("from")) return FROM;
  if (isNamed("key")) return KEY;
  if (isNamed("to")) return TO;
  if (isNamed("when")) return WHEN;
  if (isNamed("split")) return SPLIT;
  if (isNamed("sticky")) return STICKY;
  if (isNamed("missing")) return MISSING;
  return isNamed("expires") ? EXPIRES : 0;
}

export function readRoute(number: i32): void {
  if (!openObject()) return;
  let seen: u32 = 0;
  expires = 0;
  fails = false;
  for (let first = true; json.nextField(first); first = false) {
    const field = routeField();
    seen = noteField(seen, field);
    if (broken()) return;
    if (field == FROM) readFrom();
    else if (field == TO) readTo();
    else if (field == KEY) readKey();
    else if (field == WHEN) readWhen();
    else if (field == SPLIT) readSplit();
    else if (field == STICKY) readSticky();
    else if (field == MISSING) readMissing();
    else readExpires();
    if (broken()) return;
    inSubList(null, -1);
  }
  inField(null);
  if (json.problem == null && isWhole(seen)) addRoute(number, seen);
}

// Reports a field that is missing, or that does not go with the others.
function isWhole(seen: u32): bool {
  if (!(seen & FROM)) required("from");
  else if (!(seen & (KEY | WHEN | SPLIT))) report("one of key, when, split is needed");
  else if ((seen & (KEY | SPLIT)) == (KEY | SPLIT)) {
    inField("split");
    report("a route with a key has one target; write to");
  } else if (!(seen & (SPLIT | TO))) required("to");
  else if ((seen & (SPLIT | TO)) == (SPLIT | TO)) {
    inField("to");
    report("a split names its targets itself");
  } else if (seen & STICKY && !(seen & SPLIT)) {
    inField("sticky");
    report("only for a split");
  }
  return !reported();
}

function addRoute(number: i32, seen: u32): void {
  if (!(seen & WHEN)) conditions.clear();
  if (seen & KEY) {
    writeEntry(entry.clear(), from, expires, fails, key, keyLen, to, conditions);
    return builder.addKeyRoute(number, entry);
  }
  beginRule(rule, seen & SPLIT ? shareCount : 0, fails, from, expires);
  writeConditions(rule, conditions);
  if (!(seen & SPLIT)) rule.u16(to.len).bytes(to.at, to.len);
  else {
    if (seen & STICKY) rule.bytes(sticky.at, sticky.len);
    else rule.u8(NONE).u8(0).u16(0);
    rule.bytes(shares.at, shares.len);
  }
  endRule(rule);
  if (seen & WHEN) builder.addWhen(rule);
  else builder.addSplit(rule);
}

function readFrom(): void {
  if (readCluster("from", MAX_CLUSTER)) from = hash(json.text, json.textLen);
}

function readTo(): void {
  if (readCluster("to", MAX_CLUSTER)) to.clear().bytes(json.text, json.textLen);
}

function readKey(): void {
  if (!readText("key", MAX_KEY)) return;
  if (!isKey(json.text, json.textLen)) return report("a key is printable ASCII without space, comma and semicolon");
  keyLen = json.textLen;
  memory.copy(key, json.text, keyLen);
}

function readSticky(): void {
  if (!readText("sticky", MAX_TEXT)) return;
  addSource(sticky.clear(), json.text, json.textLen);
  if (!reported() && afterSource(sticky.at) != sticky.at + sticky.len) report("one source is needed, not several");
}

function readExpires(): void {
  if (!readText("expires", 64)) return;
  expires = parseDate(json.text, json.textLen);
  if (expires <= 0) report("expected a date like 2030-01-31T12:00:00Z");
}

function readMissing(): void {
  const expected = "expected fail or baseline";
  if (!readWord("missing", expected)) return;
  fails = isNamed("fail");
  if (!fails && !isNamed("baseline")) report(expected);
}
