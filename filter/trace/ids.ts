// The ids of the request's trace: of each header that the configuration names, in its order, each id once.
import { readHeaders, readNamed, value, valueLen } from "../request";
import { DATADOG, HEADERS, REQUEST_ID, headerOf } from "./headers";
import { high, low, readDatadogTags, readId } from "./id";
import { headerAt, headerCount } from "./options";

const ids = memory.data(HEADERS * 16);
const headers = memory.data(HEADERS);
export let idCount = 0;

export function lowOf(i: i32): u64 {
  return load<u64>(ids + (i << 4));
}

export function highOf(i: i32): u64 {
  return load<u64>(ids + (i << 4), 8);
}

/** The first of the headers that have the id. */
export function headerOfId(i: i32): u32 {
  return load<u8>(headers + i);
}

/** Whether all that there is of a trace is a request id, which Envoy gives to a request that has none. */
export function isUntraced(): bool {
  return idCount == 0 || (idCount == 1 && headerOfId(0) == REQUEST_ID);
}

/** Whether two ids are the same; one of 64 bits is the same as one of 128 that ends in it. */
export function sameId(low: u64, high: u64, otherLow: u64, otherHigh: u64): bool {
  return low == otherLow && (high == otherHigh || high == 0 || otherHigh == 0);
}

export function collectIds(options: usize): void {
  idCount = 0;
  readHeaders();
  for (let i = 0; i < headerCount(options); i++) {
    const which = headerAt(options, i);
    if (!readNamed(headerOf(which)) || !readId(which, value, valueLen)) continue;
    if (which == DATADOG && readNamed("x-datadog-tags")) readDatadogTags(value, valueLen);
    add(which);
  }
}

// Of two ids that are the same, the longer one is kept.
function add(which: u32): void {
  for (let i = 0; i < idCount; i++) {
    if (!sameId(low, high, lowOf(i), highOf(i))) continue;
    store<u64>(ids + (i << 4), highOf(i) | high, 8);
    return;
  }
  store<u64>(ids + (idCount << 4), low);
  store<u64>(ids + (idCount << 4), high, 8);
  store<u8>(headers + idCount, which);
  idCount++;
}
