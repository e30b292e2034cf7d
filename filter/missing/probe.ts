// A probe is a request of the proxy's own, `HEAD /`, that finds out whether a target can be used. Envoy refuses it at once, and sends
// nothing, when there is no such cluster or none of its hosts is healthy. What Envoy accepts goes out, and its answer comes back
// as a call of `proxy_on_http_call_response`.
import { BAD_ARGUMENT, OK, callHeader, dispatch, dispatched } from "../host/calls";
import { addPair, allPairs, beginPairs } from "../host/pairs";
import { Writer } from "../host/writer";

/** There is no such cluster. */
export const NO_CLUSTER = 0;
/** The cluster has no host that the probe could be sent to. */
export const NO_HOST = 1;
/** The probe is on its way. */
export const ACCEPTED = 2;

const TIMEOUT_MS: u32 = 2000;

const PENDING = 256;
/** The probes on their way, by the last bits of their token: u32 token, u32 unused, u64 hash of the target. */
const pending = memory.data(PENDING * 16);

/** Speaks for the acting context, which must be a root context for the answer to arrive. */
export function sendProbe(target: usize, len: i32, hash: u64): i32 {
  const headers = headersFor(target, len);
  const result = dispatch(target, len, headers.at, headers.len, TIMEOUT_MS);
  if (result == BAD_ARGUMENT) return NO_CLUSTER;
  if (result != OK) return NO_HOST;
  const at = pendingAt(dispatched);
  store<u32>(at, dispatched);
  store<u64>(at, hash, 8);
  return ACCEPTED;
}

function pendingAt(token: u32): usize {
  return pending + (token & (PENDING - 1)) * 16;
}

/**
 * The hash of the target that has answered the probe of that token; 0 when it was not the target that answered. Envoy's
 * router adds this header to what an upstream answers, and not to the 503 and 504 that it answers itself.
 */
export function answered(token: u32): u64 {
  const at = pendingAt(token);
  if (load<u32>(at) != token) return 0;
  store<u32>(at, 0);
  const served = "x-envoy-upstream-service-time";
  return callHeader(served) ? load<u64>(at, 8) : 0;
}

function headersFor(target: usize, len: i32): Writer {
  const head = "HEAD";
  const root = "/";
  const agent = "keyway";
  beginPairs();
  addPair(":method", head.start, head.len);
  addPair(":path", root.start, root.len);
  addPair(":authority", target, len);
  addPair("user-agent", agent.start, agent.len);
  return allPairs();
}
