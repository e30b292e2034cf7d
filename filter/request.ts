// What the filter knows of the request at hand. Everything is asked of the host at most once, and only when it is needed.
import { MAX_CLUSTER, MAX_NAME } from "../routes/model/names";
import { got, gotLen, property, propertyAt, requestHeader, requestHeaders } from "./host/calls";
import { INBOUND, OUTBOUND } from "./host/directions";
import { hashWithoutSubset, isInboundName, isOutboundName, serviceOf } from "./table/cluster";
import { COLON } from "./text/ascii";
import { same } from "./text/bytes";
import { hash } from "./text/hash";

const CLUSTER = "xds\0cluster_name";
const DIRECTION = "xds\0listener_direction";
const CALLER = "connection\0uri_san_peer_certificate";

let clusterRead = false;
let headersRead = false;
let directionRead = false;

/** The baseline: the cluster that Envoy's own route gives; empty where it gives none. */
export let cluster: usize = 0;
export let clusterLen: i32 = 0;
export let clusterHash: u64 = 0;
export let clusterHashWithoutSubset: u64 = 0;
/** The name that the hashes are of; most requests have the same baseline as the one before. */
const hashed = memory.data(MAX_CLUSTER);
let hashedLen = -1;

let headers: usize = 0;

/** Forgets the last request. */
// @ts-ignore: decorator
@inline
export function beginRequest(): void {
  clusterRead = headersRead = directionRead = false;
}

export function readCluster(): void {
  if (clusterRead) return;
  clusterRead = true;
  clusterLen = property(CLUSTER) ? gotLen : 0;
  cluster = got;
  if (same(cluster, clusterLen, hashed, hashedLen)) return;
  clusterHash = hash(cluster, clusterLen);
  clusterHashWithoutSubset = hashWithoutSubset(cluster, clusterLen);
  hashedLen = clusterLen > MAX_CLUSTER ? -1 : clusterLen;
  if (hashedLen > 0) memory.copy(hashed, cluster, hashedLen);
}

/** The host of the baseline's service, for override lists. */
export let service: usize = 0;
export let serviceLen: i32 = 0;

export function readService(): void {
  readCluster();
  service = serviceOf(cluster, clusterLen);
  serviceLen = <i32>(cluster + clusterLen - service);
}

/** A value that was read last, of a header or of the caller's identity. */
export let value: usize = 0;
export let valueLen: i32 = 0;

/** Puts the identity (SPIFFE id) into (`value`, `valueLen`) that the caller's certificate proved; false when there is none. */
export function readCaller(): bool {
  if (!property(CALLER) || gotLen == 0) return false;
  value = got;
  valueLen = gotLen;
  return true;
}

const ALL_VALUES = "request\0headers\0";
const ALL_VALUES_LEN = 16;
const allValuesOf = memory.data(ALL_VALUES_LEN + MAX_NAME);

/** Has to be called when the filter has written a header that it may read again for this request. */
export function forgetHeaders(): void {
  headersRead = false;
}

/** Puts all values of the header, with commas between them, into (`value`, `valueLen`); false when there is none. */
export function readAllValues(header: usize, headerLen: i32): bool {
  if (headersRead && headers != 0 && !findValue(header, headerLen, 1)) return findValue(header, headerLen, 0);
  memory.copy(allValuesOf, ALL_VALUES.start, ALL_VALUES_LEN);
  memory.copy(allValuesOf + ALL_VALUES_LEN, header, headerLen);
  if (!propertyAt(allValuesOf, ALL_VALUES_LEN + headerLen)) return false;
  value = got;
  valueLen = gotLen;
  return true;
}

/** Puts the header's value number `n`, from 0, into (`value`, `valueLen`); false when it has no more. */
export function readValue(header: usize, headerLen: i32, n: i32): bool {
  if (n == 0 && (!headersRead || headers == 0)) {
    if (!requestHeader(header, headerLen)) return false;
    value = got;
    valueLen = gotLen;
    return true;
  }
  if (n > 0 && load<u8>(header) == COLON) return false; // HTTP has one path and one authority.
  readHeaders();
  return headers != 0 && findValue(header, headerLen, n);
}

/** The first value of a header that the filter itself knows by name. */
export function readNamed(name: Bytes): bool {
  return readValue(name.start, name.len, 0);
}

/** Reads all headers in one call, which costs what two single ones do; those that are asked for later cost none then. */
export function readHeaders(): void {
  if (headersRead) return;
  headersRead = true;
  headers = requestHeaders() ? got : 0;
}

let listenerDirection: u32 = 0;

/** Of the listener that the request came to; 0 where nothing says it. Istio's names of clusters say it: where one was read, nobody is asked. */
export function direction(): u32 {
  if (!directionRead) {
    directionRead = true;
    if (clusterRead && isInboundName(cluster, clusterLen)) listenerDirection = INBOUND;
    else if (clusterRead && isOutboundName(cluster, clusterLen)) listenerDirection = OUTBOUND;
    else listenerDirection = property(DIRECTION) && gotLen == 8 ? <u32>load<u64>(got) : 0;
  }
  return listenerDirection;
}

// Where the header after the one last walked to begins, and its number.
let walkedTo: usize = 0;
let walked: usize = 0;
/** The name of the header last walked to. */
export let walkedName: usize = 0;
export let walkedNameLen: i32 = 0;

/** Begins a walk over all headers, in one call for all. */
export function beginWalk(): void {
  readHeaders();
  walked = 0;
  if (headers != 0) walkedTo = headers + 4 + <usize>load<u32>(headers) * 8;
}

/** Puts the next header into (`walkedName`, `walkedNameLen`) and (`value`, `valueLen`); false when there is none. */
export function walk(): bool {
  if (headers == 0 || walked == <usize>load<u32>(headers)) return false;
  const sizes = headers + 4 + walked * 8;
  walkedName = walkedTo;
  walkedNameLen = load<i32>(sizes);
  value = walkedTo + walkedNameLen + 1;
  valueLen = load<i32>(sizes, 4);
  walkedTo = value + valueLen + 1;
  walked++;
  return true;
}

function findValue(header: usize, headerLen: i32, n: i32): bool {
  const count: usize = load<u32>(headers);
  let at = headers + 4 + count * 8;
  for (let i: usize = 0; i < count; i++) {
    const nameLen = load<i32>(headers + 4 + i * 8);
    const len = load<i32>(headers + 8 + i * 8);
    if (nameLen == headerLen && same(at, nameLen, header, headerLen) && n-- == 0) {
      value = at + nameLen + 1;
      valueLen = len;
      return true;
    }
    at += nameLen + len + 2;
  }
  return false;
}
