import type { Route } from "../model/model.ts";
import { ZERO } from "../model/u64.ts";
import { writeEntry } from "./entry.ts";
import { writeRule } from "./rule.ts";
import { ByteWriter } from "./writer.ts";

const scratch = new ByteWriter();

/** The bytes that a route takes in a table: as an entry of its key's bucket, or as a rule. */
export function encodedSize(route: Route): number {
  scratch.clear();
  if ("key" in route) writeEntry(scratch, route, ZERO);
  else writeRule(scratch, route, ZERO);
  return scratch.length;
}
