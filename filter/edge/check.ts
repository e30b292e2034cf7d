// Whether a text is a signed key that counts here. What does not count is counted by its reason, once: the edge takes it off, and nobody
// asks again.
import { MAX_SIGNED, MAX_FORGED } from "../../routes/model/names";
import { count, got, gotLen, now, property } from "../host/calls";
import * as metrics from "../metrics";
import * as request from "../request";
import { ZERO } from "../text/ascii";
import { decodeBase64Url, isCanonical } from "../text/base64url";
import { hash } from "../text/hash";
import { isKnownGood, noteGood } from "./cache";
import { isCodeOf } from "./hmac";
import { hasKeys, identityOf, isSecret, keyNamed, materialLen, materialOf } from "./options";
import { isSignatureOf } from "./signature";
import * as token from "./token";

/** It has not the form of a signed key, or no keys are there to verify one. */
export const UNSIGNED = 0;
/** Its signature is bad or by nobody who is known, or its time is over. */
export const BAD = 1;
export const GOOD = 2;

/** Why the first text of the request at hand that is BAD, or meant for other services, does not count. */
export const NOTHING_REFUSED = 0;
export const FORGED = 1;
export const EXPIRED = 2;
export const FOREIGN = 3;
export const ELSEWHERE = 4;
export let refusal = NOTHING_REFUSED;

const MOST_UNWRAPPED = 8;

const SECOND: u64 = 1000000000;
const signature = memory.data(MAX_SIGNED);

/** How many more bad signatures of the request at hand are looked at. Strangers would have the proxy verify hundreds otherwise. */
let patience = 0;

/** Hashes of the plain keys that signed ones of the request at hand have become. */
const unwrapped = memory.data(MOST_UNWRAPPED * 8);
let unwrappedCount = 0;

export function beginChecks(): void {
  patience = MAX_FORGED;
  unwrappedCount = 0;
  refusal = NOTHING_REFUSED;
}

export function noteUnwrapped(at: usize, len: i32): void {
  if (wasUnwrapped(at, len) || unwrappedCount == MOST_UNWRAPPED) return;
  store<u64>(unwrapped + (unwrappedCount++ << 3), hash(at, len));
}

export function wasUnwrapped(at: usize, len: i32): bool {
  const name = hash(at, len);
  for (let i = 0; i < unwrappedCount; i++) if (load<u64>(unwrapped + (i << 3)) == name) return true;
  return false;
}

/** Of a GOOD text the plain key is its first `plainLen` bytes; `isForService` says whether it is meant for this request's destination. */
export function checkText(edge: usize, at: usize, len: i32): i32 {
  if (!hasKeys(edge) || !token.splitToken(at, len)) return UNSIGNED;
  const key = keyNamed(edge, token.id, token.idLen);
  if (key == 0) return bad(metrics.keysForeign, FOREIGN);
  if (token.expires <= now() / SECOND) return bad(metrics.keysExpired, EXPIRED);
  return isGenuine(edge, key, at, len) ? GOOD : bad(metrics.keysForged, FORGED);
}

function bad(metric: u32, why: i32): i32 {
  refuse(metric, why);
  return BAD;
}

/** Counts a GOOD text that is meant for other services. */
export function refuseElsewhere(): void {
  refuse(metrics.keysForeign, ELSEWHERE);
}

function refuse(metric: u32, why: i32): void {
  count(metric);
  if (refusal == NOTHING_REFUSED) refusal = why;
}

function isGenuine(edge: usize, key: usize, at: usize, len: i32): bool {
  const identity = identityOf(edge);
  const name = hash(at, len);
  if (isKnownGood(identity, name, at, len)) return true;
  if (patience == 0) return false;
  const good = verify(key, at);
  if (good) noteGood(identity, name, at, len);
  else patience--;
  return good;
}

// Of the text last split, which begins at `at`.
function verify(key: usize, at: usize): bool {
  const len = decodeBase64Url(token.signature, token.signatureLen, signature);
  if (len <= 0 || !isCanonical(token.signature, token.signatureLen)) return false;
  const material = materialOf(key);
  if (isSecret(key)) return isCodeOf(material, at, token.signedLen, signature, len);
  return isSignatureOf(material, materialLen(key), at, token.signedLen, signature, len);
}

/** Whether the text last found to be GOOD is meant for the destination of this request. */
export function isForService(): bool {
  if (token.servicesLen == 0) return true;
  request.readService();
  return request.serviceLen ? token.isMeantFor(request.service, request.serviceLen) : isForWorkload();
}

// Istio's name of a cluster on the way in names no service. Its metadata names those that have the workload's port.
const SERVICE = "xds\0cluster_metadata\0filter_metadata\0istio\0services\0-\0host";
const NUMBER_AT = 52;
const MOST_SERVICES = 10;

function isForWorkload(): bool {
  for (let i = 0; i < MOST_SERVICES; i++) {
    store<u8>(SERVICE.start + NUMBER_AT, <u8>(ZERO + i));
    if (!property(SERVICE)) return false;
    if (token.isMeantFor(got, gotLen)) return true;
  }
  return false;
}
