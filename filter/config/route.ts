// One route of the configuration, read field by field, in whatever order they come, and then put into the draft.
import { writer } from "../host/writer";
import { MAX_KEY } from "../../routes/names";
import { isKey } from "../sources/found";
import { NONE } from "../sources/source";
import * as draft from "../table/draft";
import { beginRule, endRule } from "../table/head";
import { parseDate } from "../text/date";
import { hash } from "../text/hash";
import { complain, inField, inSubList } from "./complaint";
import { conditions, readWhen, whenRead } from "./conditions";
import { broken, isField, matched, readText, required, unknownField } from "./fields";
import * as json from "./json";
import { MAX_CLUSTER } from "./limits";
import { readSplit, shareCount, shares } from "./shares";
import { addSource } from "./sources";

const FROM: u32 = 1;
const TO: u32 = 2;
const KEY: u32 = 4;
const WHEN: u32 = 8;
const SPLIT: u32 = 16;
const STICKY: u32 = 32;
const EXPIRES: u32 = 64;

const key = memory.data(MAX_KEY);
let keyLen = 0;
let from: u64 = 0;
let expires: i64 = 0;
const to = writer();
const sticky = writer();
const rule = writer();

export function readRoute(number: i32): void {
  if (!json.accept(123)) {
    if (json.problem == null) complain("expected an object");
    return;
  }
  let seen: u32 = 0;
  expires = 0;
  for (let first = true; json.nextField(first); first = false) {
    inField(null);
    if (isField("from", FROM, seen)) readFrom();
    else if (isField("to", TO, seen)) readTo();
    else if (isField("key", KEY, seen)) readKey();
    else if (isField("when", WHEN, seen)) readWhen();
    else if (isField("split", SPLIT, seen)) readSplit();
    else if (isField("sticky", STICKY, seen)) readSticky();
    else if (isField("expires", EXPIRES, seen)) readExpires();
    else unknownField();
    if (broken()) return;
    seen |= matched;
    inSubList(null, -1);
  }
  inField(null);
  if (json.problem == null) addRoute(number, seen);
}

function addRoute(number: i32, seen: u32): void {
  const kinds = seen & (KEY | WHEN | SPLIT);
  if (!(seen & FROM)) return required("from");
  if (popcnt(kinds) != 1) return complain("exactly one of key, when, split is needed");
  if (kinds == SPLIT) {
    if (seen & TO) {
      inField("to");
      return complain("a split names its targets itself");
    }
  } else if (!(seen & TO)) return required("to");
  if (seen & STICKY && kinds != SPLIT) {
    inField("sticky");
    return complain("only for a split");
  }

  if (kinds == KEY) draft.addKeyRoute(number, from, expires, key, keyLen, to);
  else if (kinds == WHEN) {
    beginRule(rule, conditions, from, expires);
    rule.u16(to.len).bytes(to.at, to.len).bytes(whenRead.at, whenRead.len);
    endRule(rule);
    draft.addWhen(rule);
  } else {
    beginRule(rule, shareCount, from, expires);
    if (seen & STICKY) rule.bytes(sticky.at, sticky.len);
    else rule.u8(NONE).u8(0).u16(0);
    rule.bytes(shares.at, shares.len);
    endRule(rule);
    draft.addSplit(rule);
  }
}

function readFrom(): void {
  if (readText("from", MAX_CLUSTER)) from = hash(json.text, json.textLen);
}

function readTo(): void {
  if (readText("to", MAX_CLUSTER)) to.clear().bytes(json.text, json.textLen);
}

function readKey(): void {
  if (!readText("key", MAX_KEY)) return;
  if (!isKey(json.text, json.textLen)) return complain("a key is printable ASCII without space, comma and semicolon");
  keyLen = json.textLen;
  memory.copy(key, json.text, keyLen);
}

function readSticky(): void {
  if (readText("sticky", json.LONGEST_TEXT)) addSource(sticky.clear(), json.text, json.textLen);
}

function readExpires(): void {
  if (!readText("expires", 64)) return;
  expires = parseDate(json.text, json.textLen);
  if (expires <= 0) complain("expected a date like 2030-01-31T12:00:00Z");
}
