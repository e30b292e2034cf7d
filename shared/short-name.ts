import { createHash } from "node:crypto";

/** Characters that a Kubernetes label's value, and the name of a Service, may have. */
export const MAX_SHORT_NAME = 63;
const HASH_LENGTH = 10; // characters of 5 bits each
const MAX_SLUG = MAX_SHORT_NAME - HASH_LENGTH - 1;
const DIGITS = "0123456789abcdefghijklmnopqrstuv";

/** A name that is readable by its first part, made from the text, and unique by its second, made from the identity. */
export function shortName(text: string, identity: string): string {
  return `${slugOf(text).slice(0, MAX_SLUG).replace(/-+$/, "")}-${hashOf(identity)}`;
}

/** Lower case letters and digits with dashes between them. */
export function slugOf(text: string): string {
  const slug = text.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return slug.replace(/^-+|-+$/g, "") || "any";
}

function hashOf(identity: string): string {
  const digest = createHash("sha256").update(identity).digest();
  return Array.from(digest.subarray(0, HASH_LENGTH), (byte) => DIGITS[byte & 31]).join("");
}
