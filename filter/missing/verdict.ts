// What a failed request says of its target, and what a mark is when it is new. Both modules use it: the watcher for requests
// that have failed, the filter for questions that were refused before a target's first request.
import { property } from "../host/calls";
import {
  GONE,
  TRIAL,
  UNASKABLE,
  addMark,
  isProven,
  readMark,
  removeMark,
  setDue,
  setState,
  setTrialDue,
  setTrialWait,
  state,
  trialWait,
  writeMarks,
  REFUSING,
} from "./mark";
import { answered } from "./question";

/** Nanoseconds between two questions about a target, over all workers of the process. */
export const PERIOD: u64 = 250000000;
const SECOND: u64 = 1000000000;

/** Seconds until a target's first trial, when nothing says yet that questions about it mislead; and the most between two. */
const FIRST_WAIT: u32 = 30;
const LONGEST_WAIT: u32 = 960;
/** The same for a target whose trials have succeeded before. */
const FIRST_PROVEN_WAIT: u32 = 1;
const LONGEST_PROVEN_WAIT: u32 = 30;

const MOST_TRIES = 100;

/**
 * Marks the target as GONE or REFUSING. `mayMislead` tells that a question may be refused although requests would be served, so
 * that one request is let through now and then.
 */
export function markMissing(target: u64, as: u32, time: u64, mayMislead: bool): void {
  for (let i = 0; i < MOST_TRIES; i++) {
    if (!readMark(target)) addMark(target);
    else if (state() != TRIAL && state() != UNASKABLE) return;
    setTrialWait(nextWait());
    setTrialDue(mayMislead ? time + SECOND * trialWait() : 0);
    setState(as);
    setDue(time + PERIOD);
    if (writeMarks()) return;
  }
}

function nextWait(): u32 {
  if (isProven()) {
    return state() == TRIAL ? min(trialWait() << 1, LONGEST_PROVEN_WAIT) : FIRST_PROVEN_WAIT;
  }
  return state() == TRIAL ? min(trialWait() << 1, LONGEST_WAIT) : FIRST_WAIT;
}

/** Takes the mark away, or what `as` says of it, when it is still of that state. */
export function unmark(target: u64, as: u32): void {
  for (let i = 0; i < MOST_TRIES; i++) {
    if (!readMark(target) || state() != as) return;
    removeMark();
    if (writeMarks()) return;
  }
}

/** On the answer to a question: a target that has answered does not refuse connections any more. */
export function hearAnswer(token: u32): void {
  const target = answered(token);
  if (target != 0) unmark(target, REFUSING);
}

/**
 * Whether the acting stream asks for a subset of its cluster's hosts, as far as filters have set it by now. A question of the
 * proxy's own asks for none, so what becomes of it says nothing about such a request, nor the other way round.
 */
export function asksForSubset(): bool {
  const subset = "metadata\0filter_metadata\0envoy.lb";
  return property(subset);
}
