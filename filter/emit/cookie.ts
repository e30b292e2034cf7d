// Puts a pair into a request's cookies: behind the others, in the place of all of its name. Several lines become one. An empty key takes
// all of the name away.
import * as request from "../request";
import { sourceHeader, sourceHeaderLen, sourceName, sourceNameLen } from "../sources/source";
import { BACKSLASH, EQUALS, QUOTE, SEMICOLON } from "../text/ascii";
import { find, same, skipBlanks, trimEnd } from "../text/bytes";
import { merged } from "./members";

/** Whether a cookie can have the key as its value. */
export function fitsCookie(key: usize, keyLen: i32): bool {
  const end = key + keyLen;
  return find(key, end, QUOTE) == end && find(key, end, BACKSLASH) == end;
}

/** False when nothing has to be written: the pair is there, once and with this value, or a cookie can't have this value. */
export function mergeCookie(form: usize, key: usize, keyLen: i32): bool {
  if (!fitsCookie(key, keyLen)) return false;
  const name = sourceName(form);
  const nameLen = sourceNameLen(form);
  let found = 0;
  let fits = false;
  merged.clear();
  for (let n = 0; request.readValue(sourceHeader(form), sourceHeaderLen(form), n); n++) {
    const end = request.value + request.valueLen;
    for (let at = request.value; at < end;) {
      const semicolon = find(at, end, SEMICOLON);
      const pair = skipBlanks(at, semicolon);
      const pairEnd = trimEnd(pair, semicolon);
      const equals = find(pair, pairEnd, EQUALS);
      at = semicolon + 1;
      if (pair == pairEnd) continue;
      if (equals != pairEnd && same(pair, <i32>(trimEnd(pair, equals) - pair), name, nameLen)) {
        found++;
        const start = skipBlanks(equals + 1, pairEnd);
        fits = same(start, <i32>(pairEnd - start), key, keyLen);
        continue;
      }
      if (merged.len) merged.say("; ");
      merged.bytes(pair, <i32>(pairEnd - pair));
    }
  }
  if (keyLen == 0) return found != 0;
  if (merged.len) merged.say("; ");
  merged.bytes(name, nameLen).say("=").bytes(key, keyLen);
  return found != 1 || !fits;
}
