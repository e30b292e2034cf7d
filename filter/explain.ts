// Answers `x-keyway-explain: 1` with the decision, when the configuration allows it. The request goes nowhere.
import { respondJson } from "./answer";
import { HEADER_DECISION, HEADER_EXPLAIN } from "../routes/model/names";
import {
  BASELINE,
  BY_CONDITION,
  BY_KEY,
  INVALID_KEY,
  NO_KEY,
  byParent,
  conditional,
  failsIfMissing,
  fromRank,
  key,
  keyLen,
  keySource,
  link,
  target,
  targetLen,
} from "./decision";
import { EXPIRED, FOREIGN, FORGED, NOTHING_REFUSED, refusal } from "./edge/check";
import { got, gotLen, requestHeader } from "./host/calls";
import { addPair, beginPairs } from "./host/pairs";
import { Writer, writer } from "./host/writer";
import { LINK_OFF } from "./link/read";
import { ALREADY_ROUTED, MISSING_TARGET, decision, findOutcome, outcomeName } from "./outcome";
import * as request from "./request";
import { Root } from "./roots";
import { isDecided } from "./route";
import {
  BAGGAGE,
  COOKIE,
  HEADER,
  HOST,
  JWT,
  LINK,
  OVERRIDES,
  QUERY,
  TRACE,
  TRACESTATE,
  sourceHeader,
  sourceHeaderLen,
  sourceKind,
  sourceName,
  sourceNameLen,
} from "./sources/source";
import { hasEdge } from "./table/header";
import { ANY_CLUSTER, ANY_SUBSET } from "./table/lookup";
import { ONE } from "./text/ascii";

const EXPLAIN = HEADER_EXPLAIN;
const DECISION = HEADER_DECISION;
const DETAILS = "keyway_explain";

const body = writer();
const source = writer();

export function asksToExplain(): bool {
  return requestHeader(EXPLAIN.start, EXPLAIN.len) && gotLen == 1 && load<u8>(got) == ONE;
}

/** False when the host would not answer; the request then goes on. */
export function explain(root: Root, stream: u32): bool {
  const outcome = findOutcome(root, stream, false);
  const targeted = decision >= BY_KEY;
  const keyed = decision == BY_KEY || decision == BASELINE;
  request.readCluster();
  body.clear().say('{"outcome":"').say(outcomeName(outcome)).say('","key":');
  if (keyed) body.json(key, keyLen);
  else body.say("null");
  body.say(',"source":');
  if (keyed) {
    nameSource(source.clear(), keySource);
    body.json(source.at, source.len);
  } else body.say("null");
  body.say(',"from":').json(request.cluster, request.clusterLen).say(',"to":');
  if (targeted) body.json(target, targetLen);
  else body.say("null");
  body.say(',"why":"');
  sayReason(root, outcome);
  if (targeted && fromRank == ANY_CLUSTER) body.say("; the route is from any baseline");
  else if (targeted && fromRank == ANY_SUBSET) body.say("; the route is from any subset");
  body.say('"}');

  beginPairs();
  addPair(DECISION, body.at, body.len);
  return respondJson(200, body, DETAILS);
}

function sayReason(root: Root, outcome: i32): void {
  if (outcome == ALREADY_ROUTED) body.say("the hop mark names this very target");
  else if (outcome == MISSING_TARGET) {
    body.say("the target does not exist or has no healthy host");
    if (failsIfMissing) body.say(", and the route says to fail with 424");
  } else if (outcome == BASELINE) body.say("no route in force for this key and baseline");
  else if (outcome == NO_KEY && link == LINK_OFF) body.say("the link takes the key off");
  else if (outcome == INVALID_KEY || outcome == NO_KEY) sayWhyNoKey(root, outcome);
  else if (decision == BY_KEY) {
    body.say(byParent ? "a route for a parent of this key and this baseline" : "a route for this key and baseline");
    if (conditional) body.say(", and all its conditions hold");
  } else if (decision == BY_CONDITION) body.say("all conditions of a route hold");
  else if (conditional) body.say("all conditions of a route hold, and the request fell to a share of its split");
  else body.say("the request fell to a share of a split");
}

// Where another filter has decided before, nothing was looked at, and what was refused last is of another request.
function sayWhyNoKey(root: Root, outcome: i32): void {
  if (!hasEdge(root.header.at) || refusal == NOTHING_REFUSED || isDecided()) {
    body.say(outcome == NO_KEY ? "no key in any source" : "what stands in a source is no key");
    return;
  }
  body.say("a signed key does not count: ");
  if (refusal == FORGED) body.say("its signature is not that of the key that it names");
  else if (refusal == EXPIRED) body.say("its time is over");
  else if (refusal == FOREIGN) body.say("the key that it names is not among edge.keys");
  else body.say("it is for other services");
}

// As the configuration names it.
function nameSource(to: Writer, s: usize): void {
  const kind = sourceKind(s);
  if (kind == HEADER || kind == OVERRIDES) {
    to.say(kind == HEADER ? "header:" : "overrides:").bytes(sourceHeader(s), sourceHeaderLen(s));
    return;
  }
  if (kind == TRACE) {
    to.say("trace");
    return;
  }
  if (kind == LINK) {
    to.say("query:").bytes(sourceHeader(s), sourceHeaderLen(s));
    return;
  }
  if (kind == BAGGAGE) to.say("baggage:");
  else if (kind == TRACESTATE) to.say("tracestate:");
  else if (kind == COOKIE) to.say("cookie:");
  else if (kind == QUERY) to.say("query:");
  else if (kind == HOST) to.say("host:");
  else if (kind == JWT) to.say("jwt:");
  to.bytes(sourceName(s), sourceNameLen(s));
}
