// Acts on the outcome: selects the target, or leaves the request to the baseline, as if the filter were not there.
import { HEADER_CLUSTER, HEADER_ROUTED, STATE_NAME } from "../routes/model/names";
import { respondJson } from "./answer";
import {
  BASELINE,
  BY_KEY,
  INVALID_KEY,
  NO_KEY,
  carriedSource,
  failsIfMissing,
  key,
  keyLen,
  link,
  linkSource,
  target,
  targetLen,
  traceSource,
} from "./decision";
import { emitKey } from "./emit/emit";
import { count, got, gotLen, property, removeRequestHeader, replaceRequestHeader, setProperty } from "./host/calls";
import { beginPairs } from "./host/pairs";
import { writer } from "./host/writer";
import { addLinkPairs, keepLink } from "./link/cookie";
import { LINK_WITH_KEY } from "./link/read";
import * as metrics from "./metrics";
import { ALREADY_ROUTED, MISSING_TARGET, ROUTED, decision, findOutcome, outcomeName } from "./outcome";
import * as request from "./request";
import { Root, severalPlugins } from "./roots";
import { formCount, formsForRecovered, routeAddsMark } from "./table/header";
import { expectsKey, noteTrace } from "./trace/trace";
import { MINUS, SPACE } from "./text/ascii";
import { startsWith } from "./text/bytes";

const CLUSTER = HEADER_CLUSTER;
const HOP = HEADER_ROUTED;
const STATE = STATE_NAME;
const REFUSED = "keyway_missing_target";

/** Whether a filter before this one has decided about the request, so that this one leaves it alone. */
export function isDecided(): bool {
  if (request.readNamed(CLUSTER) && stateBegins("routed ")) return true;
  return severalPlugins && stateBegins("already_routed ");
}

/** True when the request was refused, and goes nowhere. */
export function route(root: Root | null, stream: u32): bool {
  if (expectsKey) request.readHeaders();
  if (request.readNamed(CLUSTER)) {
    if (stateBegins("routed ")) return false;
    removeRequestHeader(CLUSTER);
    request.forgetHeaders();
  }
  if (!root || root.slot < 0 || (severalPlugins && stateBegins("already_routed "))) return false;
  const outcome = findOutcome(root, stream, true);
  if (outcome == ROUTED) selectTarget(root);
  else stay(outcome);
  if (outcome == MISSING_TARGET && failsIfMissing && refuse()) return true;
  if (link >= LINK_WITH_KEY) follow(outcome);
  if (traceSource != 0) noteTrace(traceSource, outcome == ROUTED);
  if (carriedSource != 0 && formCount(root.header.at) != 0) emit(root.header.at);
  return false;
}

function emit(header: usize): void {
  if (!formsForRecovered(header) || carriedSource == traceSource) emitKey(header);
}

function stay(outcome: i32): void {
  count(metricOf(outcome));
  if (outcome == NO_KEY) return;
  if (outcome == ALREADY_ROUTED) removeRequestHeader(HOP);
  describe(outcome, isKeyed(outcome), target, targetLen);
  setState();
}

// Whether the outcome is that of a key, and not of a route that needs none.
function isKeyed(outcome: i32): bool {
  return outcome == BASELINE || decision == BY_KEY;
}

// Only the filter writes this state. With it a selection was made by a Keyway filter before this one, and stands; without
// it the client sent the header, which never reaches the router.
function stateBegins(outcome: Bytes): bool {
  return property(STATE) && startsWith(got, gotLen, outcome);
}

function metricOf(outcome: i32): u32 {
  if (outcome == NO_KEY) return metrics.noKey;
  if (outcome == BASELINE) return metrics.baseline;
  if (outcome == INVALID_KEY) return metrics.invalidKey;
  return outcome == MISSING_TARGET ? metrics.missingTarget : metrics.alreadyRouted;
}

const body = writer();

// The route asks for it where its target is missing; see `missing` in the configuration.
function refuse(): bool {
  const message =
    "the target of this request's route does not exist or has no healthy host, and the route says to fail then";
  body.clear().say('{"error":{"code":"missing_target","message":"').say(message);
  body.say('"},"key":');
  if (decision == BY_KEY) body.json(key, keyLen);
  else body.say("null");
  body.say(',"from":').json(request.cluster, request.clusterLen).say(',"to":').json(target, targetLen).say("}");
  beginPairs();
  if (link >= LINK_WITH_KEY) addLinkPairs(linkSource);
  return respondJson(424, body, REFUSED);
}

const text = writer();

function setState(): bool {
  return setProperty(STATE, text.at, text.len);
}

// `OUTCOME [KEY [CLUSTER]]`, where `-` stands for the key of a route that needs none.
function describe(outcome: i32, keyed: bool, cluster: usize, clusterLen: i32): void {
  text.clear().say(outcomeName(outcome));
  if (outcome == INVALID_KEY) return;
  text.u8(SPACE);
  if (keyed) text.bytes(key, keyLen);
  else text.u8(MINUS);
  if (outcome != BASELINE) text.u8(SPACE).bytes(cluster, clusterLen);
}

// The header without the filter state selects nothing, and the state without the header would fail the request: so the
// header goes first, and nothing stays of it when the state is refused.
function select(keyed: bool, cluster: usize, clusterLen: i32): bool {
  if (!replaceRequestHeader(CLUSTER, cluster, clusterLen)) return false;
  describe(ROUTED, keyed, cluster, clusterLen);
  if (setState()) return true;
  removeRequestHeader(CLUSTER);
  return false;
}

function selectTarget(root: Root): void {
  if (!select(decision == BY_KEY, target, targetLen)) return;
  if (!routeAddsMark(root.header.at)) replaceRequestHeader(HOP, target, targetLen);
  count(metrics.routed);
}

// The answer to a link gets its cookie from the routes that obey a selection, so a link is sent over one of these to its baseline, too. A
// route that has no cluster, such as a redirect, forwards nothing, and so the request stays with it.
function follow(outcome: i32): void {
  request.readCluster();
  if (keepLink(linkSource) && outcome != ROUTED && request.clusterLen != 0)
    select(isKeyed(outcome), request.cluster, request.clusterLen);
}
