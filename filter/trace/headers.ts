// The headers that carry the id of a trace, in the order in which they are looked at unless the configuration says another one.
import {
  METRIC_RECOVERED_AMAZON,
  METRIC_RECOVERED_B3,
  METRIC_RECOVERED_B3_TRACE_ID,
  METRIC_RECOVERED_CLOUD,
  METRIC_RECOVERED_DATADOG,
  METRIC_RECOVERED_REQUEST_ID,
  METRIC_RECOVERED_SW8,
  METRIC_RECOVERED_TRACEPARENT,
  METRIC_RECOVERED_UBER,
} from "../../routes/model/names";
import { is, lower } from "../text/bytes";

export const TRACEPARENT = 0;
export const B3 = 1;
export const B3_TRACE_ID = 2;
export const DATADOG = 3;
export const AMAZON = 4;
export const CLOUD = 5;
export const UBER = 6;
export const SW8 = 7;
export const REQUEST_ID = 8;
export const HEADERS = 9;

export function headerOf(which: u32): Bytes {
  if (which == TRACEPARENT) return "traceparent";
  if (which == B3) return "b3";
  if (which == B3_TRACE_ID) return "x-b3-traceid";
  if (which == DATADOG) return "x-datadog-trace-id";
  if (which == AMAZON) return "x-amzn-trace-id";
  if (which == CLOUD) return "x-cloud-trace-context";
  if (which == UBER) return "uber-trace-id";
  return which == SW8 ? "sw8" : "x-request-id";
}

/** The counter of the requests that had their key given back by this header's id. */
export function metricOf(which: u32): Bytes {
  if (which == TRACEPARENT) return METRIC_RECOVERED_TRACEPARENT;
  if (which == B3) return METRIC_RECOVERED_B3;
  if (which == B3_TRACE_ID) return METRIC_RECOVERED_B3_TRACE_ID;
  if (which == DATADOG) return METRIC_RECOVERED_DATADOG;
  if (which == AMAZON) return METRIC_RECOVERED_AMAZON;
  if (which == CLOUD) return METRIC_RECOVERED_CLOUD;
  if (which == UBER) return METRIC_RECOVERED_UBER;
  return which == SW8 ? METRIC_RECOVERED_SW8 : METRIC_RECOVERED_REQUEST_ID;
}

/** The number of the header with this name, as the host writes it, that is in lower case; -1 for any other. */
export function headerCalled(at: usize, len: i32): i32 {
  const which = byLength(len);
  if (which < 0) return -1;
  if (is(at, len, headerOf(which))) return which;
  return which == B3_TRACE_ID && is(at, len, headerOf(REQUEST_ID)) ? REQUEST_ID : -1;
}

// The header whose name has that length; of the two with 12 bytes the first one.
function byLength(len: i32): i32 {
  switch (len) {
    case 2:
      return B3;
    case 3:
      return SW8;
    case 11:
      return TRACEPARENT;
    case 12:
      return B3_TRACE_ID;
    case 13:
      return UBER;
    case 15:
      return AMAZON;
    case 18:
      return DATADOG;
    case 21:
      return CLOUD;
    default:
      return -1;
  }
}

/** The number of the header with this name, in any case; -1 for any other. */
export function headerNamed(at: usize, len: i32): i32 {
  for (let which = 0; which < HEADERS; which++) if (isNamed(at, len, headerOf(which))) return which;
  return -1;
}

function isNamed(at: usize, len: i32, name: Bytes): bool {
  if (len != name.len) return false;
  for (let i = 0; i < len; i++) if (lower(load<u8>(at + i)) != load<u8>(name.start + i)) return false;
  return true;
}
