// Conditions as people type and read them: `cookie:user=alice`, `!path^=/api/`.
import { type Condition, REQUEST_PARTS, type RequestPart } from "../../routes/model/model.ts";
import { didYouMean } from "../../routes/reading/diagnostic.ts";

const COMPARISONS = { "=": "exact", "^=": "prefix", "$=": "suffix", "*=": "contains" } as const;
type Operator = keyof typeof COMPARISONS;
const NAMED = ["header", "cookie", "query"] as const;

const FORM = /^(?<not>!?)(?<subject>[^=]*?)(?:(?<operator>[\^$*!]?=)(?<text>.*))?$/s;
export const EXPECTED = "expected header:NAME, cookie:NAME, query:NAME, path, method, host or caller, then =TEXT";

/** An Error's message says what is wrong. What the schema of routes checks is left to it. */
export function parseCondition(typed: string): Condition | Error {
  const { not = "", subject = "", operator, text = "" } = FORM.exec(typed)?.groups ?? {};
  const of = parseSubject(subject);
  if (of instanceof Error) return of;
  const turned = (not === "!") !== (operator === "!=");
  if (operator === undefined) return { ...of, present: !turned };
  if (text === "")
    return new Error(`nothing stands behind ${operator}; without it, ${not}${subject} asks for any value`);
  const comparison = COMPARISONS[(operator === "!=" ? "=" : operator) as Operator];
  return { ...of, [comparison]: text, ...(turned && { not: true }) };
}

function parseSubject(subject: string): Condition | Error {
  const [, kind = "", name = ""] = /^([^:]*):?(.*)$/s.exec(subject) ?? [];
  const part = kind === "request" ? name : subject;
  if (isPart(part)) return { request: part };
  const named = NAMED.find((one) => one === kind);
  if (named === undefined) return new Error(`${EXPECTED}${didYouMean(kind, [...NAMED, ...REQUEST_PARTS])}`);
  return name === "" ? new Error(`which ${named}? Write ${named}:NAME`) : { [named]: name };
}

const isPart = (text: string): text is RequestPart => REQUEST_PARTS.some((part) => part === text);

/** As `parseCondition` reads it. */
export function formatCondition({ header, cookie, query, request, present, not = false, ...text }: Condition): string {
  const named = Object.entries({ header, cookie, query }).flatMap(([kind, name]) =>
    name === undefined ? [] : `${kind}:${name}`,
  );
  const subject = request ?? named[0] ?? "";
  if (present !== undefined) return `${present === not ? "!" : ""}${subject}`;
  const [operator, comparison] =
    Object.entries(COMPARISONS).find(([, name]) => text[name] !== undefined) ?? (["=", "exact"] as const);
  const value = text[comparison] ?? "";
  if (!not) return `${subject}${operator}${value}`;
  return operator === "=" ? `${subject}!=${value}` : `!${subject}${operator}${value}`;
}
