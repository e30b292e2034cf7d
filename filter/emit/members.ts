// Puts a member into a list of W3C baggage or W3C tracestate. The member comes first, as tracestate asks of an entry that was changed; others
// of its name are left out, the rest stays in its order, byte for byte. Where the list has more than the specification allows, whole members
// are left out from its end; baggage that was longer before keeps its length.
import {
  MAX_BAGGAGE,
  MAX_BAGGAGE_MEMBERS,
  MAX_TRACESTATE_MEMBERS,
  MAX_TRACESTATE_VALUE,
} from "../../routes/model/names";
import { Writer, writer } from "../host/writer";
import { BACKSLASH, COMMA, EQUALS, PERCENT, QUOTE, SEMICOLON } from "../text/ascii";
import { find, same, skipBlanks, trimEnd } from "../text/bytes";

/** The list as it is to be written. */
export const merged = writer();

const value = writer();

/** False when nothing has to be written: the member is there, once and with this value. The value is percent-encoded. */
export function addToBaggage(at: usize, len: i32, name: usize, nameLen: i32, key: usize, keyLen: i32): bool {
  value.clear();
  for (let i = 0; i < keyLen; i++) {
    const c: u32 = load<u8>(key + i);
    if (c == QUOTE || c == BACKSLASH || c == PERCENT) value.say("%").hexByte(c);
    else value.u8(c);
  }
  if (isThere(at, at + len, name, nameLen, value.at, value.len)) return false;
  merge(at, at + len, name, nameLen, max(MAX_BAGGAGE_MEMBERS, members), max(MAX_BAGGAGE, len));
  return true;
}

/** The same for tracestate. Its values are short and have no `=`, so that a key of another kind can't be written there. */
export function addToTracestate(at: usize, len: i32, name: usize, nameLen: i32, key: usize, keyLen: i32): bool {
  if (keyLen > MAX_TRACESTATE_VALUE || find(key, key + keyLen, EQUALS) != key + keyLen) return false;
  value.clear().bytes(key, keyLen);
  if (isThere(at, at + len, name, nameLen, key, keyLen)) return false;
  merge(at, at + len, name, nameLen, MAX_TRACESTATE_MEMBERS, i32.MAX_VALUE);
  return true;
}

/** The member last read, without the blanks around it. */
let member: usize = 0;
let memberEnd: usize = 0;

// Reads the member that begins at `at` and answers where the next one begins.
function read(at: usize, end: usize): usize {
  const comma = find(at, end, COMMA);
  member = skipBlanks(at, comma);
  memberEnd = trimEnd(member, comma);
  return comma + 1;
}

function isNamed(name: usize, nameLen: i32): bool {
  const equals = find(member, memberEnd, EQUALS);
  return equals != memberEnd && same(member, <i32>(trimEnd(member, equals) - member), name, nameLen);
}

/** The members that `isThere` has counted. */
let members = 0;

function isThere(at: usize, end: usize, name: usize, nameLen: i32, wanted: usize, wantedLen: i32): bool {
  let found = 0;
  let fits = false;
  members = 0;
  while (at < end) {
    at = read(at, end);
    if (member == memberEnd) continue;
    members++;
    if (!isNamed(name, nameLen)) continue;
    found++;
    const start = skipBlanks(find(member, memberEnd, EQUALS) + 1, memberEnd);
    const stop = trimEnd(start, find(start, memberEnd, SEMICOLON));
    fits = same(start, <i32>(stop - start), wanted, wantedLen);
  }
  return found == 1 && fits;
}

function merge(at: usize, end: usize, name: usize, nameLen: i32, mostMembers: i32, mostBytes: i32): void {
  merged.clear().bytes(name, nameLen).say("=").bytes(value.at, value.len);
  let count = 1;
  while (at < end) {
    at = read(at, end);
    const len = <i32>(memberEnd - member);
    if (len == 0 || isNamed(name, nameLen)) continue;
    if (count == mostMembers || merged.len + 1 + len > mostBytes) return;
    merged.say(",").bytes(member, len);
    count++;
  }
}
