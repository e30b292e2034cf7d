// Regular expressions that are no more than a text with anything before or behind it.
import type { Condition } from "../routes/model/model.ts";

export type Comparison = Pick<Condition, "exact" | "prefix" | "suffix" | "contains" | "present">;

/** Characters that mean something of their own in a regular expression. */
const SPECIAL = /[\\^$.|?*+()[\]{}]/;
const ESCAPED = /\\([^A-Za-z0-9])/g;

/**
 * What a pattern compares; undefined for one that is more than that. `LIT` is the whole text. Of one that is searched anywhere in the text,
 * write `^LIT$` for that.
 */
export function comparisonOf(pattern: string): Comparison | undefined {
  if (/^\^?\.[*+]\??\$?$/.test(pattern)) return { present: true };
  const [, begin = "", middle = "", end = ""] = /^(\^?(?:\.\*\??)?)(.*?)((?:\.\*\??)?\$?)$/s.exec(pattern) ?? [];
  const text = literal(middle);
  if (text === undefined) return undefined;
  const anyBefore = begin.includes(".*");
  const anyBehind = end.startsWith(".*");
  if (anyBefore && anyBehind) return { contains: text };
  if (anyBefore || (end === "$" && begin === "")) return { suffix: text };
  if (anyBehind || (begin === "^" && end === "")) return { prefix: text };
  return { exact: text };
}

/** The text that a pattern without anything special stands for; undefined for an empty one. */
export function literal(pattern: string): string | undefined {
  const text = pattern.replace(ESCAPED, "$1");
  return text === "" || SPECIAL.test(pattern.replace(ESCAPED, "")) ? undefined : text;
}
