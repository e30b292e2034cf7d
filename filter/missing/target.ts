// Whether a target can be selected. A target that nothing is known about is probed once per worker and table; one that is
// marked is left alone until a probe, its answer or a trial finds it back.
import { actFor, now } from "../host/calls";
import { mayHaveSubsets } from "../table/cluster";
import { same } from "../text/bytes";
import { hash } from "../text/hash";
import { MAX_CLUSTER } from "../../routes/model/names";
import {
  ABSENT,
  GONE,
  REFUSING,
  TRIAL,
  UNPROBEABLE,
  readMark,
  setDue,
  setProven,
  setState,
  setTrialDue,
  state,
  due,
  isCertain,
  trialDue,
  writeMarks,
} from "./mark";
import { ACCEPTED, NO_CLUSTER, NO_HOST, sendProbe } from "./probe";
import { PERIOD, asksForSubset, markMissing, unmark } from "./verdict";

/** How long a trial has to fail: at once where no host is healthy, after the time to connect where hosts refuse. */
const TRIAL_OF_GONE: u64 = 250000000;
const TRIAL_OF_REFUSING: u64 = 15000000000;
/** How often a target is probed that serves requests although probes of it fail. */
const UNPROBEABLE_PERIOD: u64 = 600000000000;

/**
 * Whether the target can take the request of this stream, which may be a trial, and of an unknown target the first one.
 * `root` is the stream's root context.
 */
export function isAvailable(target: usize, len: i32, root: u32, stream: u32, mayTry: bool, mayTryFirst: bool): bool {
  const id = hashOf(target, len);
  if (!readMark(id)) return isProbed(id) || firstProbe(target, len, id, root, stream, mayTryFirst);
  if (state() == GONE && !isCertain() && asksForSubset()) return true;
  const time = now();
  if (state() == TRIAL && time >= trialDue()) return endTrial(time);
  return time < due() ? state() == UNPROBEABLE : probeAgain(target, len, id, root, stream, time, mayTry);
}

// A probe that no host takes says nothing of requests for a subset, and where the cluster may have subsets, the filter can't see
// all that ask for one: so the first request may be a trial there, and the watcher finds out more when it fails.
function firstProbe(target: usize, len: i32, id: u64, root: u32, stream: u32, mayTry: bool): bool {
  const answer = probe(target, len, id, root, stream);
  const uncertain = answer == NO_HOST && mayHaveSubsets(target, len);
  if (answer == ACCEPTED || (uncertain && mayTry) || (answer == NO_HOST && asksForSubset())) {
    setProbed(id);
    return true;
  }
  markMissing(id, answer == NO_CLUSTER ? ABSENT : GONE, now(), !uncertain);
  return false;
}

// A trial of which no failure was told.
function endTrial(time: u64): bool {
  setState(UNPROBEABLE);
  setProven();
  setDue(time + UNPROBEABLE_PERIOD);
  return writeMarks();
}

// One request of the process sends a probe at a time: the one that moves the mark's time on.
function probeAgain(target: usize, len: i32, id: u64, root: u32, stream: u32, time: u64, mayTry: bool): bool {
  const was = state();
  const trialIsDue = mayTry && was != TRIAL && time >= trialDue();
  setDue(time + (was == UNPROBEABLE ? UNPROBEABLE_PERIOD : PERIOD));
  if (!writeMarks()) return was == UNPROBEABLE;
  const answer = probe(target, len, id, root, stream);
  if (answer == ACCEPTED && (was == ABSENT || was == GONE || was == UNPROBEABLE)) {
    unmark(id, was);
    setProbed(id);
    return true;
  }
  if (was == UNPROBEABLE) return true;
  if (was == ABSENT) {
    if (answer == NO_HOST) markMissing(id, GONE, time, !mayHaveSubsets(target, len));
    return false;
  }
  return trialIsDue && answer != NO_CLUSTER && beginTrial(id, was, time);
}

function beginTrial(id: u64, was: u32, time: u64): bool {
  if (!readMark(id) || state() != was) return false;
  setState(TRIAL);
  setTrialDue(time + (was == REFUSING ? TRIAL_OF_REFUSING : TRIAL_OF_GONE));
  return writeMarks();
}

// A stream's own probes would end with it, so its root context sends them. Where that is gone, no probe is sent.
function probe(target: usize, len: i32, id: u64, root: u32, stream: u32): i32 {
  if (!actFor(root)) return ACCEPTED;
  const answer = sendProbe(target, len, id);
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

// One bit for each target that this worker has probed: as many bits as make it rare that two targets share one, in which
// case the second is not probed.
const PROBED_BITS = 65536;
const probed = memory.data(PROBED_BITS / 8);

function isProbed(id: u64): bool {
  return (load<u8>(probedByte(id)) & probedBit(id)) != 0;
}

function setProbed(id: u64): void {
  const at = probedByte(id);
  store<u8>(at, <u8>(load<u8>(at) | probedBit(id)));
}

function probedBit(id: u64): u32 {
  return 1 << ((<u32>id) & 7);
}

function probedByte(id: u64): usize {
  return probed + ((<usize>(id & (PROBED_BITS - 1))) >> 3);
}

/** On a new table, whose targets may have come and gone since they were probed. */
export function forgetProbed(): void {
  memory.fill(probed, 0, PROBED_BITS / 8);
}
