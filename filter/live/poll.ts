// Asks the route server for a table, and takes what it answers: a sweep of pages that brings the table up to date, and then the next sweep, for
// which the server waits until something has changed.
import { LAYOUT, WAIT_SECONDS } from "../../routes/model/feed";
import {
  OK,
  BAD_ARGUMENT,
  actFor,
  count,
  dispatch,
  dispatched,
  monotonic,
  now,
  record as recordMetric,
} from "../host/calls";
import { addPair, allPairs, beginPairs } from "../host/pairs";
import { writer } from "../host/writer";
import * as metrics from "../metrics";
import { finish, foundGeneration, retireSlot, trimSlot } from "../table/slots";
import { AMPERSAND, QUESTION } from "../text/ascii";
import { find } from "../text/bytes";
import { writeBuckets, writeHeader } from "./apply";
import { CONSISTENT, TROUBLE, copyState, recordAt, recordCount, writeDirectory } from "./directory";
import { begin, beginWriting, forget, ownRecord, takeLease } from "./lease";
import {
  USABLE,
  FOREIGN,
  isLast,
  isReset,
  pageBuckets,
  pageDigest,
  pageFrom,
  pageHistory,
  pageNext,
  pageRevision,
  pageRoutes,
  readPage,
  records,
  rules,
  rulesHash,
} from "./page";
import { AUTHORITY, CLUSTER, PATH, SCOPE, TOKEN, addEncoded, openText, text, textLen } from "./settings";
import { LiveTable, tableOfCall } from "./tables";
import {
  BACKWARDS,
  DIGEST,
  NO_ANSWER,
  NO_CLUSTER,
  NO_HOST,
  REFUSED,
  UNSTEADY,
  UNWRITTEN,
  fail,
  isOk,
  tellEnd,
} from "./trouble";

const SECOND: u64 = 1000000000;
const TIMEOUT_MS: u32 = 25000;
/** After this a call whose answer has not come will have none: its root context is gone. */
const LOST: u64 = 30 * SECOND;
/** Between two questions where the server answers at once that nothing is new. */
const PACE: u64 = SECOND / 4;
const MOST_TRIES = 100;
/** Buckets to empty at one tick, and how long nobody has used a slot by then, in nanoseconds. */
const SLICE: u32 = 512;
const UNUSED: u64 = 10 * SECOND;

const path = writer();
const bearer = writer();

/** What the root context that ticks does for its table: holds the lease if it can, and asks if that is due. */
export function tickTable(table: LiveTable, root: u32): void {
  if (!takeLease(table)) return;
  recordAge();
  if (table.token != 0) {
    const asks = table.asker == root || actFor(table.asker);
    actFor(root);
    if (!asks || monotonic() > table.askedAt + LOST) table.token = 0;
  }
  if (table.token == 0 && monotonic() >= table.due) ask(table, root);
  emptySlice(table);
}

// Of all tables that are polled for, the age of the one that was confirmed longest ago.
function recordAge(): void {
  const time = monotonic();
  let oldest = time;
  for (let i = 0; i < recordCount(); i++) {
    const record = recordAt(i);
    if (record.leaseEnd + 10 * SECOND > time) oldest = min(oldest, record.confirmed);
  }
  recordMetric(metrics.tableAge, (time - oldest) / SECOND);
}

// Gives memory back: what slots hold that nobody uses any more, and what this table's slot holds of a larger one that was there before.
function emptySlice(table: LiveTable): void {
  const slot = retireSlot(now() - UNUSED);
  if (slot >= 0) trimSlot(slot, foundGeneration, 0, SLICE);
  if (table.consistent) table.reserved = trimSlot(table.slot, table.generation, table.buckets, SLICE);
}

function ask(table: LiveTable, root: u32): void {
  const settings = table.settings.at;
  openText(settings, PATH);
  path.clear().bytes(text, textLen);
  path.u8(find(text, text + textLen, QUESTION) < text + textLen ? AMPERSAND : QUESTION).say("scope=");
  openText(settings, SCOPE);
  addEncoded(path, text, textLen);
  path.say("&layout=").number(LAYOUT).say("&revision=").number(table.revision);
  if (table.swept) path.say("&history=").hex(table.history);
  if (table.consistent) path.say("&digest=").hex(table.digest);
  path
    .say("&next=")
    .number(table.next)
    .say("&wait=")
    .number(waits(table) ? WAIT_SECONDS : 0);

  const get = "GET";
  const agent = "keyway";
  beginPairs();
  addPair(":method", get.start, get.len);
  addPair(":path", path.at, path.len);
  openText(settings, AUTHORITY);
  addPair(":authority", text, textLen);
  addPair("user-agent", agent.start, agent.len);
  openText(settings, TOKEN);
  if (textLen) {
    bearer.clear().say("Bearer ").bytes(text, textLen);
    addPair("authorization", bearer.at, bearer.len);
  }
  const pairs = allPairs();
  openText(settings, CLUSTER);
  table.waited = waits(table);
  const result = dispatch(text, textLen, pairs.at, pairs.len, TIMEOUT_MS);
  if (result != OK) return fail(table, result == BAD_ARGUMENT ? NO_CLUSTER : NO_HOST);
  table.token = dispatched;
  table.asker = root;
  table.askedAt = monotonic();
}

// A server holds a question from which nothing follows but waiting.
function waits(table: LiveTable): bool {
  return table.consistent && table.pages == 0;
}

/** On the answer to a call; false when it is not one of these. `headers` is 0 when there is no answer. */
export function hearPage(root: u32, token: u32, headers: u32, bytes: u32): bool {
  const table = tableOfCall(token);
  if (!table) return false;
  table.token = 0;
  if (!table.owns || !ownRecord(table)) return true;
  if (headers == 0) fail(table, NO_ANSWER);
  else if (!isOk()) fail(table, REFUSED);
  else hear(table, readPage(bytes, table.next));
  if (table.owns && table.token == 0 && monotonic() >= table.due) ask(table, root);
  return true;
}

function hear(table: LiveTable, problem: i32): void {
  if (problem != USABLE) return fail(table, problem);
  const begins = table.pages == 0;
  const knows = table.swept || !begins;
  const same = isSame(table);
  if (isReset() || (knows && pageHistory() != table.history && !same)) return restart(table);
  if (pageFrom() != table.revision || (!table.swept && isLast() && rules.len == 0)) return fail(table, FOREIGN);
  if (pageRevision() < (begins ? table.revision : table.base) && !same) return fail(table, BACKWARDS);
  if (begins) {
    table.history = pageHistory();
    table.base = pageRevision();
    table.baseAt = monotonic();
    table.fewest = <u32>-1;
  }
  table.pages++;
  table.fewest = min(table.fewest, pageBuckets());
  table.routes = pageRoutes();
  if (begins && !isLast() && !table.fresh && table.buckets != 0 && pageBuckets() > table.buckets) {
    table.atNew = true;
    table.newFrom = table.next = table.buckets;
    return;
  }
  takePage(table);
}

// Whether the server has the very table that is here, whatever its history and its revision, as after a restored backup.
function isSame(table: LiveTable): bool {
  return table.pages == 0 && table.consistent && isLast() && records == 0 && pageDigest() == table.digest;
}

// Begins anew: at once the first time, as when an older backup of the server was restored.
function restart(table: LiveTable): void {
  if (table.restarts++ > 0) fail(table, UNSTEADY);
  if (table.owns) begin(table);
}

function takePage(table: LiveTable): void {
  const newRules = rules.len != 0 && rulesHash != table.rulesHash;
  const writes = records != 0 || newRules;
  if (writes && !beginWriting(table)) return;
  const ok = (records == 0 || writeBuckets(table)) && (!newRules || writeHeader(table));
  if (!ok) return giveUp(table);
  if (newRules) {
    table.digest += rulesHash - table.rulesHash;
    table.rulesHash = rulesHash;
  }
  const ends = goOn(table);
  const single = ends && table.pages == 1;
  if (single && !writes && table.waited && monotonic() < table.askedAt + PACE) table.due = table.askedAt + PACE;
  if (ends) endSweep(table);
  const sound = !single || table.digest == pageDigest();
  table.consistent = single && sound;
  if (!table.fresh) commit(table, ends && sound, writes, newRules);
  else if (table.consistent && !publish(table)) return giveUp(table);
  if (sound || !table.owns) return;
  fail(table, DIGEST);
  begin(table);
}

// Where the sweep goes on; true at its end.
function goOn(table: LiveTable): bool {
  table.next = pageNext();
  if (table.atNew) {
    if (isLast()) {
      table.atNew = false;
      table.buckets = table.fewest;
    }
    return false;
  }
  return isLast() || (table.newFrom != 0 && table.next >= table.newFrom);
}

function endSweep(table: LiveTable): void {
  if (!table.passedOver) table.revision = table.base;
  table.buckets = table.fewest;
  table.swept = true;
  forget(table);
}

// The lease or the slot was lost in the middle of a page, or the host refused a write: whoever has the lease next begins anew.
function giveUp(table: LiveTable): void {
  fail(table, UNWRITTEN);
  table.owns = false;
}

// Lets the table that was built be seen, once it is known to be the server's.
function publish(table: LiveTable): bool {
  if (!beginWriting(table)) return false;
  if (!finish(table.slot, table.generation, table.buckets)) return false;
  table.fresh = false;
  table.restarts = 0;
  commit(table, true, true, true);
  return true;
}

// Tells everybody how far the table is; `confirmed` by the server.
function commit(table: LiveTable, confirmed: bool, changed: bool, newRules: bool): void {
  for (let i = 0; i < MOST_TRIES; i++) {
    const record = ownRecord(table);
    if (!record) return;
    if (record.slot != table.slot) record.building = -1;
    copyState(record, table);
    if (changed) record.changes++;
    if (newRules) record.rules++;
    const failures = record.failures;
    const ended = confirmed && table.consistent && (record.flags & TROUBLE) != 0;
    if (confirmed) record.confirmed = table.baseAt;
    if (confirmed && table.consistent) record.failures = 0;
    record.flags = (table.consistent ? CONSISTENT : 0) | (ended ? 0 : record.flags & TROUBLE);
    if (!writeDirectory()) continue;
    if (changed) count(metrics.tableChanges);
    if (ended) tellEnd(table, table.revision, failures);
    return;
  }
  table.owns = false;
}
