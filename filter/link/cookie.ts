// The cookie by which the key of a link sticks. The filter only writes the text of `set-cookie` down, as filter state; the routes that obey a
// selection put it into the answer, so that answers of other requests cost nothing.
import { STATE_LINK_CACHE_NAME, STATE_LINK_NAME } from "../../routes/model/names";
import { lenOfLink, textOfLink } from "../decision";
import { fitsCookie, mergeCookie } from "../emit/cookie";
import { merged } from "../emit/members";
import { got, gotLen, removeRequestHeader, replaceRequestHeader, requestHeader, setProperty } from "../host/calls";
import { addPair } from "../host/pairs";
import { writer } from "../host/writer";
import { forgetHeaders } from "../request";
import { afterSource } from "../sources/source";
import { startsWith } from "../text/bytes";
import { ALWAYS, AUTO, attributesLenOf, attributesOf, cookieLenOf, cookieOf, secondsOf, secureOf } from "./options";

const COOKIE = "cookie";
const STATE = STATE_LINK_NAME;
const CACHE_STATE = STATE_LINK_CACHE_NAME;
const HTTPS = "https";

const NO_STORE = "no-store";

const text = writer();

/**
 * Lets the answer set the cookie, or take it off where the link has no key. The request goes on as if it had that cookie already. False
 * for a key that no cookie can hold, and where the host refuses.
 */
export function keepLink(link: usize): bool {
  if (!writeCookie(link)) return false;
  if (!setProperty(CACHE_STATE, NO_STORE.start, NO_STORE.len) || !setProperty(STATE, text.at, text.len)) return false;
  if (mergeCookie(afterSource(link), textOfLink(), lenOfLink())) {
    if (merged.len) replaceRequestHeader(COOKIE, merged.at, merged.len);
    else removeRequestHeader(COOKIE);
    forgetHeaders();
  }
  return true;
}

/** The same for an answer of the proxy's own, whose header pairs are being added. */
export function addLinkPairs(link: usize): void {
  if (!writeCookie(link)) return;
  addPair("set-cookie", text.at, text.len);
  addPair("cache-control", NO_STORE.start, NO_STORE.len);
}

function writeCookie(link: usize): bool {
  const key = textOfLink();
  const len = lenOfLink();
  if (!fitsCookie(key, len)) return false;
  text.clear().bytes(cookieOf(link), cookieLenOf(link)).say("=").bytes(key, len);
  text.say("; Max-Age=").number(len ? secondsOf(link) : 0);
  text.bytes(attributesOf(link), attributesLenOf(link));
  if (isSecure(link)) text.say("; Secure");
  return true;
}

// Whoever ended the client's connection says how it came; the scheme is that of this proxy's own.
function isSecure(link: usize): bool {
  const secure = secureOf(link);
  if (secure != AUTO) return secure == ALWAYS;
  return saysHttps("x-forwarded-proto") || (gotLen == 0 && saysHttps(":scheme"));
}

function saysHttps(header: Bytes): bool {
  return requestHeader(header.start, header.len) && startsWith(got, gotLen, HTTPS);
}
