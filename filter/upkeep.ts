// What every root context does once a minute: it says that it is still here, and frees what those have left behind who are not.
import { actFor, now, tickEvery } from "./host/calls";
import { reapRoots, renewRoots } from "./roots";
import { renewLayout, sweepLayouts } from "./table/layouts";
import { allSlots, mostBuckets, sweepSlots } from "./table/slots";

export const PERIOD_MS: u32 = 60000;
const PERIOD: u64 = 60000000000;

let last: u64 = 0;

export function upkeep(root: u32): void {
  reapRoots();
  actFor(root);
  tickEvery(PERIOD_MS);
  const time = now();
  // After a pause of the process, or a jump of its clock, everybody's last word is old. All speak again before the next look.
  const steady = time - last < 2 * PERIOD;
  last = time;
  renewRoots();
  if (steady) sweepSlots(time);
  renewLayout(allSlots, mostBuckets, time);
  if (steady) sweepLayouts(time);
}
