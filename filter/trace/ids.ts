// The ids of the request's trace: of each header that the configuration names, in its order, each id once.
import { beginWalk, readNamed, value, valueLen, walk, walkedName, walkedNameLen } from "../request";
import { DATADOG, HEADERS, REQUEST_ID, headerCalled } from "./headers";
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
// @ts-ignore: decorator
@inline
export function sameId(low: u64, high: u64, otherLow: u64, otherHigh: u64): bool {
  return low == otherLow && (high == otherHigh || high == 0 || otherHigh == 0);
}

/** Where the first value of each header of ids lies, by the header's number: u32 address, 0 where the request has none, u32 length. */
const values = memory.data(HEADERS * 8);

export function collectIds(options: usize): void {
  idCount = 0;
  if (!findHeaders()) return;
  for (let i = 0; i < headerCount(options); i++) {
    const which = headerAt(options, i);
    const found = values + (which << 3);
    const at: usize = load<u32>(found);
    if (at == 0 || !readId(which, at, load<i32>(found, 4))) continue;
    if (which == DATADOG && readNamed("x-datadog-tags")) readDatadogTags(value, valueLen);
    add(which);
  }
}

// One walk over all headers costs less than one for each header that is looked for.
function findHeaders(): bool {
  memory.fill(values, 0, HEADERS * 8);
  let some = false;
  beginWalk();
  while (walk()) {
    const which = headerCalled(walkedName, walkedNameLen);
    if (which < 0) continue;
    const found = values + (which << 3);
    if (load<u32>(found) != 0) continue;
    store<u32>(found, <u32>value);
    store<i32>(found, valueLen, 4);
    some = true;
  }
  return some;
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
