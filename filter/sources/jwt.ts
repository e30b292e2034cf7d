// jwt:CLAIM: a claim of the bearer token's payload, when it is a string. The signature is not looked at. Of a claim that is
// there several times the last one counts, as RFC 7519 (section 4) has it. One longer than MAX_TEXT is an empty candidate.
import { MAX_TOKEN } from "../../routes/model/names";
import {
  accept,
  atEnd,
  nextField,
  openMemory,
  peek,
  problem,
  readString,
  skipValue,
  text,
  textCut,
  textLen,
} from "../config/json";
import { malloc } from "../host/memory";
import { DOT, OPEN_BRACE, QUOTE } from "../text/ascii";
import { decodeBase64Url } from "../text/base64url";
import { find, same, sameFolded, skipBlanks } from "../text/bytes";
import { emit } from "./candidate";

export function nextClaim(at: usize, end: usize, claim: usize, claimLen: i32): usize {
  if (at > end) return 0;
  const next = end + 1;
  const token = bearer(skipBlanks(at, end), end);
  if (token == 0) return 0;
  const payload = find(token, end, DOT) + 1;
  const payloadEnd = find(payload, end, DOT);
  const len = <i32>(payloadEnd - payload);
  if (payload > end || payloadEnd == end || len > MAX_TOKEN) return 0;

  const json = malloc(len + 8);
  const jsonLen = json ? decodeBase64Url(payload, len, json) : -1;
  if (jsonLen <= 0) return 0;
  openMemory(json, jsonLen);
  return readClaim(claim, claimLen) ? next : 0;
}

// Emits the claim of the JSON object just opened. The object is read to its end, since only then is it known to be one.
function readClaim(claim: usize, claimLen: i32): bool {
  let value: usize = 0;
  let valueLen = 0;
  if (!accept(OPEN_BRACE)) return false;
  for (let first = true; nextField(first); first = false) {
    if (!same(text, textLen, claim, claimLen)) skipValue();
    else {
      value = 0;
      if (peek() != QUOTE) skipValue();
      else {
        readString();
        valueLen = textCut ? 0 : textLen;
        value = malloc(valueLen);
        if (value) memory.copy(value, text, valueLen);
      }
    }
    if (problem != null) return false;
  }
  if (!atEnd() || value == 0) return false;
  emit(value, value + valueLen);
  return true;
}

// Where the token starts in `Bearer TOKEN`; 0 for another scheme.
function bearer(at: usize, end: usize): usize {
  const scheme = "bearer ";
  if (<isize>(end - at) <= scheme.len) return 0;
  if (!sameFolded(at, scheme.len, scheme.start, scheme.len)) return 0;
  return skipBlanks(at + scheme.len, end);
}
