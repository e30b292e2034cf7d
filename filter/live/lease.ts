// Who polls for a table: the one worker of the process that holds the lease in the table's record. A worker renews its lease at every
// tick; one that has not done so for `LEASE` is taken to be gone, and another takes over.
import { monotonic } from "../host/calls";
import { abandon, claimNew, foundGeneration, bucketsBefore } from "../table/slots";
import {
  CONSISTENT,
  TableRecord,
  TableState,
  WRITING,
  addRecord,
  copyState,
  findRecord,
  newOwner,
  readDirectory,
  writeDirectory,
} from "./directory";
import { LiveTable } from "./tables";

const LEASE: u64 = 750000000;
const MOST_TRIES = 100;

/** This VM's number among the owners of leases; 0 while it has none. */
let owner: u32 = 0;

/** The table's record in the directory, read again, while this VM holds its lease; else null. */
export function ownRecord(table: LiveTable): TableRecord | null {
  readDirectory();
  const record = findRecord(table.a, table.b);
  if (record && owner != 0 && record.owner == owner) return record;
  table.owns = false;
  return null;
}

/** Takes or renews the lease; false while another worker has it. */
export function takeLease(table: LiveTable): bool {
  for (let i = 0; i < MOST_TRIES; i++) {
    readDirectory();
    const time = monotonic();
    const known = findRecord(table.a, table.b);
    const record = known ? known : addRecord(table.a, table.b, time);
    const mine = owner != 0 && record.owner == owner;
    if (!mine) table.owns = false;
    if (!mine && record.owner != 0 && time < record.leaseEnd) return false;
    const number = owner ? owner : newOwner();
    record.owner = number;
    table.leaseEnd = record.leaseEnd = time + LEASE;
    if (!writeDirectory()) continue;
    owner = number;
    if (!table.owns) takeOver(table, record);
    return table.owns;
  }
  return false;
}

// Goes on where the last owner has stopped. A table that it was writing to, or building, is begun anew.
function takeOver(table: LiveTable, record: TableRecord): void {
  table.owns = true;
  table.token = 0;
  table.due = 0;
  table.restarts = 0;
  if (record.slot < 0 || record.flags & WRITING) return begin(table);
  forget(table);
  table.fresh = false;
  table.swept = true;
  table.consistent = (record.flags & CONSISTENT) != 0;
  copyState(table, record);
  table.reserved = record.buckets;
}

/** Begins a new table, in a slot of its own; the one that serves goes on serving until the new one is whole. */
export function begin(table: LiveTable): void {
  const slot = claimNew(table.a);
  if (slot < 0) {
    table.owns = false;
    return;
  }
  memory.fill(changetype<usize>(table), 0, offsetof<TableState>());
  table.slot = slot;
  table.generation = foundGeneration;
  table.reserved = bucketsBefore;
  forget(table);
  table.fresh = true;
  table.swept = table.consistent = false;
  for (let i = 0; i < MOST_TRIES; i++) {
    const record = ownRecord(table);
    if (!record) break;
    const building = record.building;
    const buildingGeneration = record.buildingGeneration;
    record.building = slot;
    record.buildingGeneration = table.generation;
    if (!writeDirectory()) continue;
    if (building >= 0) abandon(building, buildingGeneration);
    return;
  }
  table.owns = false;
  abandon(slot, table.generation);
}

/** Forgets the sweep at which the table is. */
export function forget(table: LiveTable): void {
  table.next = table.pages = table.newFrom = 0;
  table.atNew = table.passedOver = false;
}

/** Renews the lease for the writes of one page, and says of a table that serves that it is being written to. */
export function beginWriting(table: LiveTable): bool {
  for (let i = 0; i < MOST_TRIES; i++) {
    const record = ownRecord(table);
    if (!record) return false;
    table.leaseEnd = record.leaseEnd = monotonic() + LEASE;
    if (!table.fresh) record.flags |= WRITING;
    if (writeDirectory()) return true;
  }
  table.owns = false;
  return false;
}
