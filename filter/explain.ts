// Answers `x-keyway-explain: 1` with the decision, when the configuration allows it. The request goes nowhere.
import { HEADER_DECISION, HEADER_EXPLAIN } from "../routes/model/names";
import {
  BASELINE,
  BY_CONDITION,
  BY_KEY,
  INVALID_KEY,
  NO_KEY,
  fromRank,
  key,
  keyLen,
  keySource,
  target,
  targetLen,
} from "./decision";
import { got, gotLen, requestHeader, respond } from "./host/calls";
import { Writer, writer } from "./host/writer";
import { ALREADY_ROUTED, MISSING_TARGET, decision, findOutcome, outcomeName } from "./outcome";
import * as request from "./request";
import { Root } from "./roots";
import {
  BAGGAGE,
  COOKIE,
  HEADER,
  HOST,
  JWT,
  OVERRIDES,
  QUERY,
  TRACESTATE,
  sourceHeader,
  sourceHeaderLen,
  sourceKind,
  sourceName,
  sourceNameLen,
} from "./sources/source";
import { ANY_CLUSTER, ANY_SUBSET } from "./table/lookup";

const EXPLAIN = HEADER_EXPLAIN;
const DECISION = HEADER_DECISION;
const TYPE = "content-type";
const JSON = "application/json";
const DETAILS = "keyway_explain";

const body = writer();
const headers = writer();
const source = writer();

export function asksToExplain(): bool {
  return requestHeader(EXPLAIN.at, EXPLAIN.len) && gotLen == 1 && load<u8>(got) == 49;
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
  body.say(',"why":"').say(reason(outcome));
  if (targeted && fromRank == ANY_CLUSTER) body.say("; the route is from any baseline");
  else if (targeted && fromRank == ANY_SUBSET) body.say("; the route is from any subset");
  body.say('"}');

  headers.clear().u32(2).u32(DECISION.len).u32(body.len).u32(TYPE.len).u32(JSON.len);
  headers.say(DECISION).u8(0).bytes(body.at, body.len).u8(0).say(TYPE).u8(0).say(JSON).u8(0);
  return respond(200, headers.at, headers.len, body.at, body.len, DETAILS);
}

function reason(outcome: i32): Bytes {
  if (outcome == ALREADY_ROUTED) return "the hop mark names this very target";
  if (outcome == MISSING_TARGET) return "the target does not exist or has no healthy host";
  if (outcome == BASELINE) return "no route in force for this key and baseline";
  if (outcome == INVALID_KEY) return "what stands in a source is no key";
  if (outcome == NO_KEY) return "no key in any source";
  if (decision == BY_KEY) return "a route for this key and baseline";
  if (decision == BY_CONDITION) return "all conditions of a route hold";
  return "the request fell to a share of a split";
}

// As the configuration names it.
function nameSource(to: Writer, s: usize): void {
  const kind = sourceKind(s);
  if (kind == HEADER || kind == OVERRIDES) {
    to.say(kind == HEADER ? "header:" : "overrides:").bytes(sourceHeader(s), sourceHeaderLen(s));
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
