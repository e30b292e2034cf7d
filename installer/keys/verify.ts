import { createHmac, createPublicKey, timingSafeEqual, verify } from "node:crypto";
import type { EdgeKey } from "../../routes/model/edge.ts";

/** Whether a signature, in base64url, is that of a text by the key; as proxies verify it. */
export function verifySignature({ publicKey, secret }: EdgeKey, text: string, signature: string): boolean {
  const bytes = Buffer.from(signature, "base64url");
  if (bytes.length === 0 || bytes.toString("base64url") !== signature) return false;
  if (secret !== undefined) {
    const code = createHmac("sha256", Buffer.from(secret, "base64")).update(text).digest();
    return bytes.length === code.length && timingSafeEqual(bytes, code);
  }
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey ?? "", "base64"), format: "der", type: "spki" });
    return verify("sha256", Buffer.from(text), key, bytes);
  } catch {
    return false;
  }
}
