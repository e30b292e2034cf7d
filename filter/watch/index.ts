// The watch module: a Wasm access logger that Envoy calls only for responses flagged NC or UH, whose cluster does not exist
// or has no healthy host. When that cluster was a selected target, it marks it, and the filter sends no more requests there
// until it is back. It is a module of its own because the filter would be called for every request.
import { got, gotLen, now, property } from "../host/calls";
import { resetScratch } from "../host/memory";
import { askAt, changeMark } from "../missing/mark";
import { find, startsWith } from "../text/bytes";
import { MAX_CLUSTER, STATE_NAME } from "../../routes/model/names";

import "../host/abort";

export { malloc } from "../host/memory";

const STATE = STATE_NAME;
const FIRST_QUESTION: u64 = 250000000;

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_log(_stream: u32): void {
  resetScratch();
  const routed = "routed ";
  if (!property(STATE) || !startsWith(got, gotLen, routed)) return;
  const end = got + gotLen;
  const target = find(got + routed.len, end, 32) + 1;
  const len = <i32>(end - target);
  if (len <= 0 || len > MAX_CLUSTER) return;
  if (askAt(target, len) == 0) changeMark(now() + FIRST_QUESTION);
}
