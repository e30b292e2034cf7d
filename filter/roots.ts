// The root contexts of this VM, each with the table that it serves from. Envoy puts every plugin with the same code and
// vm_id into one VM, and during an update it also holds the old configuration and the new one. So nothing that belongs to a
// configuration is global.
//
// A stream does not know its root context: being told, by on_context_create, costs every request more than all the rest.
// With one table in use there is nothing to tell apart. With several, each root context declares a property of its own that
// can be set only once per stream; the stream sets it twice, and the second try fails in the root context it belongs to.
// Filters of several plugins share a stream's properties, so the plugin's name narrows the choice first.
import { actFor, foreign, got, gotLen, property, setProperty, shared } from "./host/calls";
import { allocate } from "./host/memory";
import { Writer, writer } from "./host/writer";
import { refresh, releaseLive, retainLive, serveOwn } from "./live/follow";
import { LiveTable, joinTable, leaveTable } from "./live/tables";
import { forgetProbed } from "./missing/target";
import { LOWER_A } from "./text/ascii";
import { defineEdgeMetrics, defineTraceMetrics } from "./metrics";
import { generation, hasEdge, settingsOf, traceOf } from "./table/header";
import { headerName, name, nameLen } from "./table/names";
import { countUser, reserveBuckets } from "./table/slots";
import { hash } from "./text/hash";

/** Requests until the root contexts are looked through for dead ones again, while several tables are in use. */
const REAP_AGAIN = 256;


@unmanaged
export class Root {
  id: u32;
  /** The record's number; a record of a root context that is gone is used again. */
  ordinal: i32;
  live: bool;
  /** Its own configuration was rejected. */
  rejected: bool;
  /** It has no table, and its header says what is taken off requests meanwhile. */
  guarded: bool;
  /** Counted among its slot's users. */
  counted: bool;
  /** The port that its first request came to while several tables were in use; 0 before. */
  port: u64;
  /** Its plugin's name is known to stand in several places at once behind that port. */
  parallel: bool;
  /** Of its configuration's table; -1: no table, the baseline serves. */
  slot: i32;
  generation: u32;
  plugin: u64;
  /** The live table that its configuration asks for. */
  table: LiveTable | null;
  /** Where the live table stands that it serves from, -1 for none yet, and what it knows of that: see live/directory.ts. */
  liveSlot: i32;
  liveGeneration: u32;
  changes: u32;
  rules: u32;
  liveCounted: bool;
  /** The metric of changes as it was when the directory was last read. */
  seen: u64;
  /** Where key routes are looked up, and how the key cache names the state of that table. */
  keySlot: i32;
  tag: u64;
  /** The header that is served from, and that of the configuration alone. */
  header: Writer;
  own: Writer;
}

const records = writer();
let total = 0;
/** The root context configured last. */
let current: Root | null = null;
let severalTables = false;
/** Whether plugins of several names live here, whose filters may stand in one filter chain. */
export let severalPlugins = false;
let untilReap = 0;
/** True until this VM is configured a second time: it may be the canary, in which Envoy only tries a configuration. */
export let isCanary = true;

/** A record for the root context that is acting. */
export function addRoot(id: u32): Root {
  isCanary = total == 0;
  let i = 0;
  while (i < total && rootAt(i).live) i++;
  const root = i < total ? rootAt(i) : newRecord();
  root.id = id;
  root.live = true;
  root.rejected = root.guarded = root.counted = root.parallel = false;
  root.port = 0;
  root.slot = root.liveSlot = -1;
  root.generation = 0;
  root.table = null;
  root.liveCounted = false;
  root.plugin = pluginHash();
  declareMark(root);
  return root;
}

/** Forgets the root contexts that Envoy has destroyed, and counts the others among the users of their slots. */
export function reapRoots(): void {
  for (let i = 0; i < total; i++) {
    const root = rootAt(i);
    if (!root.live) continue;
    if (actFor(root.id)) retain(root);
    else {
      root.live = false;
      transferTable(root);
      release(root);
      leave(root);
      if (root == current) current = null;
    }
  }
  if (!current) current = newest();
  tellTablesApart();
}

function newest(): Root | null {
  let best: Root | null = null;
  for (let i = 0; i < total; i++) {
    const root = rootAt(i);
    if (root.live && (!best || root.id > best.id)) best = root;
  }
  return best;
}

function newRecord(): Root {
  const size = offsetof<Root>() + 2 * offsetof<Writer>();
  const at = allocate(size);
  memory.fill(at, 0, size);
  const root = changetype<Root>(at);
  root.header = changetype<Writer>(at + offsetof<Root>());
  root.own = changetype<Writer>(at + offsetof<Root>() + offsetof<Writer>());
  root.ordinal = total++;
  records.u32(<u32>changetype<usize>(root));
  return root;
}

function rootAt(i: i32): Root {
  return changetype<Root>(<usize>load<u32>(records.at + (i << 2)));
}

/** The table of that generation becomes the root context's; false when its slot can't be read or was given away meanwhile. */
export function serveFrom(root: Root, slot: i32, wanted: u32): bool {
  if (slot < 0) return false;
  headerName(slot);
  if (!shared(name, nameLen) || gotLen == 0 || generation(got) != wanted) return false;
  release(root);
  leave(root);
  root.own.clear().bytes(got, gotLen);
  root.guarded = false;
  root.slot = slot;
  root.generation = wanted;
  serveOwn(root);
  if (traceOf(root.own.at) != 0) defineTraceMetrics();
  if (hasEdge(root.own.at)) defineEdgeMetrics();
  const settings = settingsOf(root.own.at);
  if (settings) {
    root.table = joinTable(settings);
    refresh(root);
  }
  forgetProbed();
  if (isCanary) reserveBuckets(slot, wanted, 0);
  else retain(root);
  return root.slot >= 0;
}

function leave(root: Root): void {
  if (root.table) leaveTable(root.table!);
  root.table = null;
}

/** The record of the root context with this id; null when this VM has none. */
export function findRoot(id: u32): Root | null {
  for (let i = 0; i < total; i++) if (rootAt(i).live && rootAt(i).id == id) return rootAt(i);
  return null;
}

/** Says of all root contexts that they still use their slots. */
export function renewRoots(): void {
  for (let i = 0; i < total; i++) {
    const root = rootAt(i);
    if (!root.live || !root.counted) continue;
    countUser(root.slot, root.generation, 0);
    if (root.liveCounted) countUser(root.liveSlot, root.liveGeneration, 0);
  }
}

function release(root: Root): void {
  if (root.slot >= 0) countUser(root.slot, root.generation, root.counted ? -1 : 0);
  root.counted = false;
  releaseLive(root);
}

/**
 * Counts the root context among the users of its slot. A VM that may be the canary does so later, by a request or a tick: the
 * canary gets neither, and is gone without a word. A root context that finds its slot given to another table serves the baseline.
 */
export function retain(root: Root): void {
  if (root.counted || root.slot < 0) return;
  root.counted = countUser(root.slot, root.generation, 1);
  if (!root.counted) root.slot = -1;
  else retainLive(root);
}

// Whether the other is of the same plugin.
function isSibling(other: Root, root: Root): bool {
  return other != root && other.live && other.plugin == root.plugin;
}

/**
 * Lets a root context whose configuration was rejected go on with the table that it replaces: that of the same plugin. Where
 * several tables have that name, the one it replaces is found by its first request (`inheritByPort`), or is the one whose root
 * context dies next (`transferTable`).
 */
export function inherit(successor: Root): void {
  let newest: Root | null = null;
  for (let i = 0; i < total; i++) {
    const root = rootAt(i);
    if (!isSibling(root, successor) || root.slot < 0) continue;
    if (newest && newest.slot != root.slot) return;
    if (!newest || root.id > newest.id) newest = root;
  }
  if (newest) serveFrom(successor, newest.slot, newest.generation);
}

// Of several tables with the plugin's name, streams may still hold those of older configurations. The table that was replaced is
// the newest of those whose requests came to the same port, unless one that has had no request yet is newer still.
function inheritByPort(successor: Root): void {
  let newest: Root | null = null;
  let unasked: u32 = 0;
  for (let i = 0; i < total; i++) {
    const root = rootAt(i);
    if (!isSibling(root, successor) || root.slot < 0 || root.id > successor.id) continue;
    if (root.port == 0) unasked = max(unasked, root.id);
    else if (root.port == successor.port && (!newest || root.id > newest.id)) newest = root;
  }
  if (newest && !newest.parallel && newest.id > unasked) serveFrom(successor, newest.slot, newest.generation);
}

// Once requests come to a root context, none come any more to those that it has replaced. So one that is older and has a
// request all the same stands in another place.
function noteRequest(root: Root): void {
  if (root.port == 0 && property(PORT) && gotLen == 8) root.port = load<u64>(got);
  for (let i = 0; i < total; i++) {
    const other = rootAt(i);
    if (isSibling(other, root) && other.port == root.port && other.id > root.id) root.parallel = other.parallel = true;
  }
}

// True for a root context that waits for the table of another to go on with.
function isWaiting(root: Root): bool {
  return root.live && root.rejected && root.slot < 0;
}

// Gives the table of a root context that is gone to the one that replaces it. Where several wait for a table, or a newer one has come
// since, it can't be known whose table it was, and the baseline serves.
function transferTable(dead: Root): void {
  if (isReplaced(dead)) return;
  let successor: Root | null = null;
  for (let i = 0; i < total; i++) {
    const root = rootAt(i);
    if (!isWaiting(root) || root.plugin != dead.plugin) continue;
    if (successor) return;
    successor = root;
  }
  if (successor && successor.id > dead.id && isNewest(successor)) serveFrom(successor, dead.slot, dead.generation);
}

// Whether a newer table is known to serve where the root context stood.
function isReplaced(root: Root): bool {
  for (let i = 0; root.port != 0 && i < total; i++) {
    const other = rootAt(i);
    if (isSibling(other, root) && other.port == root.port && other.slot >= 0 && other.id > root.id)
      return !other.parallel;
  }
  return false;
}

/** Whether a plugin's newest configuration was rejected; root contexts are numbered in the order they come. */
export function anyRejected(): bool {
  for (let i = 0; i < total; i++) {
    if (rootAt(i).live && rootAt(i).rejected && isNewest(rootAt(i))) return true;
  }
  return false;
}

function isNewest(root: Root): bool {
  for (let i = 0; i < total; i++) {
    const other = rootAt(i);
    if (other.live && other.plugin == root.plugin && other.id > root.id) return false;
  }
  return true;
}

export function setCurrent(root: Root): void {
  current = root;
  tellTablesApart();
}

function tellTablesApart(): void {
  severalTables = severalPlugins = false;
  for (let i = 0; i < total; i++) {
    const root = rootAt(i);
    if (!root.live || !current) continue;
    if (root.slot != current!.slot) severalTables = true;
    if (root.plugin != current!.plugin) severalPlugins = true;
  }
  untilReap = REAP_AGAIN;
}

/** The root context that this stream belongs to. */
// @ts-ignore: decorator
@inline
export function rootOf(stream: u32): Root | null {
  return severalTables ? askRoot(stream) : current;
}

function askRoot(stream: u32): Root | null {
  if (untilReap-- == 0) reapAgain(stream);
  let root = severalTables ? identify() : current;
  if (root && !root.parallel) noteRequest(root);
  if (root && isWaiting(root)) {
    inheritByPort(root);
    if (isWaiting(root)) reapAgain(stream);
    else tellTablesApart();
  }
  return root;
}

function reapAgain(stream: u32): void {
  reapRoots();
  actFor(stream);
}

// Every stream belongs to one of the root contexts of its plugin, so the last of them need not be asked: of two, one is, by two calls. The
// newest is the last.
function identify(): Root | null {
  const plugin = severalPlugins ? pluginHash() : 0;
  let newest: Root | null = null;
  let others = 0;
  for (let i = 0; i < total; i++) {
    const root = rootAt(i);
    if (!root.live || (severalPlugins && root.plugin != plugin)) continue;
    others++;
    if (!newest || root.id > newest.id) newest = root;
  }
  for (let i = 0; others > 1 && i < total; i++) {
    const root = rootAt(i);
    if (!root.live || root == newest || (severalPlugins && root.plugin != plugin)) continue;
    nameMark(root);
    if (setProperty(MARK, MARK.start, 1) && !setProperty(MARK, MARK.start, 1)) return root;
  }
  return newest;
}

const PORT = "destination\0port";
const PLUGIN = "plugin_name";

/** The hash of the acting context's plugin's name. */
export function pluginHash(): u64 {
  return property(PLUGIN) ? hash(got, gotLen) : 0;
}

const MARK = "keyway.root.----";
const DECLARE = "declare_property";
const declaration = writer();

function nameMark(root: Root): void {
  for (let i = 0; i < 4; i++)
    store<u8>(MARK.start + MARK.len - 4 + i, <u8>(LOWER_A + ((root.ordinal >> (4 * i)) & 15)));
}

// Declares it for the context that the host calls, whichever is acting, so on_configure is the place. The argument is a
// protobuf message: field 1 the name, field 2 read-only.
function declareMark(root: Root): void {
  nameMark(root);
  declaration.clear().u8(0x0a).u8(MARK.len).say(MARK).u8(0x10).u8(1);
  foreign(DECLARE, declaration.at, declaration.len);
}
