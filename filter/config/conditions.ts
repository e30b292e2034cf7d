// The conditions of a route; table/rule.ts shows their layout.
import { MAX_CONDITIONS, MAX_NAME, MAX_TEXT } from "../../routes/model/names";
import { writer } from "../host/writer";
import { ABSENT, CONTAINS, EXACT, NOT, PREFIX, PRESENT, SUFFIX } from "../table/rule";
import { report, reportMoreThan, inField, inSubList } from "./diagnostic";
import { broken, isNamed, noteField, openList, openObject, readFlag, readText, readWord } from "./fields";
import * as json from "./json";
import { addCookie, addHeader, addQuery, addRequestPart } from "./sources";

export const conditions = writer();
let conditionCount = 0;

const HEADER: u32 = 1;
const COOKIE: u32 = 2;
const QUERY: u32 = 4;
const REQUEST: u32 = 8;
const TURNED: u32 = 16;
const PRESENCE: u32 = 32;
/** The bit of a comparison is this, shifted by its number in rule.ts. */
const COMPARISON: u32 = 64;
const SUBJECTS = HEADER | COOKIE | QUERY | REQUEST;

const source = writer();
const wanted = writer();
let test: u32 = 0;

export function readWhen(): void {
  conditionCount = 0;
  conditions.clear();
  inSubList("when", -1);
  if (!openList("expected a list of conditions")) return;
  for (; json.nextItem(conditionCount == 0); conditionCount++) {
    inSubList("when", conditionCount);
    if (conditionCount == MAX_CONDITIONS) reportMoreThan(MAX_CONDITIONS, "conditions");
    else readCondition();
    if (broken()) return;
  }
  inSubList("when", -1);
  if (conditionCount == 0 && json.problem == null) report("at least one condition is needed");
}

function conditionField(): u32 {
  if (isNamed("header")) return HEADER;
  if (isNamed("cookie")) return COOKIE;
  if (isNamed("query")) return QUERY;
  if (isNamed("request")) return REQUEST;
  if (isNamed("not")) return TURNED;
  if (isNamed("present")) return PRESENCE;
  if (isNamed("exact")) return COMPARISON << EXACT;
  if (isNamed("prefix")) return COMPARISON << PREFIX;
  if (isNamed("suffix")) return COMPARISON << SUFFIX;
  return isNamed("contains") ? COMPARISON << CONTAINS : 0;
}

function readCondition(): void {
  if (!openObject()) return;
  let seen: u32 = 0;
  let turned: u32 = 0;
  wanted.clear();
  for (let first = true; json.nextField(first); first = false) {
    const field = conditionField();
    seen = noteField(seen, field);
    if (broken()) return;
    if (field == HEADER) {
      if (readText("header", MAX_NAME)) addHeader(source.clear(), json.text, json.textLen);
    } else if (field == COOKIE) {
      if (readText("cookie", MAX_NAME)) addCookie(source.clear(), json.text, json.textLen);
    } else if (field == QUERY) {
      if (readText("query", MAX_NAME)) addQuery(source.clear(), json.text, json.textLen);
    } else if (field == REQUEST) readRequestPart();
    else if (field == TURNED) turned = readFlag("not") ? NOT : 0;
    else if (field == PRESENCE) test = readFlag("present") ? PRESENT : ABSENT;
    else readWanted(ctz(field / COMPARISON));
    if (broken()) return;
  }
  inField(null);
  if (json.problem != null) return;
  if (popcnt(seen & SUBJECTS) != 1) report("exactly one of header, cookie, query, request is needed");
  else if (popcnt(seen & ~TURNED) != 2) report("exactly one of exact, prefix, suffix, contains, present is needed");
  else
    conditions
      .u8(test | turned)
      .bytes(source.at, source.len)
      .u16(wanted.len)
      .bytes(wanted.at, wanted.len);
}

function readRequestPart(): void {
  const expected = "expected path, method, host or caller";
  if (readWord("request", expected) && !addRequestPart(source.clear(), json.text, json.textLen)) report(expected);
}

function readWanted(comparison: u32): void {
  test = comparison;
  const name: Bytes =
    comparison == EXACT ? "exact" : comparison == PREFIX ? "prefix" : comparison == SUFFIX ? "suffix" : "contains";
  if (readText(name, MAX_TEXT)) wanted.clear().bytes(json.text, json.textLen);
}
