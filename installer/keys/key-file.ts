// Files with what signs: a private key or a secret, and its id. What is in them is told to nobody.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { type EdgeKey, fromBase64, isPublicKey } from "../../routes/model/edge.ts";
import { LEAST_SECRET, MAX_KEY_ID, MAX_SECRET } from "../../routes/model/names.ts";
import { KeywayError, reason } from "../../shared/errors.ts";
import { nameOf, readInput } from "../../shared/input.ts";
import type { Io } from "../../shared/io.ts";
import { Secret } from "../cli/secret.ts";

export const ALGORITHMS = ["ecdsa", "rsa", "hmac"] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** What signs keys. */
export interface SigningKey {
  id: string;
  /** A secret for HMAC-SHA-256, or the private key of what proxies verify with. */
  signer: { secret: Secret } | { privateKey: KeyObject };
}

export function isKeyId(text: string): boolean {
  return text.length >= 1 && text.length <= MAX_KEY_ID && /^[-.\w]+$/.test(text);
}

export function generateKey(id: string, algorithm: Algorithm): SigningKey {
  if (algorithm === "hmac") return { id, signer: { secret: new Secret(randomBytes(32).toString("base64")) } };
  const { privateKey } =
    algorithm === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { id, signer: { privateKey } };
}

/** The entry of `edge.keys` that verifies what the key signs; it holds the secret, where there is one. */
export function entryOf({ id, signer }: SigningKey): EdgeKey {
  if ("secret" in signer) return { id, secret: signer.secret.reveal() };
  const der = createPublicKey(signer.privateKey).export({ format: "der", type: "spki" });
  return { id, publicKey: der.toString("base64") };
}

/** Writes a new file that its owner alone can read; one that is there already is left as it is. */
export async function writeKeyFile(path: string, { id, signer }: SigningKey): Promise<void> {
  const content =
    "secret" in signer
      ? { id, secret: signer.secret.reveal() }
      : { id, privateKey: signer.privateKey.export({ format: "pem", type: "pkcs8" }) };
  try {
    await writeFile(path, `${JSON.stringify(content, null, 2)}\n`, { flag: "wx", mode: 0o600 });
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code === "EEXIST";
    throw new KeywayError(isThere ? `${path} is there already` : `can't write ${path}: ${reason(cause)}`, {
      next: isThere
        ? "name another file with --key-file; what the old one has signed is worth something as long as it is verified"
        : "name a file that you can write with --key-file",
    });
  }
}

/** Reads a file that `keyway key generate` wrote, or a private key in PEM, whose id has to be said. */
export async function readKeyFile(path: string, id: string | undefined, io: Io): Promise<SigningKey> {
  const text = await readInput(path, io);
  const refuse = (what: string, next: string) => new KeywayError(`${nameOf(path)} ${what}`, { next });
  const fields = fieldsOf(text);
  if (fields === undefined)
    throw refuse("holds no key", "`keyway key generate` writes such a file; a private key in PEM does as well");
  const ownId = id ?? fields.id;
  if (ownId === undefined) throw refuse("does not say the key's id", "say which of `edge.keys` verifies it with --id");
  if (!isKeyId(ownId)) throw refuse("has an id that is none", "ids have letters, digits, dots, dashes and underscores");
  if (fields.secret !== undefined) {
    const { length } = fromBase64(fields.secret) ?? "";
    if (length >= LEAST_SECRET && length <= MAX_SECRET)
      return { id: ownId, signer: { secret: new Secret(fields.secret) } };
    throw refuse(
      `holds no secret of ${LEAST_SECRET} to ${MAX_SECRET} bytes in base64`,
      "make a new one with `keyway key generate`",
    );
  }
  const privateKey = privateKeyOf(fields.privateKey ?? "");
  if (privateKey !== undefined) return { id: ownId, signer: { privateKey } };
  throw refuse(
    "holds no private key that proxies can verify: P-256, or RSA of 2048 to 4096 bits, without a passphrase",
    "make one with `keyway key generate`",
  );
}

function fieldsOf(text: string): { id?: string; privateKey?: string; secret?: string } | undefined {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text) && !text.trimStart().startsWith("{")) return { privateKey: text };
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { id, privateKey, secret } = value as Record<string, unknown>;
    const isText = (one: unknown) => one === undefined || typeof one === "string";
    if (![id, privateKey, secret].every(isText) || (privateKey === undefined) === (secret === undefined))
      return undefined;
    return value;
  } catch {
    return undefined;
  }
}

function privateKeyOf(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem);
    const der = createPublicKey(key).export({ format: "der", type: "spki" });
    return isPublicKey(der.toString("latin1")) ? key : undefined;
  } catch {
    return undefined;
  }
}
