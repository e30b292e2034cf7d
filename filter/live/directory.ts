// The directory of live tables, one shared value that is changed by compare-and-swap alone: u32 the last owner's number, u32 unused, and a
// record for each live table of the process. A record tells which table serves, how far it has come, and who polls for it.
import { got, gotCas, gotLen, shared, swapShared } from "../host/calls";
import { writer } from "../host/writer";
import { name, nameLen, tablesName } from "../table/names";
import { ABANDONED } from "../table/layouts";

const FIXED = 8;

/** The owner writes buckets; where an owner is gone in the middle of that, nobody knows what the table holds. */
export const WRITING: u32 = 1;
/** All buckets are of one revision, and the digest has been compared. */
export const CONSISTENT: u32 = 2;
/** The server's last answers could not be used, and that was told. */
export const TROUBLE: u32 = 4;


@unmanaged
export class TableState {
  /** Of the server's history, and the revision up to which the table holds everything. */
  history: u64;
  revision: u64;
  /** Of what stands in shared data. */
  digest: u64;
  rulesHash: u64;
  /** Where it stands; -1 for nowhere yet. */
  slot: i32;
  generation: u32;
  /** All buckets before this one are there; outside of a sweep it is their number. */
  buckets: u32;
  routes: u32;
}


@unmanaged
export class TableRecord extends TableState {
  /** Two hashes of the table's settings. */
  a: u64;
  b: u64;
  /** The worker that polls, and until when, by the monotonic clock in nanoseconds. */
  leaseEnd: u64;
  /** When the server last confirmed the table, by the monotonic clock; of one that is not there yet, when it was first wanted. */
  confirmed: u64;
  owner: u32;
  /** Where the owner builds the table's successor, if it does; else -1. */
  building: i32;
  buildingGeneration: u32;
  /** Changes so far, and among them those of rules. */
  changes: u32;
  rules: u32;
  flags: u32;
  /** Answers in a row that could not be used. */
  failures: u32;
}

/** Makes one state what the other is. */
export function copyState(to: TableState, from: TableState): void {
  memory.copy(changetype<usize>(to), changetype<usize>(from), offsetof<TableState>());
}

const SIZE = <i32>offsetof<TableRecord>();

const copy = writer();
let cas: u32 = 0;

export function readDirectory(): void {
  tablesName();
  copy.clear();
  if (shared(name, nameLen) && gotLen >= FIXED) copy.bytes(got, gotLen);
  else copy.u64(0);
  cas = gotCas;
}

/** False when another worker has changed the directory since it was read. */
export function writeDirectory(): bool {
  tablesName();
  return swapShared(name, nameLen, copy.at, copy.len, cas);
}

export function recordCount(): i32 {
  return (copy.len - FIXED) / SIZE;
}

export function recordAt(i: i32): TableRecord {
  return changetype<TableRecord>(copy.at + FIXED + i * SIZE);
}

/** The record of the table with these hashes in the directory last read; null when there is none. */
export function findRecord(a: u64, b: u64): TableRecord | null {
  for (let i = 0; i < recordCount(); i++) {
    const record = recordAt(i);
    if (record.a == a && record.b == b) return record;
  }
  return null;
}

/** Adds a record, for the caller to write. One that nobody has polled for for long is used again. */
export function addRecord(a: u64, b: u64, time: u64): TableRecord {
  let i = 0;
  while (i < recordCount() && time < recordAt(i).leaseEnd + ABANDONED) i++;
  if (i == recordCount()) copy.room(SIZE);
  const record = recordAt(i);
  memory.fill(changetype<usize>(record), 0, SIZE);
  record.a = a;
  record.b = b;
  record.leaseEnd = record.confirmed = time;
  record.slot = record.building = -1;
  return record;
}

/** A number for a worker that polls, which no other one of the process has; the caller writes the directory. */
export function newOwner(): u32 {
  const next = load<u32>(copy.at) + 1;
  store<u32>(copy.at, next);
  return next;
}
