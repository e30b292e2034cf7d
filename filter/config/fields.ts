// The fields of the configuration's objects: which one was read, and the values that several of them share.
import { about, complain, complained, inField } from "./complaint";
import * as json from "./json";

/** The bit of the field that `isField` last recognised. */
export let matched: u32 = 0;

/** Whether the field just read is `name`; complains when `seen` already holds its bit. */
export function isField(name: string, bit: u32, seen: u32): bool {
  if (!textIs(name)) return false;
  matched = bit;
  if (seen & bit) {
    inField(name);
    complain("given twice");
  }
  return true;
}

export function textIs(s: string): bool {
  if (json.textLen != s.length) return false;
  for (let i = 0; i < s.length; i++) if (load<u8>(json.text + i) != <u8>s.charCodeAt(i)) return false;
  return true;
}

export function unknownField(): void {
  const line = about();
  if (line) line.say('unknown field "').plain(json.text, json.textLen).say('"');
}

export function broken(): bool {
  return complained() || json.problem != null;
}

/** Reads `true` or `false`; complains of anything else. */
export function readFlag(name: string): bool {
  inField(name);
  const flag = json.readBool();
  if (flag < 0) complain("expected true or false");
  return flag > 0;
}

/** Reads a string that is not empty, at most `most` bytes long, into (`json.text`, `json.textLen`). */
export function readText(name: string, most: i32): bool {
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

export function required(name: string): void {
  inField(name);
  complain("required");
}
