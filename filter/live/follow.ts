// How a root context comes to serve from a live table, and follows its changes. Every worker counts one metric that moves with each change of
// a live table, which costs a tenth of what reading shared data does, and looks further only when it has moved.
import { got, gotLen, metricValue, now, record as recordMetric, shared } from "../host/calls";
import * as metrics from "../metrics";
import { forgetProbed } from "../missing/target";
import { Root } from "../roots";
import { composeHeader, generation, setNumbers } from "../table/header";
import { headerName, name, nameLen } from "../table/names";
import { countUser } from "../table/slots";
import { TableRecord, findRecord, readDirectory } from "./directory";

/** Between two times that a worker forgets which targets it has probed, in nanoseconds. */
const PROBED_FOR: u64 = 60000000000;
let forgot: u64 = 0;

/** Before a request: looks whether the table has changed since the one before. */
// @ts-ignore: decorator
@inline
export function follow(root: Root): void {
  const changes = metricValue(metrics.tableChanges);
  if (changes == root.seen) return;
  root.seen = changes;
  refresh(root);
}

/** Serves from the root context's live table as it is now, if there is one. */
export function refresh(root: Root): void {
  const table = root.table;
  if (!table) return;
  readDirectory();
  const record = findRecord(table.a, table.b);
  if (!record || record.slot < 0) return;
  const moved = record.slot != root.liveSlot || record.generation != root.liveGeneration;
  if (!moved && record.changes == root.changes) return;
  if ((moved || record.rules != root.rules) && !takeHeader(root, record, moved)) return;
  setNumbers(root.header.at, record.buckets, record.routes);
  root.changes = record.changes;
  root.keySlot = root.liveSlot;
  root.tag = (<u64>root.liveGeneration) | ((<u64>root.changes) << 32);
  recordMetric(metrics.tableRoutes, record.routes);
  recordMetric(metrics.tableVersion, root.liveGeneration);
  const time = now();
  if (time - forgot < PROBED_FOR) return;
  forgot = time;
  forgetProbed();
}

// False when the table has been given up for another one meanwhile, of which the next look will tell.
function takeHeader(root: Root, record: TableRecord, moved: bool): bool {
  headerName(record.slot);
  if (!shared(name, nameLen) || gotLen == 0 || generation(got) != record.generation) return false;
  composeHeader(root.header, root.own.at, got, gotLen);
  root.rules = record.rules;
  if (!moved) return true;
  releaseLive(root);
  root.liveSlot = record.slot;
  root.liveGeneration = record.generation;
  if (root.counted) retainLive(root);
  return root.liveSlot >= 0;
}

/** Counts the root context among the users of its live table's slot; one that finds the slot given away serves its own configuration. */
export function retainLive(root: Root): void {
  if (root.liveSlot < 0 || root.liveCounted) return;
  root.liveCounted = countUser(root.liveSlot, root.liveGeneration, 1);
  if (!root.liveCounted) serveOwn(root);
}

export function releaseLive(root: Root): void {
  if (root.liveSlot >= 0) countUser(root.liveSlot, root.liveGeneration, root.liveCounted ? -1 : 0);
  root.liveCounted = false;
}

/** Serves what the configuration itself has. */
export function serveOwn(root: Root): void {
  root.liveSlot = -1;
  root.liveCounted = false;
  root.keySlot = root.slot;
  root.tag = root.generation;
  root.seen = <u64>-1;
  root.header.clear().bytes(root.own.at, root.own.len);
}
