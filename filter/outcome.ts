// What becomes of a request: the one place where the order of outcomes stands. route.ts acts on it, explain.ts tells it.
import { HEADER_ROUTED } from "../routes/model/names";
import { BASELINE, BY_KEY, INVALID_KEY, NO_KEY, decide, failsIfMissing, target, targetLen } from "./decision";
import { property } from "./host/calls";
import { isAvailable } from "./missing/target";
import { readNamed, value, valueLen } from "./request";
import { Root } from "./roots";
import { same } from "./text/bytes";

// NO_KEY, INVALID_KEY and BASELINE are outcomes as they are.
export const ROUTED = 16;
export const ALREADY_ROUTED = 17;
export const MISSING_TARGET = 18;

const HOP = HEADER_ROUTED;

/** What decided; see decision.ts. */
export let decision: i32 = NO_KEY;

/** `goesOn` is false for a request that will not reach its target, whatever the outcome. */
export function findOutcome(root: Root, stream: u32, goesOn: bool): i32 {
  decision = decide(root);
  if (decision < BY_KEY) return decision;
  if (isAlreadyThere()) return ALREADY_ROUTED;
  // Whoever asks for 424 where the target is missing does not want to find out by a 503.
  const mayTryFirst = goesOn && !failsIfMissing;
  return isAvailable(target, targetLen, root.id, stream, goesOn, mayTryFirst) ? ROUTED : MISSING_TARGET;
}

/** As the filter state and explain name it. */
export function outcomeName(outcome: i32): Bytes {
  if (outcome == ROUTED) return "routed";
  if (outcome == ALREADY_ROUTED) return "already_routed";
  if (outcome == MISSING_TARGET) return "missing_target";
  if (outcome == BASELINE) return "baseline";
  return outcome == INVALID_KEY ? "invalid_key" : "no_key";
}

// The mark of an earlier hop names the very target. Where this proxy has followed a redirect, the mark is its own.
function isAlreadyThere(): bool {
  return readNamed(HOP) && same(value, valueLen, target, targetLen) && !wasRedirected();
}

// Envoy counts the redirects that it has followed for a request in filter state of this name, and only then sets it.
function wasRedirected(): bool {
  return property("filter_state\0num_internal_redirects");
}
