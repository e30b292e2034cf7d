// What a failed request says of its target, and what a mark is when it is new. Both modules use it: the watcher for requests
// that have failed, the filter for probes that were refused before a target's first request.
import { property } from "../host/calls";
import {
  ABSENT,
  GONE,
  TRIAL,
  UNPROBEABLE,
  addMark,
  isCertain,
  isProven,
  readMark,
  removeMark,
  setCertain,
  setDue,
  setState,
  setTrialDue,
  setTrialWait,
  state,
  trialWait,
  writeMarks,
  REFUSING,
} from "./mark";
import { answered } from "./probe";

/** Nanoseconds between two probes of a target, over all workers of the process. */
export const PERIOD: u64 = 250000000;
const MILLISECOND: u64 = 1000000;

/** Milliseconds until a target's second trial, when nothing says yet that probes of it mislead; and the most between two. */
const SECOND_WAIT: u32 = 30000;
const LONGEST_WAIT: u32 = 960000;
/** Until the first trial of a target that probes may mislead about: with the time that a trial takes, less than a second. */
const FIRST_WAIT: u32 = 400;
/** The most between two trials of a target that trials have succeeded for. */
const LONGEST_PROVEN_WAIT: u32 = 30000;

const MOST_TRIES = 100;

/**
 * Marks the target as ABSENT, GONE or REFUSING. It is certain when no request would be served, whatever it asks for; otherwise
 * a probe may be refused although requests would be served, and one request is let through now and then, soon at first where no host is healthy.
 */
export function markMissing(target: u64, as: u32, time: u64, certain: bool): void {
  for (let i = 0; i < MOST_TRIES; i++) {
    if (!readMark(target)) addMark(target);
    else if (!addsToMark(as, certain)) return;
    setTrialWait(certain ? LONGEST_WAIT : nextWait(as));
    setTrialDue(time + MILLISECOND * trialWait());
    setCertain(certain);
    setState(as);
    setDue(time + PERIOD);
    if (writeMarks()) return;
  }
}

function addsToMark(as: u32, certain: bool): bool {
  const known = state();
  if (known == TRIAL || known == UNPROBEABLE) return true;
  return known == ABSENT ? as != ABSENT : certain && !(known == as && isCertain());
}

function nextWait(as: u32): u32 {
  if (state() != TRIAL) return as == GONE || isProven() ? FIRST_WAIT : SECOND_WAIT;
  const doubled = trialWait() << 1;
  return isProven() ? min(doubled, LONGEST_PROVEN_WAIT) : min(max(doubled, SECOND_WAIT), LONGEST_WAIT);
}

/** Takes the mark away when it is still of that state. */
export function unmark(target: u64, as: u32): void {
  for (let i = 0; i < MOST_TRIES; i++) {
    if (!readMark(target) || state() != as) return;
    removeMark();
    if (writeMarks()) return;
  }
}

/** On the answer to a probe: a target that has answered does not refuse connections any more. */
export function hearAnswer(token: u32): void {
  const target = answered(token);
  if (target == 0) return;
  unmark(target, REFUSING);
  unmark(target, TRIAL);
}

/**
 * Whether the acting stream asks for a subset of its cluster's hosts, as far as filters have set it by now. A probe
 * asks for none, so what becomes of it says nothing about such a request, nor the other way round.
 */
export function asksForSubset(): bool {
  const subset = "metadata\0filter_metadata\0envoy.lb";
  return property(subset);
}
