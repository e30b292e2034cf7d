// Decides where a request goes: the hot path. It reads the request and the table and changes neither; route.ts acts on it.
import { MAX_KEY } from "../routes/model/names";
import { Root } from "./roots";
import * as request from "./request";
import { chooseShare, holds } from "./rules";
import { candidate, candidateLen, isKey } from "./sources/candidate";
import { OVERRIDES, afterSource, next, sourceHeader, sourceHeaderLen, sourceKind, startOf } from "./sources/source";
import { entryTo, entryToLen } from "./table/entry";
import {
  RULE_FIXED,
  buckets,
  firstRule,
  firstSource,
  nextRule,
  ruleExpires,
  ruleFrom,
  sourceCount,
  splitCount,
  whenCount,
} from "./table/header";
import { NO_MATCH, bestEntry, bestRank, expired, openKey, rank } from "./table/lookup";

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
/** The target, when the decision is one of the BY_. */
export let target: usize = 0;
export let targetLen: i32 = 0;
/** How the route's `from` met the cluster; see lookup.ts. */
export let fromRank = NO_MATCH;

export function decide(root: Root): i32 {
  const head = root.head.at;
  keyLen = 0;
  keySource = 0;
  let outcome = NO_KEY;
  let source = firstSource(head);
  for (let i = sourceCount(head); i > 0; i--) {
    const answer = trySource(root, source);
    if (answer == BY_KEY) return BY_KEY;
    outcome = max(outcome, answer);
    source = afterSource(source);
  }
  if (whenCount(head) + splitCount(head) != 0) {
    const answer = tryRules(head);
    if (answer != NO_KEY) return answer;
  }
  return outcome;
}

// BY_KEY, or the best that the source's candidates were.
function trySource(root: Root, source: usize): i32 {
  const header = sourceHeader(source);
  const headerLen = sourceHeaderLen(source);
  let outcome = NO_KEY;
  for (let n = 0; request.readValue(header, headerLen, n); n++) {
    if (sourceKind(source) == OVERRIDES) request.readService();
    const end = request.value + request.valueLen;
    let at = startOf(source, request.value, end);
    while ((at = next(source, at, end, request.service, request.serviceLen)) != 0) {
      if (!isKey(candidate, candidateLen)) {
        outcome = max(outcome, INVALID_KEY);
        continue;
      }
      const first = keySource == 0;
      if (first) keep(source);
      outcome = BASELINE;
      if (!tryKey(root, candidate, candidateLen)) continue;
      if (!first) keep(source);
      return BY_KEY;
    }
  }
  return outcome;
}

function keep(source: usize): void {
  keySource = source;
  keyLen = candidateLen;
  memory.copy(key, candidate, candidateLen);
}

function tryKey(root: Root, at: usize, len: i32): bool {
  const count = buckets(root.head.at);
  if (count == 0 || !openKey(root.slot, root.generation, count, at, len)) return false;
  request.readCluster();
  if (request.clusterLen == 0) return false;
  const entry = bestEntry(at, len, request.clusterHash, request.clusterHashWithoutSubset);
  if (entry == 0) return false;
  fromRank = bestRank;
  target = entryTo(entry);
  targetLen = entryToLen(entry);
  return true;
}

// Conditions come before shares.
function tryRules(head: usize): i32 {
  request.readCluster();
  if (request.clusterLen == 0) return NO_KEY;
  const when = bestRule(firstRule(head), whenCount(head), true);
  if (when) {
    target = when + RULE_FIXED + 2;
    targetLen = load<u16>(when + RULE_FIXED);
    return BY_CONDITION;
  }
  const split = bestRule(afterRules, splitCount(head), false);
  const share = split ? chooseShare(split) : 0;
  if (share == 0) return NO_KEY;
  target = share + 6;
  targetLen = load<u16>(share, 4);
  return BY_SHARE;
}

let afterRules: usize = 0;

// Of `count` rules in force, the one whose `from` meets the cluster best, and of those the first; 0 when there is none.
function bestRule(rule: usize, count: u32, conditional: bool): usize {
  let best: usize = 0;
  fromRank = NO_MATCH;
  for (; count > 0; count--) {
    const r = rank(ruleFrom(rule), request.clusterHash, request.clusterHashWithoutSubset);
    if (r > fromRank && !expired(ruleExpires(rule)) && (!conditional || holds(rule))) {
      best = rule;
      fromRank = r;
    }
    rule = nextRule(rule);
  }
  afterRules = rule;
  return best;
}
