// The one error of a configuration: the place where it is wrong and what is wrong there. The first complaint stays.
import { Writer, writer } from "../host/writer";

/** Where the reader is: `list[item].sub[subItem].field`; what is null or negative is left out. */
export let list: Bytes | null = null;
export let item = -1;
export let sub: Bytes | null = null;
export let subItem = -1;
export let field: Bytes | null = null;

const complaint = writer();

export function reset(): void {
  complaint.clear();
  list = sub = field = null;
}

export function complained(): bool {
  return complaint.len != 0;
}

export function complaintText(): Writer {
  return complaint;
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

/** Starts the complaint about the present place, for the caller to end; null when there is one already. */
export function about(): Writer | null {
  if (complained()) return null;
  complaint.say("keyway: config: ");
  let parts = 0;
  if (list) {
    complaint.say(list!);
    if (item >= 0) complaint.say("[").number(item).say("]");
    parts++;
  }
  if (sub) {
    complaint.say(parts++ ? "." : "").say(sub!);
    if (subItem >= 0) complaint.say("[").number(subItem).say("]");
  }
  if (field) complaint.say(parts++ ? "." : "").say(field!);
  if (parts) complaint.say(": ");
  return complaint;
}

export function complain(what: Bytes): void {
  const line = about();
  if (line) line.say(what);
}
