// Whether a target can be selected. A target that nothing is known about is asked after once per worker and table; one that is
// marked is left alone until a question, an answer or a trial finds it back.
import { actFor, now } from "../host/calls";
import { same } from "../text/bytes";
import { hash } from "../text/hash";
import { MAX_CLUSTER } from "../../routes/model/names";
import {
  GONE,
  REFUSING,
  TRIAL,
  UNASKABLE,
  readMark,
  setDue,
  setProven,
  setState,
  state,
  due,
  trialDue,
  writeMarks,
} from "./mark";
import { ACCEPTED, NO_CLUSTER, NO_HOST, ask } from "./question";
import { PERIOD, asksForSubset, markMissing, unmark } from "./verdict";

/** How long a trial has to fail: at once where no host is healthy, after the time to connect where hosts refuse. */
const TRIAL_OF_GONE: u64 = 250000000;
const TRIAL_OF_REFUSING: u64 = 15000000000;
/** How often a target is asked after that serves requests although questions about it fail. */
const UNASKABLE_PERIOD: u64 = 600000000000;

/** Whether the target can take the request of this stream, which may be its trial. `root` is the stream's root context. */
export function isAvailable(target: usize, len: i32, root: u32, stream: u32, mayTry: bool): bool {
  const id = hashOf(target, len);
  if (!readMark(id)) return isAsked(id) || firstQuestion(target, len, id, root, stream);
  if (state() == GONE && asksForSubset()) return true;
  if (now() < due()) return state() == UNASKABLE;
  return state() == TRIAL ? endTrial() : askAgain(target, len, id, root, stream, mayTry);
}

function firstQuestion(target: usize, len: i32, id: u64, root: u32, stream: u32): bool {
  const answer = askFor(target, len, id, root, stream);
  if (answer == ACCEPTED || (answer == NO_HOST && asksForSubset())) {
    setAsked(id);
    return true;
  }
  markMissing(id, GONE, now(), answer == NO_HOST);
  return false;
}

// A trial of which no failure was told.
function endTrial(): bool {
  setState(UNASKABLE);
  setProven();
  setDue(now() + UNASKABLE_PERIOD);
  return writeMarks();
}

// One request of the process asks at a time: the one that moves the mark's time on.
function askAgain(target: usize, len: i32, id: u64, root: u32, stream: u32, mayTry: bool): bool {
  const time = now();
  const was = state();
  const onTrial = mayTry && trialDue() != 0 && time >= trialDue();
  setDue(time + (was == UNASKABLE ? UNASKABLE_PERIOD : PERIOD));
  if (!writeMarks()) return was == UNASKABLE;
  const answer = askFor(target, len, id, root, stream);
  if (answer == ACCEPTED && was != REFUSING) {
    unmark(id, was);
    setAsked(id);
    return true;
  }
  if (was == UNASKABLE) return true;
  return onTrial && answer != NO_CLUSTER && beginTrial(id, was, time);
}

function beginTrial(id: u64, was: u32, time: u64): bool {
  if (!readMark(id) || state() != was) return false;
  setState(TRIAL);
  setDue(time + (was == REFUSING ? TRIAL_OF_REFUSING : TRIAL_OF_GONE));
  return writeMarks();
}

// A stream's own questions would end with it, so its root context asks. Where that is gone nobody is asked.
function askFor(target: usize, len: i32, id: u64, root: u32, stream: u32): i32 {
  if (!actFor(root)) return ACCEPTED;
  const answer = ask(target, len, id);
  actFor(stream);
  return answer;
}

/** The target last hashed; most requests have the same one as the request before. */
const hashed = memory.data(MAX_CLUSTER);
let hashedLen = -1;
let hashedId: u64 = 0;

function hashOf(target: usize, len: i32): u64 {
  if (same(target, len, hashed, hashedLen)) return hashedId;
  memory.copy(hashed, target, len);
  hashedLen = len;
  hashedId = hash(target, len);
  return hashedId;
}

// One bit for each target that this worker has asked after: as many bits as make it rare that two targets share one, in which
// case the second is not asked after.
const ASKED_BITS = 65536;
const asked = memory.data(ASKED_BITS / 8);

function isAsked(id: u64): bool {
  return (load<u8>(askedByte(id)) & askedBit(id)) != 0;
}

function setAsked(id: u64): void {
  const at = askedByte(id);
  store<u8>(at, <u8>(load<u8>(at) | askedBit(id)));
}

function askedBit(id: u64): u32 {
  return 1 << ((<u32>id) & 7);
}

function askedByte(id: u64): usize {
  return asked + ((<usize>(id & (ASKED_BITS - 1))) >> 3);
}

/** On a new table, whose targets may have come and gone since they were asked after. */
export function forgetAsked(): void {
  memory.fill(asked, 0, ASKED_BITS / 8);
}
