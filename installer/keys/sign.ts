import { createHmac, sign } from "node:crypto";
import { MAX_SIGNED } from "../../routes/model/names.ts";
import { unsignedText } from "../../routes/model/signed-key.ts";
import { KeywayError } from "../../shared/errors.ts";
import type { SigningKey } from "./key-file.ts";

export interface Claims {
  key: string;
  /** Seconds since 1970. */
  expires: number;
  services: string[];
}

/** The signed key. */
export function signKey({ id, signer }: SigningKey, claims: Claims): string {
  const text = unsignedText({ ...claims, id });
  const signature =
    "secret" in signer
      ? createHmac("sha256", Buffer.from(signer.secret.reveal(), "base64")).update(text).digest()
      : sign("sha256", Buffer.from(text), signer.privateKey);
  const signed = `${text}~${signature.toString("base64url")}`;
  if (signed.length <= MAX_SIGNED) return signed;
  throw new KeywayError(`the signed key would have ${signed.length} bytes; proxies take ${MAX_SIGNED}`, {
    next: "name fewer services, or sign with a key of ECDSA, whose signatures are short",
  });
}
