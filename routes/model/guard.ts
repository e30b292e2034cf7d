import { HEADER_CLUSTER, STATE_KEY, STATE_ROUTED } from "./names.ts";

/** Matches what the filter selected. The filter state is what a client can't forge; never leave either guard out. */
export const GUARD = {
  prefix: "/",
  headers: [{ name: HEADER_CLUSTER, present_match: true }],
  filter_state: [{ key: STATE_KEY, string_match: { prefix: STATE_ROUTED } }],
};
