// What root contexts do by the clock. Once a minute each says that it is still here, and frees what those have left behind who are not; one that
// has a live table looks after it four times a second.
import { actFor, now, tickEvery } from "./host/calls";
import { refresh } from "./live/follow";
import { tickTable } from "./live/poll";
import { findRoot, reapRoots, renewRoots } from "./roots";
import { renewLayout, sweepLayouts } from "./table/layouts";
import { allSlots, mostBuckets, sweepSlots } from "./table/slots";

export const PERIOD_MS: u32 = 60000;
const LIVE_PERIOD_MS: u32 = 250;
const PERIOD: u64 = 60000000000;

let last: u64 = 0;

export function tick(id: u32): void {
  const root = findRoot(id);
  const live = root != null && root.table != null;
  if (!live) tickEvery(PERIOD_MS);
  if (!live || !root!.counted || now() - last >= PERIOD) upkeep(id);
  if (!live || !root!.live) return;
  tickEvery(LIVE_PERIOD_MS);
  refresh(root!);
  tickTable(root!.table!, id);
}

function upkeep(id: u32): void {
  reapRoots();
  actFor(id);
  const time = now();
  // After a pause of the process, or a jump of its clock, everybody's last word is old. All speak again before the next look.
  const steady = time - last < 2 * PERIOD;
  last = time;
  renewRoots();
  if (steady) sweepSlots(time);
  renewLayout(allSlots, mostBuckets, time);
  if (steady) sweepLayouts(time);
}
