// `link` of the configuration: the query parameter that names a key, and the cookie by which it sticks; link/options.ts shows what becomes of it.
import { LINK_NAME, LINK_SECONDS, MAX_CLUSTER, MAX_LINK_SECONDS, MAX_NAME } from "../../routes/model/names";
import { Writer, writer } from "../host/writer";
import { ALWAYS, AUTO, NEVER, OPTIONS_FIXED } from "../link/options";
import { LINK } from "../sources/source";
import { links } from "../table/builder";
import {
  DELETE,
  DOT,
  LOWER_A,
  LOWER_F,
  LOWER_T,
  MINUS,
  SEMICOLON,
  SLASH,
  SPACE,
  TILDE,
  UNDERSCORE,
  ZERO,
} from "../text/ascii";
import { is, lower } from "../text/bytes";
import { inField, inList, report } from "./diagnostic";
import { broken, isNamed, noteField, openObject, readText, readWhole, readWord } from "./fields";
import * as json from "./json";
import { addCookie } from "./sources";

const QUERY: u32 = 1;
const COOKIE_NAME: u32 = 2;
const SECONDS: u32 = 4;
const SAME_SITE: u32 = 8;
const SECURE: u32 = 16;
const PATH: u32 = 32;

const query = writer();
const cookie = writer();
const sameSite = writer();
const path = writer();
const attributes = writer();
let seconds = 0;
let secure: u32 = AUTO;

export function readLink(): void {
  inList("link", -1);
  query.clear().say(LINK_NAME);
  cookie.clear().say(LINK_NAME);
  sameSite.clear().say("Lax");
  path.clear().say("/");
  seconds = LINK_SECONDS;
  secure = AUTO;
  const next = json.peek();
  const isOn = next == LOWER_T || next == LOWER_F ? json.readBool() > 0 : readOptions();
  if (isOn && !broken()) addLink();
}

function linkField(): u32 {
  if (isNamed("query")) return QUERY;
  if (isNamed("cookie")) return COOKIE_NAME;
  if (isNamed("seconds")) return SECONDS;
  if (isNamed("sameSite")) return SAME_SITE;
  if (isNamed("secure")) return SECURE;
  return isNamed("path") ? PATH : 0;
}

function readOptions(): bool {
  if (!openObject("expected true, false or an object")) return false;
  let seen: u32 = 0;
  for (let first = true; json.nextField(first); first = false) {
    const field = linkField();
    seen = noteField(seen, field);
    if (broken()) return false;
    if (field == QUERY) readName("query", query);
    else if (field == COOKIE_NAME) readName("cookie", cookie);
    else if (field == SECONDS) seconds = readWhole("seconds", 1, MAX_LINK_SECONDS);
    else if (field == SAME_SITE) readSameSite();
    else if (field == SECURE) readSecure();
    else readPath();
    if (broken()) return false;
    inList("link", -1);
  }
  if (isNone() && secure == NEVER) {
    inField("secure");
    report("a cookie of SameSite=None has to be secure");
  }
  return true;
}

// A name that neither a query nor a cookie would have to escape.
function readName(name: Bytes, to: Writer): void {
  if (!readText(name, MAX_NAME)) return;
  for (let i = 0; i < json.textLen; i++) {
    const c: u32 = load<u8>(json.text + i);
    if (lower(c) - LOWER_A < 26 || c - ZERO < 10 || c == MINUS || c == DOT || c == UNDERSCORE || c == TILDE) continue;
    return report("expected a name of letters, digits, - . _ ~");
  }
  to.clear().bytes(json.text, json.textLen);
}

function readSameSite(): void {
  const expected = "expected Lax, Strict or None";
  if (!readWord("sameSite", expected)) return;
  if (isNamed("Lax") || isNamed("Strict") || isNamed("None")) sameSite.clear().bytes(json.text, json.textLen);
  else report(expected);
}

function isNone(): bool {
  return is(sameSite.at, sameSite.len, "None");
}

function readSecure(): void {
  const expected = "expected true, false or auto";
  inField("secure");
  const next = json.peek();
  if (next == LOWER_T || next == LOWER_F) secure = json.readBool() > 0 ? ALWAYS : NEVER;
  else if (readWord("secure", expected)) {
    if (isNamed("auto")) secure = AUTO;
    else report(expected);
  }
}

function readPath(): void {
  if (!readText("path", MAX_CLUSTER)) return;
  if (load<u8>(json.text) != SLASH) return report("expected a path that begins with /");
  for (let i = 0; i < json.textLen; i++) {
    const c: i32 = load<u8>(json.text + i);
    if (c <= SPACE || c >= DELETE || c == SEMICOLON)
      return report("expected printable ASCII without spaces and semicolons");
  }
  path.clear().bytes(json.text, json.textLen);
}

// Browsers keep no cookie of SameSite=None that is not secure.
function addLink(): void {
  attributes.clear().say("; Path=").bytes(path.at, path.len).say("; SameSite=").bytes(sameSite.at, sameSite.len);
  attributes.say("; HttpOnly");
  links
    .clear()
    .u8(LINK)
    .u8(query.len)
    .u16(OPTIONS_FIXED + cookie.len + attributes.len)
    .bytes(query.at, query.len);
  links
    .u32(seconds)
    .u8(isNone() ? ALWAYS : secure)
    .u8(cookie.len)
    .bytes(cookie.at, cookie.len);
  links.bytes(attributes.at, attributes.len);
  addCookie(links, cookie.at, cookie.len);
}
