// The diagnostic of a configuration: the place where it is wrong, and what is wrong there. Only the first one is kept.
import { Writer, writer } from "../host/writer";

/** Where the reader is: `list[item].sub[subItem].field`; what is null or negative is left out. */
export let list: Bytes | null = null;
export let item = -1;
export let sub: Bytes | null = null;
export let subItem = -1;
export let field: Bytes | null = null;

const diagnostic = writer();

export function reset(): void {
  diagnostic.clear();
  list = sub = field = null;
}

export function reported(): bool {
  return diagnostic.len != 0;
}

export function diagnosticText(): Writer {
  return diagnostic;
}

export function inList(name: Bytes | null, index: i32): void {
  list = name;
  item = index;
  sub = field = null;
}

export function inSubList(name: Bytes | null, index: i32): void {
  sub = name;
  subItem = index;
  field = null;
}

export function inField(name: Bytes | null): void {
  field = name;
}

/** Starts the diagnostic for the present place, for the caller to complete; null when there is one already. */
export function beginReport(): Writer | null {
  if (reported()) return null;
  diagnostic.say("keyway: config: ");
  let parts = 0;
  if (list) {
    diagnostic.say(list!);
    if (item >= 0) diagnostic.say("[").number(item).say("]");
    parts++;
  }
  if (sub) {
    diagnostic.say(parts++ ? "." : "").say(sub!);
    if (subItem >= 0) diagnostic.say("[").number(subItem).say("]");
  }
  if (field) diagnostic.say(parts++ ? "." : "").say(field!);
  if (parts) diagnostic.say(": ");
  return diagnostic;
}

/** Reports that there are more than `most` of them. */
export function reportMoreThan(most: i32, many: Bytes): void {
  const line = beginReport();
  if (line) line.say("more than ").number(most).say(" ").say(many);
}

export function report(what: Bytes): void {
  const line = beginReport();
  if (line) line.say(what);
}
