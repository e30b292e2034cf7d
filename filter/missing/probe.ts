// Finds out when a missing target is back, at no cost to requests: while any is missing, a timer asks the host to send
// a request of the proxy's own there. The host refuses at once as long as the target does not exist or has no healthy host, and
// nothing is sent; the first call that it accepts, one HEAD request, ends the mark.
import { MAX_CLUSTER } from "../../routes/model/names";
import { actFor, dispatch, now, tickEvery } from "../host/calls";
import { Writer, writer } from "../host/writer";
import { same } from "../text/bytes";
import { askAt, changeMark } from "./mark";

const PERIOD_MS: u32 = 250;
const PERIOD: u64 = 250000000;
const TIMEOUT_MS: u32 = 1000;
/** The targets that this worker asks after at a time. */
const MOST = 64;

const SIZE = 8 + MAX_CLUSTER;
const targets = memory.data(SIZE * MOST);
let count = 0;
let tickingRoot: u32 = 0;

/** Asks after a missing target from now on. The acting context is the stream, and is again afterwards. */
export function watchFor(target: usize, len: i32, root: u32, stream: u32): void {
  if (!known(target, len) && count < MOST) {
    const at = targets + count++ * SIZE;
    store<i32>(at, len);
    memory.copy(at + 8, target, len);
  }
  if (tickingRoot == root || !actFor(root)) return;
  tickEvery(PERIOD_MS);
  tickingRoot = root;
  actFor(stream);
}

function known(target: usize, len: i32): bool {
  for (let i = 0; i < count; i++) {
    const at = targets + i * SIZE;
    if (same(at + 8, load<i32>(at), target, len)) return true;
  }
  return false;
}

/** On every tick, of the root context whose timer it is. */
export function probe(root: u32): void {
  for (let i = count - 1; i >= 0; i--) {
    const at = targets + i * SIZE;
    if (stillMissing(at + 8, load<i32>(at))) continue;
    count--;
    memory.copy(at, targets + count * SIZE, SIZE);
  }
  if (count && root == tickingRoot) return;
  tickEvery(0);
  if (root == tickingRoot) tickingRoot = 0;
}

// One worker of the process asks per period: the one that moves the mark on.
function stillMissing(target: usize, len: i32): bool {
  const due = askAt(target, len);
  if (due == 0) return false;
  const time = now();
  if (time < due || !changeMark(time + PERIOD)) return true;
  if (!dispatch(target, len, headersFor(target, len).at, headers.len, TIMEOUT_MS)) return true;
  askAt(target, len);
  changeMark(0);
  return false;
}

const headers = writer();

// As the host takes pairs: u32 count, the lengths of all names and values, then these, each with a NUL behind it.
function headersFor(target: usize, len: i32): Writer {
  headers.clear().u32(3).u32(7).u32(4).u32(5).u32(1).u32(10).u32(len);
  return headers.say(":method\0HEAD\0:path\0/\0:authority\0").bytes(target, len).u8(0);
}
