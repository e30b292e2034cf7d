// `trace` as a source. A request that comes in with a key has it remembered by the ids of its trace; one that goes out without a key has
// that of its trace again. Nobody else reads or writes the memory: a key is only handed on by the workload that the trace came to.
//
// A trace follows its newest request that came in, also when that had no key: so whoever sends the id of somebody's trace without a key ends what
// is remembered of it, and gets nothing. Work that goes on in a trace, such as that of a stream which is held for hours, keeps its key remembered.
import { carried, carriedLen, carriedSource } from "../decision";
import { count, metricValue, monotonic } from "../host/calls";
import { INBOUND, OUTBOUND } from "../host/directions";
import * as metrics from "../metrics";
import { cluster, clusterLen, direction, readCluster } from "../request";
import { isOutboundName } from "../table/cluster";
import { collectIds, headerOfId, highOf, idCount, isUntraced, lowOf } from "./ids";
import { findKey, conflicted, evicted, foundAges, renewKey, setKey } from "./memory";
import { bucketSize, directionOf, lifetime } from "./options";

/** How many requests had their key remembered or given back when this worker last looked, and when it last saw the number move. */
let used: u64 = 0;
let moved: u64 = 0;
/** The time of the request at hand, once it was asked for, and what is known of it. */
let time: u64 = 0;
let mayBeRemembered = false;
let isUnrecovered = false;
/** Whether the last request had a key. The next one is likely to have one, too, and a keyed request needs many headers. */
export let expectsKey = false;
/** The id that gave the key back. */
let recoveredBy = 0;

function directionFor(options: usize): u32 {
  const said = directionOf(options);
  return said ? said : direction();
}

// As long as no key has come in, and none was given back, for as long as one is remembered, there is nothing to find: two or three calls tell,
// and no header is read.
function someRemembered(options: usize): bool {
  time = monotonic();
  if (used != 0 && time - moved <= lifetime(options)) return true;
  let now = metricValue(metrics.remembered);
  if (now != 0) now += metricValue(metrics.recovered);
  if (now != used) {
    used = now;
    moved = time;
  }
  return used != 0 && moved == time;
}

/** For a request without a key: whether its trace came in with one, which is (`foundKey`, `foundLen`) then. */
export function recover(options: usize): bool {
  isUnrecovered = false;
  mayBeRemembered = someRemembered(options);
  if (!mayBeRemembered) return false;
  // The cluster is needed where a key is found, and may say the direction.
  if (directionOf(options) == 0) readCluster();
  if (directionFor(options) != OUTBOUND) return false;
  collectIds(options);
  for (let i = 0; i < idCount; i++) {
    if (!findKey(lowOf(i), highOf(i), time, lifetime(options))) continue;
    recoveredBy = i;
    return true;
  }
  isUnrecovered = true;
  return false;
}

/** Takes note of a request that was decided. What comes in and is routed goes on to another workload, where it is remembered. */
export function noteTrace(options: usize, isRouted: bool): void {
  expectsKey = carriedSource != 0;
  if (carriedSource == options) {
    count(metrics.recovered);
    count(metrics.recoveredBy(headerOfId(recoveredBy)));
    if (foundAges) renewKey(lowOf(recoveredBy), highOf(recoveredBy), time, lifetime(options), bucketSize(options));
  } else if (carriedSource == 0) {
    if (isUnrecovered) noteUnrecovered();
    else if (mayBeRemembered && directionFor(options) == INBOUND) forget(options);
  } else if (isRouted) {
    // There is nothing to remember, so nobody is asked for the direction; it counts where it is known.
    if (directionOf(options) == OUTBOUND || isOutboundName(cluster, clusterLen)) count(metrics.forwarded);
  } else {
    const way = directionFor(options);
    if (way == INBOUND) remember(options);
    else if (way == OUTBOUND) count(metrics.forwarded);
  }
}

function noteUnrecovered(): void {
  count(metrics.unrecovered);
  if (isUntraced()) count(metrics.unrecoveredUntraced);
}

function remember(options: usize): void {
  collectIds(options);
  if (idCount == 0) return count(metrics.untraced);
  time = monotonic();
  write(options, carriedLen);
  count(metrics.remembered);
}

function forget(options: usize): void {
  collectIds(options);
  write(options, 0);
}

function write(options: usize, len: i32): void {
  let conflicts = false;
  for (let i = 0; i < idCount; i++) {
    setKey(lowOf(i), highOf(i), carried, len, time, lifetime(options), bucketSize(options));
    conflicts = conflicts || conflicted;
    for (let n = evicted; n > 0; n--) count(metrics.evicted);
  }
  if (conflicts) count(metrics.conflicts);
}
