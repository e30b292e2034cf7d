// Marks of targets that can't be used at the moment. The watch module and the filter make them, the filter reads them before it
// selects a target, and whoever finds the target back removes its mark.
//
// There are as many shared values for marks as `MARK_GROUPS` says, and a target's hash names the one that holds its mark. So a target
// that has no mark costs one read that finds nothing, and no target's name stays behind in shared data. A value holds up to
// `MOST` marks; where one more is needed, the mark that was due longest ago makes room, and its target is probed again.
//
//   a mark: u64 hash of the target; u64 when a probe is due; u64 when a trial is due or, in a trial, when it has succeeded;
//   u16 state; u8 1 when a trial has ever succeeded; u8 1 when it is certain that no request would be served;
//   u32 milliseconds from a trial that fails to the next
// Times are nanoseconds since 1970.
import { got, gotCas, gotLen, setShared, shared } from "../host/calls";
import { writer } from "../host/writer";
import { MARK_GROUPS, markName, name, nameLen } from "../table/names";

/** There is no such cluster, whoever asks. */
export const ABSENT: u32 = 1;
/** The cluster has no host, or none that is healthy. A probe that Envoy accepts ends this and the one before. */
export const GONE: u32 = 2;
/** The target's hosts refuse connections. Only an answer of the target's own ends it. */
export const REFUSING: u32 = 3;
/** One request has been let through, and has succeeded unless a failure is told in time. */
export const TRIAL: u32 = 4;
/** A trial has succeeded although probes fail, so for this target a probe that fails proves nothing. */
export const UNPROBEABLE: u32 = 5;

const MOST = 8;
const SIZE = 32;
const DUE = 8;
const TRIAL_DUE = 16;
const STATE = 24;
const PROVEN = 26;
const CERTAIN = 27;
const WAIT = 28;

const group = writer();
let cas: u32 = 0;
/** The offset in the group of the mark last read, -1 when there is none. */
let offset = -1;

/** Reads the target's mark; false when it has none. */
export function readMark(target: u64): bool {
  markName((<u32>target) & (MARK_GROUPS - 1));
  if (!shared(name, nameLen) || gotLen == 0) {
    group.clear();
    cas = gotCas;
    offset = -1;
    return false;
  }
  group.clear().bytes(got, gotLen);
  cas = gotCas;
  for (offset = group.len - SIZE; offset >= 0; offset -= SIZE) {
    if (load<u64>(group.at + offset) == target) return true;
  }
  return false;
}

/** Adds a mark to the group last read, for the target that has none there; the caller fills it in and writes it. */
export function addMark(target: u64): void {
  if (group.len >= MOST * SIZE) offset = longestDue();
  else {
    offset = group.len;
    group.room(SIZE);
  }
  memory.fill(group.at + offset, 0, SIZE);
  store<u64>(group.at + offset, target);
}

function longestDue(): i32 {
  let longest = 0;
  for (let at = SIZE; at < group.len; at += SIZE) {
    if (load<u64>(group.at + at, DUE) < load<u64>(group.at + longest, DUE)) longest = at;
  }
  return longest;
}

/** Takes the mark last read out of its group; the caller writes it. */
export function removeMark(): void {
  const last = group.len - SIZE;
  memory.copy(group.at + offset, group.at + last, SIZE);
  group.len = last;
}

/** Writes the group last read back; false when another thread has changed it since. */
export function writeMarks(): bool {
  markName((<u32>load<u64>(group.at + offset)) & (MARK_GROUPS - 1));
  return setShared(name, nameLen, group.at, group.len, cas);
}

export function state(): u32 {
  return load<u16>(group.at + offset, STATE);
}

export function setState(to: u32): void {
  store<u16>(group.at + offset, <u16>to, STATE);
}

export function due(): u64 {
  return load<u64>(group.at + offset, DUE);
}

export function setDue(at: u64): void {
  store<u64>(group.at + offset, at, DUE);
}

export function trialDue(): u64 {
  return load<u64>(group.at + offset, TRIAL_DUE);
}

export function setTrialDue(at: u64): void {
  store<u64>(group.at + offset, at, TRIAL_DUE);
}

export function isProven(): bool {
  return load<u8>(group.at + offset, PROVEN) != 0;
}

export function setProven(): void {
  store<u8>(group.at + offset, 1, PROVEN);
}

export function isCertain(): bool {
  return load<u8>(group.at + offset, CERTAIN) != 0;
}

export function setCertain(certain: bool): void {
  store<u8>(group.at + offset, certain ? 1 : 0, CERTAIN);
}

/** In milliseconds. */
export function trialWait(): u32 {
  return load<u32>(group.at + offset, WAIT);
}

export function setTrialWait(ms: u32): void {
  store<u32>(group.at + offset, ms, WAIT);
}
