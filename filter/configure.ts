// Takes a configuration over: reads it, publishes its table unless that stands already, and serves from it. One that can't
// be read is told in one line, and the last good table goes on serving.
import { asksForGuard, asksForStrict } from "./config/asks";
import { diagnosticText } from "./config/diagnostic";
import { readConfiguration } from "./config/configuration";

import { writeGuard } from "./config/guard";
import { ERROR, actFor, configuration, got, gotLen, log, record, setShared, shared, tickEvery } from "./host/calls";
import { resetScratch } from "./host/memory";
import * as metrics from "./metrics";
import { Root, addRoot, anyRejected, inherit, reapRoots, isCanary, serveFrom, setCurrent } from "./roots";
import { generation, routes } from "./table/header";
import { name, nameLen, rejectedName } from "./table/names";
import { publish } from "./table/publish";
import { claim, findStanding, foundGeneration, standing } from "./table/slots";
import { same } from "./text/bytes";
import { hashEnd, hashMore, hashStart } from "./text/hash";
import { PERIOD_MS } from "./upkeep";

const NO_TABLE = "keyway: no table: shared data can't be written; the baseline serves";
const PIECE: u32 = 64 * 1024;
/** Until a VM that is no canary counts its root context, if no request makes it do so before. */
const COUNT_AFTER_MS: u32 = 500;
/** Until a root context with a live table first asks for it. */
const FIRST_TICK_MS: u32 = 20;

/** Two independent hashes of the configuration's text. */
const fingerprint = memory.data(16);

/** False when the configuration is wrong and asks to be refused then. */
export function configure(id: u32, size: u32): bool {
  resetScratch();
  metrics.defineMetrics();
  reapRoots();
  actFor(id);
  const root = addRoot(id);
  readFingerprint(size);
  if (!takeTable(root, size)) {
    if (asksForStrict(size)) {
      root.live = false;
      return false;
    }
    root.rejected = true;
    inherit(root);
    if (root.slot < 0 && asksForGuard(size)) guard(root, size);
  }
  tickEvery(root.table ? FIRST_TICK_MS : isCanary ? COUNT_AFTER_MS : PERIOD_MS);
  setCurrent(root);
  tell(root);
  return true;
}

// Nobody has said yet what this proxy is to do, but strangers are not to have their way meanwhile.
function guard(root: Root, size: u32): void {
  writeGuard(root.header, size);
  root.guarded = true;
  metrics.defineEdgeMetrics();
}

function readFingerprint(size: u32): void {
  let a = hashStart();
  let b = ~a;
  for (let from: u32 = 0; from < size; from += PIECE) {
    resetScratch();
    if (!configuration(from, min(PIECE, size - from)) || gotLen == 0) break;
    a = hashMore(a, got, gotLen);
    b = hashMore(b, got, gotLen);
  }
  store<u64>(fingerprint, hashEnd(a ^ size));
  store<u64>(fingerprint, hashEnd(b), 8);
}

// Every VM of the process reads the same wrong text: the first one tells of it, and leaves a note for the others. The note says
// nothing about what another module makes of the text, so everybody reads it.
function reportOnce(): void {
  rejectedName();
  const told = shared(name, nameLen) && same(got, gotLen, fingerprint, 16);
  setShared(name, nameLen, fingerprint, 16, 0);
  if (told) return;
  const line = diagnosticText();
  log(ERROR, line.at, line.len);
}

// False for a configuration that can't be read.
function takeTable(root: Root, size: u32): bool {
  const a = load<u64>(fingerprint);
  const b = load<u64>(fingerprint, 8);
  if (serveFrom(root, findStanding(a, b), foundGeneration)) return true;
  if (!readConfiguration(size)) {
    reportOnce();
    return false;
  }
  rejectedName();
  setShared(name, nameLen, fingerprint, 0, 0);
  const slot = claim(a, b);
  const stands = slot >= 0 && (standing || publish(slot));
  if (!stands || !serveFrom(root, slot, foundGeneration)) log(ERROR, NO_TABLE.start, NO_TABLE.len);
  return true;
}

function tell(root: Root): void {
  record(metrics.configRejected, anyRejected() ? 1 : 0);
  if (root.slot < 0) return;
  record(metrics.tableRoutes, routes(root.header.at));
  record(metrics.tableVersion, generation(root.header.at));
}
