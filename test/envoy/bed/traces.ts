// Ids of traces that nobody else has.
import { randomBytes } from "node:crypto";

/** A `traceparent` of a new trace. */
export function newTrace(): string {
  return `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;
}
