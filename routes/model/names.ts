// What the filter and the installer must agree on, said once. This file compiles under asc and tsc alike: unannotated
// `export const` integers and ASCII strings, and nothing else.

export const MAX_KEY = 256; // bytes, printable ASCII without space, comma, semicolon
export const MAX_SHARES = 100; // percent, all shares of a split together
export const MAX_CLUSTER = 1024; // bytes, a cluster's name
export const MAX_NAME = 200; // bytes, the name of a header, cookie, member, parameter or claim
export const MAX_TEXT = 4096; // bytes, what a condition compares with, and what it or a sticky share compares once decoded
export const MAX_TOKEN = 16384; // bytes, the payload of a bearer token as it is encoded
export const MAX_DEPTH = 64; // levels of objects and lists within a token's payload
export const MAX_SOURCES = 64;
export const MAX_CONDITIONS = 32; // of one route
export const MAX_FORMS = 8; // in which a key leaves
export const MAX_SPLIT = 100; // targets of one split

export const PLUGIN_NAME = "keyway";
export const ANY_BASELINE = "*";

export const MAX_BAGGAGE_MEMBERS = 64; // of W3C Baggage, which every party passes on
export const MAX_BAGGAGE = 8192; // bytes, likewise
export const MAX_TRACESTATE_MEMBERS = 32; // of W3C Trace Context, of which there are never more
export const MAX_TRACESTATE_VALUE = 256; // bytes, likewise

export const TRACE_SECONDS = 60; // that a trace's key is remembered, unless said
export const MAX_TRACE_SECONDS = 3600;
export const TRACE_ENTRIES = 16384; // that a proxy remembers at most, unless said
export const LEAST_TRACE_ENTRIES = 1024;
export const MAX_TRACE_ENTRIES = 65536;

export const LINK_NAME = "keyway"; // of a link's query parameter and of its cookie, unless said
export const LINK_SECONDS = 604800; // that a link sticks, unless said
export const MAX_LINK_SECONDS = 34560000; // 400 days, the most that browsers keep a cookie
export const MAX_SIGNED = 1024; // bytes, a signed key
export const MAX_EDGE_KEYS = 8; // that verify signed keys
export const MAX_KEY_ID = 64; // bytes, the id of one of them
export const MAX_KEY_MATERIAL = 1024; // bytes, a public key or a secret as it is encoded
export const LEAST_SECRET = 16; // bytes
export const MAX_SECRET = 256;
export const MAX_FORGED = 4; // signatures of one request; behind them none is verified that is not known to be good

export const OWN_HEADERS = "x-keyway-";
export const HEADER_CLUSTER = "x-keyway-cluster";
export const HEADER_ROUTED = "x-keyway-routed";
export const HEADER_SERVED = "x-keyway-served";
export const HEADER_EXPLAIN = "x-keyway-explain";
export const HEADER_DECISION = "x-keyway-decision";

export const STATE_NAME = "keyway"; // as set by the filter
export const STATE_KEY = "wasm.keyway"; // as Envoy names it in routes and access logs
export const STATE_ROUTED = "routed"; // the text begins with it exactly when a target was selected

export const STATE_LINK_NAME = "keyway_link"; // the text of `set-cookie` for the answer to a link
export const STATE_LINK_KEY = "wasm.keyway_link";
export const STATE_LINK_CACHE_NAME = "keyway_link_cache"; // the text of `cache-control` for the answer to a link
export const STATE_LINK_CACHE_KEY = "wasm.keyway_link_cache";

export const METRIC_ROUTED = "keyway_requests_routed";
export const METRIC_BASELINE = "keyway_requests_baseline";
export const METRIC_NO_KEY = "keyway_requests_no_key";
export const METRIC_INVALID_KEY = "keyway_requests_invalid_key";
export const METRIC_MISSING_TARGET = "keyway_requests_missing_target";
export const METRIC_ALREADY_ROUTED = "keyway_requests_already_routed";
export const METRIC_REMEMBERED = "keyway_requests_remembered";
export const METRIC_UNTRACED = "keyway_requests_untraced";
export const METRIC_RECOVERED = "keyway_requests_recovered";
export const METRIC_UNRECOVERED = "keyway_requests_unrecovered";
export const METRIC_UNRECOVERED_UNTRACED = "keyway_requests_unrecovered_untraced";
export const METRIC_FORWARDED = "keyway_requests_forwarded";
export const METRIC_RECOVERED_TRACEPARENT = "keyway_requests_recovered_traceparent";
export const METRIC_RECOVERED_B3 = "keyway_requests_recovered_b3";
export const METRIC_RECOVERED_B3_TRACE_ID = "keyway_requests_recovered_x_b3_traceid";
export const METRIC_RECOVERED_DATADOG = "keyway_requests_recovered_x_datadog_trace_id";
export const METRIC_RECOVERED_AMAZON = "keyway_requests_recovered_x_amzn_trace_id";
export const METRIC_RECOVERED_CLOUD = "keyway_requests_recovered_x_cloud_trace_context";
export const METRIC_RECOVERED_UBER = "keyway_requests_recovered_uber_trace_id";
export const METRIC_RECOVERED_SW8 = "keyway_requests_recovered_sw8";
export const METRIC_RECOVERED_REQUEST_ID = "keyway_requests_recovered_x_request_id";
export const METRIC_EVICTED = "keyway_traces_evicted";
export const METRIC_CONFLICTS = "keyway_traces_conflicting";
export const METRIC_KEYS_REMOVED = "keyway_keys_removed";
export const METRIC_KEYS_FORGED = "keyway_keys_forged";
export const METRIC_KEYS_EXPIRED = "keyway_keys_expired";
export const METRIC_KEYS_FOREIGN = "keyway_keys_foreign";
export const METRIC_TABLE_ROUTES = "keyway_table_routes";
export const METRIC_TABLE_VERSION = "keyway_table_version";
export const METRIC_CONFIG_REJECTED = "keyway_config_rejected";
export const METRIC_TABLE_AGE = "keyway_table_age_seconds";
export const METRIC_TABLE_ERRORS = "keyway_table_errors";
export const METRIC_TABLE_CHANGES = "keyway_table_changes";

export const DEFAULT_SOURCE = "header:x-routing-key";
