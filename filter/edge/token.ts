// A signed key: KEY~EXPIRES~SERVICES~KEYID~SIGNATURE, read from its end, because a key may have a `~` itself. EXPIRES is in seconds since 1970,
// SERVICES are names with `+` between them or none for all, and SIGNATURE is over all that stands before its `~`, in base64url.
import { MAX_SIGNED } from "../../routes/model/names";
import { isKey, isWord } from "../sources/candidate";
import { leads } from "../sources/members";
import { PLUS, TILDE, ZERO } from "../text/ascii";
import { find } from "../text/bytes";

const MOST_DIGITS = 11;

/** The parts of the text last split. */
export let plainLen = 0;
export let expires: u64 = 0;
export let services: usize = 0;
export let servicesLen = 0;
export let id: usize = 0;
export let idLen = 0;
export let signedLen = 0;
export let signature: usize = 0;
export let signatureLen = 0;

/** False for a text that has not the form of a signed key: a plain key, perhaps. */
export function splitToken(at: usize, len: i32): bool {
  if (len > MAX_SIGNED) return false;
  const end = at + len;
  const beforeSignature = lastTilde(at, end);
  const beforeId = lastTilde(at, beforeSignature);
  const beforeServices = lastTilde(at, beforeId);
  const beforeExpires = lastTilde(at, beforeServices);
  if (beforeExpires == 0) return false;
  plainLen = <i32>(beforeExpires - at);
  services = beforeServices + 1;
  servicesLen = <i32>(beforeId - services);
  id = beforeId + 1;
  idLen = <i32>(beforeSignature - id);
  signedLen = <i32>(beforeSignature - at);
  signature = beforeSignature + 1;
  signatureLen = <i32>(end - signature);
  return readExpires(beforeExpires + 1, beforeServices) && isKey(at, plainLen) && isWord(at, len);
}

// Where the last `~` before `end` stands; 0 when there is none.
function lastTilde(at: usize, end: usize): usize {
  while (end > at) if (load<u8>(--end) == TILDE) return end;
  return 0;
}

function readExpires(at: usize, end: usize): bool {
  const digits = <i32>(end - at);
  if (digits < 1 || digits > MOST_DIGITS) return false;
  expires = 0;
  for (; at < end; at++) {
    const digit: u32 = load<u8>(at) - ZERO;
    if (digit > 9) return false;
    expires = expires * 10 + digit;
  }
  return true;
}

/** Whether the text last split is meant for the service of this name in full: it names none, or that one, in full or by leading labels. */
export function isMeantFor(host: usize, hostLen: i32): bool {
  const end = services + servicesLen;
  for (let at = services; at <= end;) {
    const plus = find(at, end, PLUS);
    if (leads(at, <i32>(plus - at), host, hostLen)) return true;
    at = plus + 1;
  }
  return servicesLen == 0;
}
