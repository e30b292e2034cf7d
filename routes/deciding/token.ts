import { fromBase64Url, fromLatin1, toLatin1 } from "../model/bytes.ts";
import { MAX_DEPTH, MAX_TEXT, MAX_TOKEN } from "../model/names.ts";

/** The text of a claim in the payload of `Bearer HEADER.PAYLOAD.SIGNATURE`; of a claim that is there twice the last one
 * counts, as RFC 7519 allows. Undefined for no such text, and for a token that is broken, too long or nested too deeply. */
export function claimOf(authorization: string, claim: string): string | undefined {
  const payload = /^[ \t]*bearer [ \t]*[^.]*\.([-\w]*)\./i.exec(authorization)?.[1] ?? "";
  if (payload.length > MAX_TOKEN) return undefined;
  try {
    const claims: unknown = JSON.parse(fromLatin1(fromBase64Url(payload)), whole);
    if (typeof claims !== "object" || claims === null || Array.isArray(claims)) return undefined;
    if (depthOf(claims) > MAX_DEPTH || !Object.hasOwn(claims, claim)) return undefined;
    const value: unknown = (claims as Record<string, unknown>)[claim];
    if (typeof value !== "string") return undefined;
    const bytes = toLatin1(value);
    return bytes.length > MAX_TEXT ? "" : bytes;
  } catch {
    return undefined;
  }
}

/** Throws for a name or a text with half of a surrogate pair, which `JSON.parse` takes and UTF-8 can't hold. */
function whole(name: string, value: unknown): unknown {
  if (name.isWellFormed() && (typeof value !== "string" || value.isWellFormed())) return value;
  throw new SyntaxError("half of a surrogate pair");
}

/** The levels of values inside of `value`: 0 for a number, a text or an empty list. */
function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((most: number, inner) => Math.max(most, 1 + depthOf(inner)), 0);
}
