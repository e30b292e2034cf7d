// The forms in which a key leaves: sources that can be written to, laid down as sources/source.ts shows.
import { BAGGAGE, COOKIE, HEADER, TRACESTATE } from "../sources/source";

/** Whether a key can be written to a source of this kind. */
export function isForm(kind: u32): bool {
  return kind == HEADER || kind == BAGGAGE || kind == TRACESTATE || kind == COOKIE;
}
