import { isKey } from "./key.ts";
import { MAX_SIGNED } from "./names.ts";

/** A routing key with a signature, which is itself a text that a key may have: KEY~EXPIRES~SERVICES~KEYID~SIGNATURE. */
export interface SignedKey {
  key: string;
  /** Seconds since 1970. */
  expires: number;
  /** The services that it is meant for, by their short or their full names; none for all. */
  services: string[];
  /** Of the key that verifies it. */
  id: string;
  /** All that the signature is over. */
  text: string;
  /** As base64url. */
  signature: string;
}

/** The last second that the eleven digits of a signed key can name. */
export const LAST_EXPIRES = 99_999_999_999;

const FORM = /^(.+)~(\d{1,11})~([^~]*)~([^~]*)~([^~]*)$/;
const WORD = /^[\x21-\x2b\x2d-\x3a\x3c-\x7e]*$/;

/** The parts of a signed key, read from its end since a key may have a `~` itself; undefined for a text of another form. */
export function splitSigned(text: string): SignedKey | undefined {
  const [, key = "", expires, services = "", id = "", signature = ""] = FORM.exec(text) ?? [];
  if (!isKey(key) || text.length > MAX_SIGNED || !WORD.test(text)) return undefined;
  return {
    key,
    expires: Number(expires),
    services: services === "" ? [] : services.split("+"),
    id,
    text: text.slice(0, -signature.length - 1),
    signature,
  };
}

/** The text that is to be signed. */
export function unsignedText({ key, expires, services, id }: Omit<SignedKey, "text" | "signature">): string {
  return `${key}~${expires}~${services.join("+")}~${id}`;
}

/** Whether it is meant for the service with this name in full. */
export function isMeantFor({ services }: Pick<SignedKey, "services">, host: string): boolean {
  if (services.length === 0) return true;
  return services.some((name) => name !== "" && (name === host || host.startsWith(`${name}.`)));
}
