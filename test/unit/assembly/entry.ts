// @ts-nocheck: AssemblyScript, compiled by asc alone.
// The filter's pure functions, for tests to call with bytes that they have put at `input`.

export { resetScratch } from "../../../filter/host/memory";
export { candidate, candidateLen, isKey } from "../../../filter/sources/candidate";
export { nextCookie } from "../../../filter/sources/cookie";
export { nextHeader } from "../../../filter/sources/header";
export { nextHost } from "../../../filter/sources/host";
export { nextClaim } from "../../../filter/sources/jwt";
export { nextBaggage, nextOverride, nextTracestate } from "../../../filter/sources/members";
export { nextQuery, queryOf } from "../../../filter/sources/query";
export { bucketCountFor, bucketOf, maskOf, parentOf } from "../../../filter/table/bucket";
export { hashWithoutSubset } from "../../../filter/table/cluster";
export { decodeBase64Url } from "../../../filter/text/base64url";
export { contains, find, sameFolded } from "../../../filter/text/bytes";
export { parseDate } from "../../../filter/text/date";
export { hash } from "../../../filter/text/hash";
export { decoded, decodePercent } from "../../../filter/text/percent";

import * as json from "../../../filter/config/json";
import "../../../filter/host/abort";
import { serviceOf } from "../../../filter/table/cluster";

export const ROOM = 1 << 17;
export const input = memory.data(ROOM);

export function serviceOffset(at: usize, len: i32): i32 {
  return <i32>(serviceOf(at, len) - at);
}

export const text = json.text;

export function isJson(at: usize, len: i32): bool {
  json.openMemory(at, len);
  json.skipValue();
  json.expectEnd();
  return json.problem === null;
}

/** The length of the string read into `text`; -1 when it is none, -2 when it was cut off. */
export function readString(at: usize, len: i32): i32 {
  json.openMemory(at, len);
  if (json.peek() !== 34) return -1;
  json.readString();
  json.expectEnd();
  if (json.problem !== null) return -1;
  return json.textCut ? -2 : json.textLen;
}

/** -1 when the text is no number that a weight can be. */
export function readDecimal(at: usize, len: i32): i64 {
  json.openMemory(at, len);
  const value = json.readDecimal();
  json.expectEnd();
  return json.problem === null ? value : -1;
}

import { isCodeOf, prepareSecret, STATES } from "../../../filter/edge/hmac";
import { beginDigest, DIGEST, endDigest, feedDigest } from "../../../filter/edge/sha256";

export { isPublicKey } from "../../../filter/edge/public-key";
export { decodeBase64 } from "../../../filter/text/base64url";

export const digest = memory.data(DIGEST);
const states = memory.data(STATES);

/** Puts the digest of a text that comes in two pieces into `digest`. */
export function digestOf(at: usize, len: i32, split: i32): i32 {
  beginDigest();
  feedDigest(at, split);
  feedDigest(at + split, len - split);
  endDigest(digest);
  return 0;
}

export function verifies(secret: usize, secretLen: i32, text: usize, len: i32, code: usize, codeLen: i32): bool {
  prepareSecret(secret, secretLen, states);
  return isCodeOf(states, text, len, code, codeLen);
}
