// Whether a signed key counts, as a proxy would say, and why not.
import type { EdgeKey } from "../../routes/model/edge.ts";
import { isMeantFor, type SignedKey, splitSigned } from "../../routes/model/signed-key.ts";
import { KeywayError, printable } from "../../shared/errors.ts";
import { verifySignature } from "./verify.ts";

interface Circumstances {
  keys: readonly EdgeKey[];
  /** Seconds since 1970. */
  now: number;
  /** The destination, by its name in full. */
  service?: string | undefined;
}

/** The parts of a signed key that counts; throws for one that does not. */
export function judge(text: string, { keys, now, service }: Circumstances): SignedKey {
  const signed = splitSigned(text);
  if (signed === undefined)
    throw new KeywayError("this is no signed key, which is KEY~EXPIRES~SERVICES~KEYID~SIGNATURE", {
      next: "`keyway key sign KEY --ttl 2h --key-file FILE` prints one",
    });
  const { id, expires } = signed;
  const key = keys.find((one) => one.id === id);
  if (key === undefined)
    throw new KeywayError(`foreign: no key has the id ${printable(id)} that it was signed under`, {
      next: `the ids are ${keys.map((one) => one.id).join(", ")}; proxies count it in keyway_keys_foreign`,
    });
  if (!verifySignature(key, signed.text, signed.signature))
    throw new KeywayError(`forged: the signature is not that of the key ${id}`, {
      next: "sign it anew; proxies count it in keyway_keys_forged",
    });
  if (expires <= now)
    throw new KeywayError(`expired at ${dateOf(expires)}`, {
      next: "sign it anew; proxies count it in keyway_keys_expired",
    });
  if (service !== undefined && !isMeantFor(signed, service))
    throw new KeywayError(`foreign: it is meant for ${signed.services.join(", ")}, and not for ${service}`, {
      next: "sign it anew for that service; requests to others count in keyway_keys_foreign",
    });
  return signed;
}

/** RFC 3339. */
export function dateOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}
