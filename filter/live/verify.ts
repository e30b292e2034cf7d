// Whether bytes that came from a route server are what they should be: the hot path reads entries and rules without asking where they end.
import { ENTRY_FIXED } from "../../routes/model/layout";
import { MAX_CLUSTER, MAX_CONDITIONS, MAX_SPLIT } from "../../routes/model/names";
import { isKey } from "../sources/candidate";
import {
  CALLER,
  COOKIE,
  HEADER,
  NONE,
  PATH_PART,
  QUERY,
  SOURCE_FIXED,
  afterSource,
  sourceKind,
} from "../sources/source";
import { afterEntry, entryConditions, entryKey, entryKeyLen, entryTo, entryToLen, isKnownEntry } from "../table/entry";
import { ABSENT, NOT, RULE_FIXED, ruleConditions, shareCount } from "../table/rule";
import { DELETE, SPACE } from "../text/ascii";
import { hash } from "../text/hash";

/** Whether these are entries, whose keys all belong to the bucket with that mask. */
export function areEntries(at: usize, end: usize, bucket: u32, mask: u32): bool {
  while (at < end) {
    // The fixed part tells where key and target end, and together they are shorter than what may be read behind a page.
    if (end - at < <usize>ENTRY_FIXED || !isKnownEntry(at)) return false;
    const to = entryTo(at);
    const afterTo = to + entryToLen(at);
    if (afterTo > end || !isTarget(to, entryToLen(at))) return false;
    const key = entryKey(at);
    if (!isKey(key, entryKeyLen(at)) || ((<u32>hash(key, entryKeyLen(at))) & mask) != bucket) return false;
    if (entryConditions(at) && !areConditions(afterTo, end)) return false;
    at = afterEntry(at);
  }
  return true;
}

/** Whether these are the rules of a table, `count` of them; `splits` are without conditions. */
export function areRules(at: usize, end: usize, whens: u32, splits: u32): bool {
  for (let i: u32 = 0; i < whens + splits; i++) {
    if (end - at < RULE_FIXED + 4) return false;
    const size: usize = load<u32>(at);
    if (size < RULE_FIXED + 4 || size > end - at || !isRule(at, at + size)) return false;
    at += size;
  }
  return at == end;
}

function isRule(rule: usize, end: usize): bool {
  const conditions = ruleConditions(rule);
  if (!areConditions(conditions, end)) return false;
  let at = conditions + 4 + load<u32>(conditions);
  let shares = shareCount(rule);
  if (shares == 0) return endOfTarget(at, end) == end;
  if (shares > MAX_SPLIT) return false;
  const sticky = at;
  at = endOfSource(sticky, end);
  if (at == 0 || sourceKind(sticky) > <u32>NONE) return false;
  for (; shares > 0; shares--) {
    if (end - at < 4) return false;
    at = endOfTarget(at + 4, end);
    if (at == 0) return false;
  }
  return at == end;
}

// Where a target with its length before it ends; 0 when it is none.
function endOfTarget(at: usize, end: usize): usize {
  if (end < at || end - at < 2) return 0;
  const len = load<u16>(at);
  return len <= end - at - 2 && isTarget(at + 2, len) ? at + 2 + len : 0;
}

function isTarget(at: usize, len: i32): bool {
  if (len == 0 || len > MAX_CLUSTER) return false;
  for (let i = 0; i < len; i++) {
    const c: i32 = load<u8>(at + i);
    if (c < SPACE || c == DELETE) return false;
  }
  return true;
}

// Conditions with their length before them.
function areConditions(at: usize, end: usize): bool {
  if (end < at || end - at < 4) return false;
  const len: usize = load<u32>(at);
  at += 4;
  if (len > end - at) return false;
  end = at + len;
  for (let i = 0; at < end; i++) {
    if (i == MAX_CONDITIONS || (load<u8>(at) & ~NOT) > ABSENT) return false;
    const source = at + 1;
    at = endOfSource(source, end);
    if (at == 0 || end - at < 2) return false;
    if (!isSubject(sourceKind(source))) return false;
    const textLen: usize = load<u16>(at);
    at += 2;
    if (textLen > end - at) return false;
    at += textLen;
  }
  return true;
}

function isSubject(kind: u32): bool {
  return kind == HEADER || kind == COOKIE || kind == QUERY || (kind >= <u32>PATH_PART && kind <= <u32>CALLER);
}

// Where a source ends; 0 when that is outside.
function endOfSource(at: usize, end: usize): usize {
  if (end < at || end - at < <usize>SOURCE_FIXED) return 0;
  const after = afterSource(at);
  return after <= end ? after : 0;
}
