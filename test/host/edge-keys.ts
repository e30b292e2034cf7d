// Keys that sign and verify, and signed keys made by hand, beside the command's own.
import { createHmac, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export interface Signer {
  /** As `edge.keys` has it. */
  entry: { id: string; publicKey?: string; secret?: string };
  sign: (text: string) => Buffer;
}

function withPublicKey(id: string, { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject }): Signer {
  const der = publicKey.export({ format: "der", type: "spki" }).toString("base64");
  return { entry: { id, publicKey: der }, sign: (text) => sign("sha256", Buffer.from(text), privateKey) };
}

export const ecdsa = (id = "ec") => withPublicKey(id, generateKeyPairSync("ec", { namedCurve: "P-256" }));
export const rsa = (id = "rsa", modulusLength = 2048) =>
  withPublicKey(id, generateKeyPairSync("rsa", { modulusLength }));
export function hmac(id = "hm", secret = randomBytes(32)): Signer {
  const entry = { id, secret: secret.toString("base64") };
  return { entry, sign: (text) => createHmac("sha256", secret).update(text).digest() };
}

/** Seconds since 1970, in the year 2100. */
export const LATER = 4102444800;

export function signed(
  signer: Signer,
  key: string,
  { expires = LATER as number | string, services = "", id = signer.entry.id } = {},
) {
  const text = `${key}~${expires}~${services}~${id}`;
  return `${text}~${signer.sign(text).toString("base64url")}`;
}
