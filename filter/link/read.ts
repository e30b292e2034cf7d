// Reads a link: a request whose query names a key in a parameter of that name, percent-decoded as every query is.
import { splitToken } from "../edge/token";
import { got, gotLen, property } from "../host/calls";
import { candidate, candidateLen, isKey } from "../sources/candidate";
import { nextQuery } from "../sources/query";
import { AMPERSAND } from "../text/ascii";
import { parameterLenOf, parameterOf } from "./options";

export const NO_LINK = 0;
/** The parameter is there, and what stands in it is no key. */
export const BROKEN_LINK = 1;
/** The request and those after it have the candidate as their key. */
export const LINK_WITH_KEY = 2;
/** The parameter is empty: the request and those after it have no key. */
export const LINK_OFF = 3;

const QUERY = "request\0query";

/** What the request asks for as a link. Of several parameters of the name, the first that is a key or empty counts; a signed key may be longer than others. */
export function readLink(link: usize, mayBeSigned: bool): i32 {
  if (!property(QUERY) || gotLen == 0) return NO_LINK;
  const end = got + gotLen;
  let answer = NO_LINK;
  let at = got;
  while ((at = nextQuery(at, end, parameterOf(link), parameterLenOf(link))) != 0) {
    if (isKey(candidate, candidateLen)) return LINK_WITH_KEY;
    if (mayBeSigned && splitToken(candidate, candidateLen)) return LINK_WITH_KEY;
    if (isEmpty(end)) return LINK_OFF;
    answer = BROKEN_LINK;
  }
  return answer;
}

// What can't be decoded is an empty candidate, too, but stands where a value is.
function isEmpty(end: usize): bool {
  return candidateLen == 0 && (candidate == end || load<u8>(candidate) == AMPERSAND);
}
