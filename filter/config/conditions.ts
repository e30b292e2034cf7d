// The conditions of a `when` route; head.ts shows their layout.
import { writer } from "../host/writer";
import { ABSENT, CONTAINS, EXACT, PREFIX, PRESENT, SUFFIX } from "../table/head";
import { complain, inField, inSubList } from "./complaint";
import { broken, isField, matched, readFlag, readText, unknownField } from "./fields";
import * as json from "./json";
import { addCookie, addHeaderValue, addQuery, isHeaderName } from "./sources";

const MOST = 32;
const LONGEST_NAME = 200;

export let conditions = 0;
export const whenRead = writer();

const HEADER: u32 = 1;
const COOKIE: u32 = 2;
const QUERY: u32 = 4;
const TESTS: u32 = 8 | 16 | 32 | 64 | 128;

const source = writer();
const wanted = writer();

export function readWhen(): void {
  conditions = 0;
  whenRead.clear();
  inSubList("when", -1);
  if (!json.accept(91)) return complain("expected a list of conditions");
  for (; json.nextItem(conditions == 0); conditions++) {
    inSubList("when", conditions);
    if (conditions == MOST) complain("more than 32 conditions");
    else readCondition();
    if (broken()) return;
  }
  inSubList("when", -1);
  if (conditions == 0 && json.problem == null) complain("at least one condition is needed");
}

let test: u32 = 0;

function readCondition(): void {
  if (!json.accept(123)) {
    if (json.problem == null) complain("expected an object");
    return;
  }
  let seen: u32 = 0;
  wanted.clear();
  for (let first = true; json.nextField(first); first = false) {
    inField(null);
    if (isField("header", HEADER, seen)) readHeader();
    else if (isField("cookie", COOKIE, seen)) {
      if (readText("cookie", LONGEST_NAME)) addCookie(source.clear(), json.text, json.textLen);
    } else if (isField("query", QUERY, seen)) {
      if (readText("query", LONGEST_NAME)) addQuery(source.clear(), json.text, json.textLen);
    } else if (isField("exact", 8, seen)) readWanted("exact", EXACT);
    else if (isField("prefix", 16, seen)) readWanted("prefix", PREFIX);
    else if (isField("suffix", 32, seen)) readWanted("suffix", SUFFIX);
    else if (isField("contains", 64, seen)) readWanted("contains", CONTAINS);
    else if (isField("present", 128, seen)) test = readFlag("present") ? PRESENT : ABSENT;
    else unknownField();
    if (broken()) return;
    seen |= matched;
  }
  inField(null);
  if (json.problem != null) return;
  if (popcnt(seen & (HEADER | COOKIE | QUERY)) != 1) return complain("exactly one of header, cookie, query is needed");
  if (popcnt(seen & TESTS) != 1) return complain("exactly one of exact, prefix, suffix, contains, present is needed");
  whenRead.u8(test).bytes(source.at, source.len).u16(wanted.len).bytes(wanted.at, wanted.len);
}

function readHeader(): void {
  if (!readText("header", LONGEST_NAME)) return;
  if (!isHeaderName(json.text, json.textLen)) return complain("not a header's name");
  addHeaderValue(source.clear(), json.text, json.textLen);
}

function readWanted(name: string, kind: u32): void {
  test = kind;
  if (readText(name, json.LONGEST_TEXT)) wanted.clear().bytes(json.text, json.textLen);
}
