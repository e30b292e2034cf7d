// Decides where a request goes: the hot path. It reads the request and the table and changes neither; route.ts acts on it.
import { MAX_KEY, MAX_SIGNED } from "../routes/model/names";
import { allHold } from "./conditions";
import { GOOD, UNSIGNED, checkText, isForService, refuseElsewhere, wasUnwrapped } from "./edge/check";
import { canBeCleaned } from "./edge/guard";
import { ACCEPT_ANY, ACCEPT_NONE, acceptOf, hasKeys, unwraps } from "./edge/options";
import { plainLen } from "./edge/token";
import { BROKEN_LINK, LINK_OFF, LINK_WITH_KEY, NO_LINK, readLink } from "./link/read";
import { Root } from "./roots";
import * as request from "./request";
import { chooseShare } from "./shares";
import { candidate, candidateLen, isKey } from "./sources/candidate";
import {
  LINK,
  OVERRIDES,
  TRACE,
  afterSource,
  isList,
  next,
  sourceHeader,
  sourceHeaderLen,
  sourceKind,
  startOf,
} from "./sources/source";
import { entryConditions, entryFails, entryTo, entryToLen } from "./table/entry";
import {
  buckets,
  edgeOf,
  firstRule,
  firstSource,
  hasEdge,
  hierarchy,
  sourceCount,
  splitCount,
  traceOf,
  whenCount,
} from "./table/header";
import { NO_MATCH, bestEntry, bestRank, expired, openKey, rank } from "./table/lookup";
import { recover } from "./trace/trace";
import { foundKey, foundLen } from "./trace/memory";
import { nextRule, ruleConditions, ruleExpires, ruleFails, ruleFrom, ruleTarget, shareCount } from "./table/rule";

export const NO_KEY = 0;
export const INVALID_KEY = 1;
export const BASELINE = 2;
/** A key route, a `when` route, a share of a split. */
export const BY_KEY = 3;
export const BY_CONDITION = 4;
export const BY_SHARE = 5;

/** The key that decided, or the first valid one, in memory of its own; its source, 0 when there is none. */
export const key = memory.data(MAX_KEY);
export let keyLen: i32 = 0;
export let keySource: usize = 0;
/**
 * The text that the request carries, in memory of its own, and its source: the key, or the signed key that it stands in. One that is
 * meant for other services is carried, too, though it is no key here.
 */
export let carried: usize = 0;
export let carriedLen: i32 = 0;
export let carriedSource: usize = 0;
/** The source `trace`, 0 where the configuration has none. */
export let traceSource: usize = 0;
/** What the request asks for as a link; see link/read.ts. */
export let link: i32 = NO_LINK;
export let linkSource: usize = 0;
/** The target, when the decision is one of the BY_. */
export let target: usize = 0;
export let targetLen: i32 = 0;
/** How the route's `from` met the cluster; see lookup.ts. */
export let fromRank = NO_MATCH;
/** Whether the route has conditions, is one of the key's parents, and has requests refused where its target is missing. */
export let conditional = false;
export let byParent = false;
export let failsIfMissing = false;

/** Where a candidate lies while it is looked up: conditions read other values into the places where candidates stand. */
const tried = memory.data(MAX_KEY);
/** The signed key that the candidate stands in, and the one that is carried. */
const triedText = memory.data(MAX_SIGNED);
let triedLen = 0;
const signed = memory.data(MAX_SIGNED);
const linkText = memory.data(MAX_SIGNED);
let linkTextLen = 0;
/** What the configuration says of keys from outside, 0 where it says nothing. */
let edge: usize = 0;

export function decide(root: Root): i32 {
  const header = root.header.at;
  keyLen = 0;
  keySource = carriedSource = 0;
  edge = hasEdge(header) ? edgeOf(header) : 0;
  let outcome = NO_KEY;
  let source = firstSource(header);
  let sources = sourceCount(header);
  traceSource = traceOf(header);
  if (traceSource != 0) {
    source = afterSource(source);
    sources--;
  }
  link = NO_LINK;
  if (edge != 0 && acceptOf(edge) == ACCEPT_NONE) sources = 0;
  if (sources != 0 && sourceKind(source) == LINK) {
    outcome = tryLink(root, source);
    source = afterSource(source);
    sources = link < LINK_WITH_KEY ? sources - 1 : 0;
  }
  for (let bit: u64 = 1; sources > 0; sources--, bit <<= 1) {
    const answer = trySource(root, source, bit);
    if (answer == BY_KEY) return BY_KEY;
    outcome = max(outcome, answer);
    source = afterSource(source);
  }
  if (outcome == BY_KEY) return BY_KEY;
  if (traceSource != 0 && carriedSource == 0 && recover(traceSource) && link != LINK_OFF) {
    const answer = tryText(root, traceSource, foundKey, foundLen);
    if (answer == BY_KEY) return BY_KEY;
    outcome = max(outcome, answer);
  }
  if (whenCount(header) + splitCount(header) != 0) {
    const answer = tryRules(header);
    if (answer != NO_KEY) return answer;
  }
  return outcome;
}

// The key of a link is the only one of its request.
function tryLink(root: Root, source: usize): i32 {
  linkSource = source;
  linkTextLen = 0;
  link = readLink(source, edge != 0 && hasKeys(edge));
  if (link == BROKEN_LINK) return INVALID_KEY;
  if (link != LINK_WITH_KEY) return NO_KEY;
  const answer = tryText(root, source, candidate, candidateLen);
  if (answer == INVALID_KEY && carriedSource == 0) link = BROKEN_LINK;
  linkTextLen = triedLen;
  if (triedLen != 0) memory.copy(linkText, triedText, triedLen);
  return answer;
}

/** What sticks of a link: the signed key that stands in it, or the key. */
export function textOfLink(): usize {
  return linkTextLen ? linkText : key;
}

export function lenOfLink(): i32 {
  return linkTextLen ? linkTextLen : keyLen;
}

/**
 * A bit for each source that needed more than the first line of its header when it was last looked at. The next request is
 * likely to need the same, and one read of all lines costs less than one of the first line and another one of the rest.
 */
let readsAll: u64 = 0;

// BY_KEY, or the best that the source's candidates were.
function trySource(root: Root, source: usize, bit: u64): i32 {
  const name = sourceHeader(source);
  const nameLen = sourceHeaderLen(source);
  if (readsAll & bit && isList(source)) {
    const outcome = request.readAllValues(name, nameLen) ? tryValue(root, source) : NO_KEY;
    if (outcome == NO_KEY || outcome == BY_KEY) readsAll &= ~bit;
    return outcome;
  }
  let outcome = NO_KEY;
  for (let n = 0; request.readValue(name, nameLen, n); n++) {
    outcome = max(outcome, tryValue(root, source));
    if (outcome == BY_KEY) return BY_KEY;
  }
  if (outcome != NO_KEY) readsAll |= bit;
  return outcome;
}

// The same for the candidates in the value that was read last.
function tryValue(root: Root, source: usize): i32 {
  if (sourceKind(source) == OVERRIDES) request.readService();
  const end = request.value + request.valueLen;
  let outcome = NO_KEY;
  let at = startOf(source, request.value, end);
  while ((at = next(source, at, end, request.service, request.serviceLen)) != 0) {
    outcome = max(outcome, tryText(root, source, candidate, candidateLen));
    if (outcome == BY_KEY) return BY_KEY;
  }
  return outcome;
}

// The same for one candidate.
function tryText(root: Root, source: usize, at: usize, len: i32): i32 {
  triedLen = 0;
  if (edge != 0) {
    const checked = checkText(edge, at, len);
    if (checked == GOOD) {
      triedLen = len;
      memory.copy(triedText, at, len);
      len = plainLen;
      if (!isForService()) return passOver(source);
    } else if (checked != UNSIGNED || !takesUnsigned(source, at, len)) return INVALID_KEY;
  }
  if (!isKey(at, len)) return INVALID_KEY;
  memory.copy(tried, at, len);
  const isFirst = keySource == 0;
  if (isFirst) keep(source, len);
  if (!tryKey(root, len)) return BASELINE;
  if (!isFirst) keep(source, len);
  return BY_KEY;
}

// Plain keys count where strangers can't set them, and where a signed key has become one.
function takesUnsigned(source: usize, at: usize, len: i32): bool {
  if (acceptOf(edge) == ACCEPT_ANY || sourceKind(source) == TRACE) return true;
  return unwraps(edge) && canBeCleaned(source) && wasUnwrapped(at, len);
}

// A signed key for other services is none here; it goes on to them.
function passOver(source: usize): i32 {
  refuseElsewhere();
  if (carriedSource == 0 && !unwraps(edge)) carrySigned(source);
  return INVALID_KEY;
}

function keep(source: usize, len: i32): void {
  keySource = source;
  keyLen = len;
  memory.copy(key, tried, len);
  if (triedLen != 0 && !unwraps(edge)) return carrySigned(source);
  carriedSource = source;
  carried = key;
  carriedLen = len;
}

function carrySigned(source: usize): void {
  carriedSource = source;
  carried = signed;
  carriedLen = triedLen;
  memory.copy(signed, triedText, triedLen);
}

// Looks the key up, and then its parents, the nearest first, where the table has a hierarchy.
function tryKey(root: Root, len: i32): bool {
  byParent = false;
  if (tryName(root, len)) return true;
  const separator = hierarchy(root.header.at);
  if (separator == 0) return false;
  byParent = true;
  while (--len > 0) if (load<u8>(tried + len) == separator && tryName(root, len)) return true;
  return false;
}

function tryName(root: Root, len: i32): bool {
  const count = buckets(root.header.at);
  if (count == 0 || !openKey(root.keySlot, root.tag, count, tried, len)) return false;
  request.readCluster();
  if (request.clusterLen == 0) return false;
  const entry = bestEntry(tried, len, request.clusterHash, request.clusterHashWithoutSubset);
  if (entry == 0) return false;
  fromRank = bestRank;
  conditional = entryConditions(entry) != 0;
  failsIfMissing = entryFails(entry);
  target = entryTo(entry);
  targetLen = entryToLen(entry);
  return true;
}

// Rules with conditions come before those that have shares alone.
function tryRules(header: usize): i32 {
  request.readCluster();
  if (request.clusterLen == 0) return NO_KEY;
  const when = bestRule(firstRule(header), whenCount(header));
  conditional = when != 0;
  const rule = conditional ? when : bestRule(afterRules, splitCount(header));
  if (rule == 0) return NO_KEY;
  const split = shareCount(rule) != 0;
  const to = split ? chooseShare(rule) : ruleTarget(rule);
  if (to == 0) return NO_KEY;
  failsIfMissing = ruleFails(rule);
  target = to + 2;
  targetLen = load<u16>(to);
  return split ? BY_SHARE : BY_CONDITION;
}

let afterRules: usize = 0;

// Of `count` rules in force, the one whose `from` meets the cluster best, and of those the first; 0 when there is none.
function bestRule(rule: usize, count: u32): usize {
  let best: usize = 0;
  fromRank = NO_MATCH;
  for (; count > 0; count--) {
    const r = rank(ruleFrom(rule), request.clusterHash, request.clusterHashWithoutSubset);
    if (r > fromRank && !expired(ruleExpires(rule)) && allHold(ruleConditions(rule))) {
      best = rule;
      fromRank = r;
    }
    rule = nextRule(rule);
  }
  afterRules = rule;
  return best;
}
