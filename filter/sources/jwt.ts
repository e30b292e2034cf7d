// jwt:CLAIM: a claim of the bearer token's payload, when it is a string. The signature is not looked at.
import { accept, nextField, openMemory, peek, problem, readString, skipValue, text, textLen } from "../config/json";
import { malloc } from "../host/memory";
import { decodeBase64Url } from "../text/base64url";
import { find, same, sameFolded, skipBlanks } from "../text/bytes";
import { yieldKey } from "./found";

const LONGEST = 16 * 1024;

export function nextClaim(at: usize, end: usize, claim: usize, claimLen: i32): usize {
  if (at > end) return 0;
  const next = end + 1;
  const token = bearer(skipBlanks(at, end), end);
  if (token == 0) return 0;
  const payload = find(token, end, 46) + 1;
  const payloadEnd = find(payload, end, 46);
  const len = <i32>(payloadEnd - payload);
  if (payload > end || payloadEnd == end || len > LONGEST) return 0;

  const json = malloc(len + 8);
  const jsonLen = json ? decodeBase64Url(payload, len, json) : -1;
  if (jsonLen <= 0) return 0;
  openMemory(json, jsonLen);
  if (!accept(123)) return 0;
  for (let first = true; nextField(first); first = false) {
    if (same(text, textLen, claim, claimLen) && peek() == 34) {
      readString();
      if (problem != null) return 0;
      yieldKey(text, text + textLen);
      return next;
    }
    skipValue();
    if (problem != null) return 0;
  }
  return 0;
}

// Where the token starts in `Bearer TOKEN`; 0 for another scheme.
function bearer(at: usize, end: usize): usize {
  const scheme = "bearer ";
  if (<isize>(end - at) <= scheme.len) return 0;
  if (!sameFolded(at, scheme.len, scheme.at, scheme.len)) return 0;
  return skipBlanks(at + scheme.len, end);
}
