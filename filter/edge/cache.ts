// The signed keys whose signature this worker has found to be good, so that the requests of a page cost one verification together. A text's
// hash names its one line, and the next good text with that line takes it over. What was found under other keys, before a change of
// the configuration, counts no more: each line says under which. Whether a text has expired is not asked here. A line:
//   u64 the keys' identity, u64 hash, u16 length, the text
import { MAX_SIGNED } from "../../routes/model/names";
import { allocate } from "../host/memory";
import { same } from "../text/bytes";

const LINES = 64;
const HASH = 8;
const LENGTH = 16;
const FIXED = 18;
const SIZE = FIXED + MAX_SIGNED + 6;

/** Only a worker that verifies signed keys has lines. */
let lines: usize = 0;

function lineOf(hash: u64): usize {
  return lines + ((<usize>hash) & (LINES - 1)) * SIZE;
}

export function isKnownGood(identity: u64, hash: u64, at: usize, len: i32): bool {
  if (lines == 0) return false;
  const line = lineOf(hash);
  if (load<u64>(line) != identity || load<u64>(line, HASH) != hash) return false;
  return same(line + FIXED, load<u16>(line, LENGTH), at, len);
}

export function noteGood(identity: u64, hash: u64, at: usize, len: i32): void {
  if (lines == 0) {
    lines = allocate(LINES * SIZE);
    memory.fill(lines, 0, LINES * SIZE);
  }
  const line = lineOf(hash);
  store<u64>(line, identity);
  store<u64>(line, hash, HASH);
  store<u16>(line, <u16>len, LENGTH);
  memory.copy(line + FIXED, at, len);
}
