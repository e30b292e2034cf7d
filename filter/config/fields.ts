// What the readers of the configuration's objects share: taking note of fields, and reading the values of some.
import { is } from "../text/bytes";
import { about, complain, complained, inField } from "./complaint";
import * as json from "./json";

/** Whether the field just read is called `name`. */
export function isNamed(name: Bytes): bool {
  return is(json.text, json.textLen, name);
}

/** `seen` with the field's bit. Complains of a field that is there already, and of one that is unknown (0). */
export function noteField(seen: u32, bit: u32): u32 {
  inField(null);
  if (bit == 0) {
    const line = about();
    if (line) line.say('unknown field "').plain(json.text, json.textLen).say('"');
  } else if (seen & bit) {
    const line = about();
    if (line) line.say('the field "').plain(json.text, json.textLen).say('" is there twice');
  }
  return seen | bit;
}

export function broken(): bool {
  return complained() || json.problem != null;
}

/** Takes an object's `{`; complains of anything else. */
export function openObject(): bool {
  if (json.accept(123)) return true;
  if (json.problem == null) complain("expected an object");
  return false;
}

/** Takes a list's `[`; complains of anything else. */
export function openList(what: Bytes): bool {
  if (json.accept(91)) return true;
  if (json.problem == null) complain(what);
  return false;
}

/** Reads `true` or `false`; complains of anything else. */
export function readFlag(name: Bytes): bool {
  inField(name);
  const flag = json.readBool();
  if (flag < 0 && json.problem == null) complain("expected true or false");
  return flag > 0;
}

/** Reads a string that is not empty, at most `most` bytes long, into (`json.text`, `json.textLen`). */
export function readText(name: Bytes, most: i32): bool {
  inField(name);
  if (json.peek() != 34) {
    if (json.problem == null) complain("expected a text in quotes");
    return false;
  }
  json.readString();
  if (json.problem != null) return false;
  if (json.textLen == 0) complain("empty");
  else if (json.textLen > most || json.textCut) {
    const line = about();
    if (line) line.say("longer than ").number(most).say(" bytes");
  }
  return !complained();
}

/** Reads the name of a cluster. It may become a header's value, so it has no control characters. */
export function readCluster(name: Bytes, most: i32): bool {
  if (!readText(name, most)) return false;
  for (let i = 0; i < json.textLen; i++) {
    const c = load<u8>(json.text + i);
    if (c >= 32 && c != 127) continue;
    complain("a control character in a name");
    return false;
  }
  return true;
}

export function required(name: Bytes): void {
  inField(name);
  complain("required");
}
