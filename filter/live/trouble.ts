// Tells people, in one line each, when a table's server begins to be of no use and when it is in order again. Until then the last table that
// was whole goes on serving.
import { MAX_ANSWER } from "../../routes/model/feed";
import { ERROR, WARN, callBody, callHeader, count, got, gotLen, log, monotonic } from "../host/calls";
import { Writer, writer } from "../host/writer";
import * as metrics from "../metrics";
import { is } from "../text/bytes";
import { hashEnd } from "../text/hash";
import { TROUBLE, TableRecord, writeDirectory } from "./directory";
import { begin, forget, ownRecord } from "./lease";
import { DAMAGED, FOREIGN, TOO_LARGE, pageRevision } from "./page";
import { AUTHORITY, CLUSTER, PATH, openText, text, textLen } from "./settings";
import { LiveTable } from "./tables";

export const NO_CLUSTER = 16;
export const NO_HOST = 17;
export const NO_ANSWER = 18;
export const REFUSED = 19;
export const BACKWARDS = 23;
export const DIGEST = 24;
export const UNSTEADY = 25;
export const UNWRITTEN = 26;

const SECOND: u64 = 1000000000;
const FIRST_WAIT: u64 = 100000000;
const LONGEST_WAIT: u64 = 5000000000;
const MOST_TRIES = 100;
/** Failures in a row after which a sweep begins anew. */
const SAME_AGAIN: u32 = 4;

const line = writer();
const status = writer();

/** How long to wait after so many failures in a row: twice as long each time, and at random between a half and the whole of that. */
export function backOff(failures: u32): u64 {
  const longest = failures > 6 ? LONGEST_WAIT : min(FIRST_WAIT << (failures - 1), LONGEST_WAIT);
  return longest / 2 + (hashEnd(monotonic()) % (longest / 2));
}

/** Counts a question that brought nothing usable, tells of the first one in a row, and lets the next one wait. */
export function fail(table: LiveTable, problem: i32): void {
  for (let i = 0; i < MOST_TRIES; i++) {
    const record = ownRecord(table);
    if (!record) return;
    const told = (record.flags & TROUBLE) != 0;
    record.flags |= TROUBLE;
    record.failures++;
    table.due = monotonic() + backOff(record.failures);
    if (!told) describe(table, record, problem);
    const tries = record.failures;
    if (!writeDirectory()) continue;
    count(metrics.tableErrors);
    if (!told) log(ERROR, line.at, line.len);
    if (table.pages != 0 && tries % SAME_AGAIN == 0) startOver(table);
    return;
  }
}

/** Tells, when that was in doubt, that the table is in order; `record` was written without its TROUBLE flag. */
export function tellEnd(table: LiveTable, revision: u64, failures: u32): void {
  line.clear().say("keyway: table: in order again, at revision ").number(revision).say(" of ");
  sayServer(table);
  line
    .say(", after ")
    .number(failures)
    .say(failures == 1 ? " failure" : " failures");
  log(WARN, line.at, line.len);
}

// What a page of a sweep could not bring again and again, the next sweep may.
function startOver(table: LiveTable): void {
  if (table.fresh) begin(table);
  else forget(table);
}

function describe(table: LiveTable, record: TableRecord, problem: i32): void {
  line.clear().say("keyway: table: ");
  sayProblem(table, problem);
  if (record.slot < 0) line.say("; until a table is there the configuration's routes serve; ");
  else {
    line.say("; the table of revision ").number(record.revision).say(", last confirmed ");
    line.number((monotonic() - record.confirmed) / SECOND).say(" s ago, goes on serving; ");
  }
  sayNext(problem);
}

function sayServer(table: LiveTable): void {
  openText(table.settings.at, CLUSTER);
  line.say('cluster "').plain(text, textLen).say('" (');
  openText(table.settings.at, AUTHORITY);
  line.plain(text, textLen);
  openText(table.settings.at, PATH);
  line.plain(text, textLen).say(")");
}

function sayProblem(table: LiveTable, problem: i32): void {
  if (problem == NO_CLUSTER) line.say("this proxy has no ");
  else if (problem == NO_HOST) line.say("no healthy host in ");
  else if (problem == NO_ANSWER) line.say("no answer from ");
  else if (problem == REFUSED) line.say("an answer with status ").bytes(status.at, status.len).say(" from ");
  else if (problem == FOREIGN) line.say("no page of a table of this layout from ");
  else if (problem == DAMAGED) line.say("a damaged page from ");
  else if (problem == TOO_LARGE) line.say("an answer of more than ").number(MAX_ANSWER).say(" bytes from ");
  else if (problem == BACKWARDS) line.say("revision ").number(pageRevision()).say(", older than the one before, from ");
  else if (problem == UNSTEADY) line.say("a history that changes again and again, from ");
  else if (problem == UNWRITTEN) line.say("shared data can't be written with a page from ");
  else line.say("a table that does not add up to its digest from ");
  sayServer(table);
  if (problem == REFUSED && callBody(0, 200) && gotLen > 0) line.say(": ").plain(got, gotLen);
}

function sayNext(problem: i32): void {
  if (problem == NO_CLUSTER) line.say("add the cluster to the proxy, or mend table.cluster");
  else if (problem == REFUSED && isDenied()) line.say("give table.token a token with the role proxy");
  else if (problem == REFUSED || problem == FOREIGN)
    line.say("see whether table.cluster, table.authority and table.path lead to a route server");
  else line.say("it is asked again; see to the route server where that lasts");
}

function isDenied(): bool {
  return is(status.at, status.len, "401") || is(status.at, status.len, "403");
}

/** Whether the answer has status 200; keeps the status for `fail`. */
export function isOk(): bool {
  status.clear();
  if (!callHeader(":status")) return false;
  status.plain(got, gotLen);
  return is(got, gotLen, "200");
}
