// The numbers in the bytes of routes, said once for both languages: filter/sources/source.ts, filter/table/rule.ts and
// filter/table/entry.ts show where they stand. This file compiles under asc and tsc alike: unannotated `export const` integers.

// Kinds of sources.
export const HEADER = 0;
export const BAGGAGE = 1;
export const TRACESTATE = 2;
export const COOKIE = 3;
export const QUERY = 4;
export const HOST = 5;
export const OVERRIDES = 6;
export const JWT = 7;
export const NONE = 8; // stands where a source may be left out
// What only conditions look at: the path without its query, the host without its port, the caller's identity.
export const PATH_PART = 9;
export const HOST_PART = 10;
export const CALLER = 11;
// What only keys have: the key that the request's trace came in with.
export const TRACE = 12;
// A link: the header is the query parameter's name, and the name what filter/link/options.ts shows.
export const LINK = 13;
// What stands behind the forms: which keys a proxy at the edge takes; see filter/edge/options.ts.
export const EDGE = 14;

// Comparisons of a condition.
export const EXACT = 0;
export const PREFIX = 1;
export const SUFFIX = 2;
export const CONTAINS = 3;
export const PRESENT = 4;
export const ABSENT = 5;
export const NOT = 128; // added where the condition is turned round

// Flags of an entry.
export const ENTRY_FIXED = 12;
export const ENTRY_EXPIRES = 1;
export const ENTRY_CONDITIONAL = 2;
export const ENTRY_FAILS = 4;

// Flags of a rule.
export const RULE_FAILS = 1;
