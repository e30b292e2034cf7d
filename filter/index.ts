// The module's exports, and nothing else. A callback that is not here does not cost a request anything: see docs/rationale.md
// before adding one.
import { configure } from "./configure";
import { guardEdge } from "./edge/guard";
import { asksToExplain, explain } from "./explain";
import { resetScratch } from "./host/memory";
import { follow } from "./live/follow";
import { hearPage } from "./live/poll";
import { hearAnswer } from "./missing/verdict";
import { beginRequest } from "./request";
import { retain, rootOf } from "./roots";
import { isDecided, route } from "./route";
import { edgeOf, explains, hasEdge } from "./table/header";
import { tick } from "./upkeep";

import "./host/abort";

export { malloc } from "./host/memory";

const CONTINUE: u32 = 0;
const STOP_ITERATION: u32 = 1;

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_configure(root: u32, size: u32): u32 {
  return configure(root, size) ? 1 : 0;
}

export function proxy_on_request_headers(stream: u32, _headers: u32, _endOfStream: u32): u32 {
  resetScratch();
  beginRequest();
  const root = rootOf(stream);
  if (root && root.slot >= 0) {
    if (!root.counted) retain(root);
    if (root.table) follow(root);
    if (hasEdge(root.header.at) && !isDecided()) guardEdge(root.header.at, edgeOf(root.header.at));
    if (explains(root.header.at) && asksToExplain() && explain(root, stream)) return STOP_ITERATION;
  } else if (root && root.guarded && !isDecided()) guardEdge(root.header.at, edgeOf(root.header.at));
  return route(root, stream) ? STOP_ITERATION : CONTINUE;
}

export function proxy_on_tick(root: u32): void {
  resetScratch();
  tick(root);
}

export function proxy_on_http_call_response(root: u32, token: u32, headers: u32, body: u32, _trailers: u32): void {
  resetScratch();
  if (!hearPage(root, token, headers, body)) hearAnswer(token);
}
