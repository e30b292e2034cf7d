// The watch module: a Wasm access logger that Envoy calls only for responses with one of the flags NC (no such cluster), UH (no
// healthy host) and UF (no connection to a host). When the request had been selected for a target, the module finds out whether
// the target can't be used by anybody or only this request could not be served, and marks the target in the first case, so that
// the filter sends no more requests there until it is back. It is a module of its own because the filter would be called for
// every request. Where UF is not among the flags, targets that refuse connections are not noticed; nothing else changes.
import { got, gotLen, now, property } from "../host/calls";
import { resetScratch } from "../host/memory";
import { ABSENT, GONE, REFUSING } from "../missing/mark";
import { ACCEPTED, NO_CLUSTER, sendProbe } from "../missing/probe";
import { asksForSubset, hearAnswer, markMissing } from "../missing/verdict";
import { mayHaveSubsets } from "../table/cluster";
import { SPACE } from "../text/ascii";
import { find, startsWith } from "../text/bytes";
import { hash } from "../text/hash";
import { MAX_CLUSTER, STATE_NAME } from "../../routes/model/names";

import "../host/abort";

export { malloc } from "../host/memory";

const STATE = STATE_NAME;
/** Envoy's bit for UF in `response.flags`. */
const CONNECTION_FAILURE: u64 = 0x20;

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_log(_stream: u32): void {
  resetScratch();
  const routed = "routed ";
  if (!property(STATE) || !startsWith(got, gotLen, routed)) return;
  const end = got + gotLen;
  const target = find(got + routed.len, end, SPACE) + 1;
  const len = <i32>(end - target);
  if (len <= 0 || len > MAX_CLUSTER) return;
  probe(target, len);
}

// Envoy accepts or refuses a probe of the target at once. When it accepts one, hosts are healthy: a request that found none
// asked for certain hosts, by a strict session or a subset, and only itself is concerned.
function probe(target: usize, len: i32): void {
  const id = hash(target, len);
  const answer = sendProbe(target, len, id);
  const time = now();
  if (answer == NO_CLUSTER) markMissing(id, ABSENT, time, true);
  else if (answer == ACCEPTED) {
    if (connectionFailed()) markMissing(id, REFUSING, time, false);
  } else if (hasNoEndpoint() || !mayHaveSubsets(target, len)) markMissing(id, GONE, time, true);
  else if (!asksForSubset()) markMissing(id, GONE, time, false);
}

function connectionFailed(): bool {
  const flags = "response\0flags";
  return property(flags) && gotLen == 8 && (load<u64>(got) & CONNECTION_FAILURE) != 0;
}

function hasNoEndpoint(): bool {
  const endpoints = "upstream\0num_endpoints";
  return property(endpoints) && gotLen == 8 && load<u64>(got) == 0;
}

export function proxy_on_http_call_response(_root: u32, token: u32, _headers: u32, _body: u32, _trailers: u32): void {
  resetScratch();
  hearAnswer(token);
}
