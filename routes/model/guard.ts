import { HEADER_CLUSTER, STATE_KEY, STATE_ROUTED } from "./names.ts";

/**
 * What a route demands of a request before it obeys the selection header: the header itself, and the filter state, which only the
 * filter can write. A client can send the header, so a route that left the second guard out would let clients choose clusters.
 */
export const GUARDS = {
  headers: [{ name: HEADER_CLUSTER, present_match: true }],
  filter_state: [{ key: STATE_KEY, string_match: { prefix: STATE_ROUTED } }],
};

/** Matches every selected request that has a path. */
export const GUARD = { prefix: "/", ...GUARDS };

/** Matches every selected CONNECT request: CONNECT has no path, so no prefix matches it. */
export const CONNECT_GUARD = { connect_matcher: {}, ...GUARDS };
