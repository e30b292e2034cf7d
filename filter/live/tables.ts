// The live tables that this VM's root contexts want, and how far this VM has come with those that it polls for: the state is that of the table
// that it brings up to date, which may be a new one that nobody sees yet.
import { allocate } from "../host/memory";
import { Writer, writer } from "../host/writer";
import { defineLiveMetrics } from "../metrics";
import { TableState } from "./directory";
import { identityOf, otherIdentityOf, settingsLen } from "./settings";


@unmanaged
export class LiveTable extends TableState {
  /** Two hashes of its settings. */
  a: u64;
  b: u64;
  /** By the monotonic clock in nanoseconds: when the question in flight was sent, when the next one is due, when the lease ends. */
  askedAt: u64;
  due: u64;
  leaseEnd: u64;
  /** The server's revision at the first page of the sweep, and when that came, by the monotonic clock. */
  base: u64;
  baseAt: u64;
  /** Of the pages of the sweep, the smallest number of buckets that one has told. */
  fewest: u32;
  /** The buckets that the slot says that it may have. */
  reserved: u32;
  /** The index that the sweep goes on with, and its pages so far. */
  next: u32;
  pages: u32;
  /** In a sweep of several pages by which the table grows: the first of the new buckets, which are fetched before the others; else 0. */
  newFrom: u32;
  /** The call in flight, 0 for none, and the root context that has sent it. */
  token: u32;
  asker: u32;
  /** Tables begun anew since one was whole. */
  restarts: u32;
  /** Root contexts of this VM that want the table. */
  roots: i32;
  /** This VM holds the lease. */
  owns: bool;
  /** The table is being built in a slot of its own, where nobody sees it. */
  fresh: bool;
  /** A sweep has been completed, so there is a revision. */
  swept: bool;
  consistent: bool;
  /** The server may hold the question in flight until something has changed. */
  waited: bool;
  /** Something of the sweep could not be written yet, so it has to be asked for again. */
  passedOver: bool;
  /** The sweep is at the new buckets. */
  atNew: bool;
  settings: Writer;
}

const tables = writer();

function tableAt(i: i32): LiveTable {
  return changetype<LiveTable>(<usize>load<u32>(tables.at + (i << 2)));
}

function tableCount(): i32 {
  return tables.len >> 2;
}

/** The table with these settings, for one root context more. */
export function joinTable(settings: usize): LiveTable {
  defineLiveMetrics();
  const a = identityOf(settings);
  const b = otherIdentityOf(settings);
  let free: LiveTable | null = null;
  for (let i = 0; i < tableCount(); i++) {
    const table = tableAt(i);
    if (table.a == a && table.b == b) {
      table.roots++;
      return table;
    }
    if (table.roots == 0) free = table;
  }
  const table = free ? free : newTable();
  const kept = table.settings;
  memory.fill(changetype<usize>(table), 0, offsetof<LiveTable>());
  table.settings = kept;
  kept.clear().bytes(settings, settingsLen(settings));
  table.a = a;
  table.b = b;
  table.roots = 1;
  return table;
}

/** A root context less wants the table. */
export function leaveTable(table: LiveTable): void {
  if (--table.roots == 0) table.owns = false;
}

/** The table that the call with this token was sent for. */
export function tableOfCall(token: u32): LiveTable | null {
  for (let i = 0; i < tableCount(); i++) if (token != 0 && tableAt(i).token == token) return tableAt(i);
  return null;
}

function newTable(): LiveTable {
  const at = allocate(offsetof<LiveTable>() + offsetof<Writer>());
  memory.fill(at, 0, offsetof<LiveTable>() + offsetof<Writer>());
  const table = changetype<LiveTable>(at);
  table.settings = changetype<Writer>(at + offsetof<LiveTable>());
  tables.u32(<u32>at);
  return table;
}
