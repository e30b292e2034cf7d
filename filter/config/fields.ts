// What the readers of the configuration's objects share: taking note of fields, and reading the values of some.
import { DELETE, OPEN_BRACE, OPEN_BRACKET, QUOTE, SPACE } from "../text/ascii";
import { is } from "../text/bytes";
import { beginReport, report, reported, inField } from "./diagnostic";
import * as json from "./json";

/** Whether the field just read is called `name`. */
export function isNamed(name: Bytes): bool {
  return is(json.text, json.textLen, name);
}

/** `seen` with the field's bit. Reports a field that is there already, and of one that is unknown (0). */
export function noteField(seen: u32, bit: u32): u32 {
  inField(null);
  if (bit == 0) {
    const line = beginReport();
    if (line) line.say('unknown field "').plain(json.text, json.textLen).say('"');
  } else if (seen & bit) {
    const line = beginReport();
    if (line) line.say('the field "').plain(json.text, json.textLen).say('" is there twice');
  }
  return seen | bit;
}

export function broken(): bool {
  return reported() || json.problem != null;
}

/** Takes an object's `{`; reports anything else. */
export function openObject(expected: Bytes = "expected an object"): bool {
  if (json.accept(OPEN_BRACE)) return true;
  if (json.problem == null) report(expected);
  return false;
}

/** Takes a list's `[`; reports anything else. */
export function openList(what: Bytes): bool {
  if (json.accept(OPEN_BRACKET)) return true;
  if (json.problem == null) report(what);
  return false;
}

/** Reads `true` or `false`; reports anything else. */
export function readFlag(name: Bytes): bool {
  inField(name);
  const flag = json.readBool();
  if (flag < 0 && json.problem == null) report("expected true or false");
  return flag > 0;
}

/** Reads a whole number; reports anything else. */
export function readWhole(name: Bytes, least: i32, most: i32): i32 {
  inField(name);
  const value = json.readDecimal();
  if (json.problem != null || (value % 10000 == 0 && value >= <i64>least * 10000 && value <= <i64>most * 10000))
    return <i32>(value / 10000);
  const line = beginReport();
  if (line) line.say("expected a whole number from ").number(least).say(" to ").number(most);
  return 0;
}

/** Reads one of a few words, for the caller to tell which; reports `expected` for what is no string. */
export function readWord(name: Bytes, expected: Bytes): bool {
  inField(name);
  if (json.peek() == QUOTE) json.readString();
  else if (json.problem == null) report(expected);
  return !broken();
}

/** Reads a string of `least` to `most` bytes into (`json.text`, `json.textLen`). */
export function readText(name: Bytes, most: i32, least: i32 = 1): bool {
  inField(name);
  if (json.peek() != QUOTE) {
    if (json.problem == null) report("expected a text in quotes");
    return false;
  }
  json.readString();
  if (json.problem != null) return false;
  if (json.textLen < least) report("empty");
  else if (json.textLen > most || json.textCut) {
    const line = beginReport();
    if (line) line.say("longer than ").number(most).say(" bytes");
  }
  return !reported();
}

/** Reads the name of a cluster. It may become a header's value, so it has no control characters. */
export function readCluster(name: Bytes, most: i32): bool {
  if (!readText(name, most)) return false;
  for (let i = 0; i < json.textLen; i++) {
    const c: i32 = load<u8>(json.text + i);
    if (c >= SPACE && c != DELETE) continue;
    report("a control character in a name");
    return false;
  }
  return true;
}

export function required(name: Bytes): void {
  inField(name);
  report("required");
}
