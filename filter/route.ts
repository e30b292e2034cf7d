// Acts on the decision: selects the target, or leaves the request to the baseline, as if the filter were not there.
import { HEADER_CLUSTER, HEADER_ROUTED, STATE_NAME } from "../routes/model/names";
import { BASELINE, BY_KEY, INVALID_KEY, decide, key, keyLen, target, targetLen } from "./decision";
import {
  count,
  got,
  gotLen,
  property,
  removeRequestHeader,
  replaceRequestHeader,
  requestHeader,
  setProperty,
} from "./host/calls";
import { writer } from "./host/writer";
import * as metrics from "./metrics";
import { askAt } from "./missing/mark";
import { watchFor } from "./missing/probe";
import { Root, severalPlugins } from "./roots";
import { same, startsWith } from "./text/bytes";

const CLUSTER = HEADER_CLUSTER;
const HOP = HEADER_ROUTED;
const STATE = STATE_NAME;

export function route(root: Root | null, stream: u32): void {
  if (requestHeader(CLUSTER.at, CLUSTER.len)) {
    if (stateBegins("routed ")) return;
    removeRequestHeader(CLUSTER);
  }
  if (!root || root.slot < 0 || (severalPlugins && stateBegins("already_routed "))) return;
  const decision = decide(root);
  if (decision < BY_KEY) stay(decision);
  else if (alreadyThere()) {
    removeRequestHeader(HOP);
    leave("already_routed ", decision, metrics.alreadyRouted);
  } else if (askAt(target, targetLen) != 0) {
    watchFor(target, targetLen, root.id, stream);
    leave("missing_target ", decision, metrics.missingTarget);
  } else select(decision);
}

// Only the filter writes this state: with it a selection is that of a Keyway filter before this one, which stands; without
// it, the client's, which never reaches the router.
function stateBegins(outcome: Bytes): bool {
  return property(STATE) && startsWith(got, gotLen, outcome);
}

function stay(outcome: i32): void {
  if (outcome == BASELINE) {
    count(metrics.baseline);
    text.clear().say("baseline ").bytes(key, keyLen);
    setState();
  } else if (outcome == INVALID_KEY) {
    count(metrics.invalidKey);
    text.clear().say("invalid_key");
    setState();
  } else count(metrics.noKey);
}

function alreadyThere(): bool {
  return requestHeader(HOP.at, HOP.len) && same(got, gotLen, target, targetLen);
}

const text = writer();

function setState(): bool {
  return setProperty(STATE, text.at, text.len);
}

// `OUTCOME KEY TARGET`, where `-` stands for the key of a route that needs none.
function describe(outcome: Bytes, decision: i32): void {
  text.clear().say(outcome);
  if (decision == BY_KEY) text.bytes(key, keyLen);
  else text.u8(45);
  text.u8(32).bytes(target, targetLen);
}

function leave(why: Bytes, decision: i32, metric: u32): void {
  count(metric);
  describe(why, decision);
  setState();
}

// The header without the filter state selects nothing, and the state without the header would fail the request: so the
// header goes first, and nothing stays of it when the state is refused.
function select(decision: i32): void {
  if (!replaceRequestHeader(CLUSTER, target, targetLen)) return;
  describe("routed ", decision);
  if (!setState()) return removeRequestHeader(CLUSTER);
  replaceRequestHeader(HOP, target, targetLen);
  count(metrics.routed);
}
