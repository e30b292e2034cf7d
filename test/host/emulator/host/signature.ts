// Envoy's foreign function `verify_signature`: protobuf messages in and out, signatures over SHA-256.
import { createPublicKey, verify } from "node:crypto";
import { AbiViolation } from "../abi.ts";

/** `{result: true}`, or `{result: false, error}`; undefined, for what is no public key. */
export function verifySignature(message: Buffer): Buffer | undefined {
  const [hash, key, signature, text] = fields(message);
  if (hash?.toString() !== "sha256" || !key || !signature || !text)
    throw new AbiViolation("arguments of verify_signature");
  try {
    const publicKey = createPublicKey({ key, format: "der", type: "spki" });
    if (verify("sha256", text, publicKey, signature)) return Buffer.from([0x08, 1]);
  } catch {
    return undefined;
  }
  const error = Buffer.from("Failed to verify digest. Error code: 0");
  return Buffer.concat([Buffer.from([0x12, error.length]), error]);
}

/** The fields 1 to 4 of a message whose fields are all bytes. */
function fields(message: Buffer): (Buffer | undefined)[] {
  const found: Buffer[] = [];
  for (let at = 0; at < message.length; ) {
    const tag = message[at++] ?? 0;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0;
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    if ((tag & 7) !== 2 || at + length > message.length) throw new AbiViolation("a protobuf message of bytes");
    found[(tag >> 3) - 1] = message.subarray(at, at + length);
    at += length;
  }
  return found;
}
