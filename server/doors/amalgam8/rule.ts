// A rule as clients send it: what it may have, and where it is wrong.
import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Amalgam8Rule } from "../../../import/amalgam8.ts";
import { expected, text, word } from "../../../routes/model/fields.ts";
import { MAX_TEXT } from "../../../routes/model/names.ts";
import { didYouMean, formatPath, type Path } from "../../../routes/reading/diagnostic.ts";
import { diagnosticsOf } from "../../../routes/reading/validate.ts";
import { A8Error } from "./errors.ts";

/** Rules of one request, at most. */
const MOST_RULES = 5000;
const MOST_NAME = 253; // bytes

const strict = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === "invalid_type" ? expected("an object")(issue) : undefined),
  });
const name = text(MOST_NAME, "a text");
const listOf = <Item extends z.ZodType>(item: Item, what: string) =>
  z.array(item, { error: expected(`a list of ${what}`) }).min(1, `at least one is needed`);
const tags = listOf(name, "tags")
  .max(64, "more than 64 tags")
  .refine((all) => new Set(all).size === all.length, "the same tag twice");
const any = z.unknown().optional();

const source = strict({ name, tags: tags.nullish() });
const headers = z
  .record(z.string(), text(MAX_TEXT, "a text"), { error: expected("an object") })
  .refine((all) => Object.keys(all).length > 0, "at least one is needed");
const match = strict({ source: source.nullish(), headers: headers.nullish(), all: any, any, none: any }).refine(
  (fields) => Object.values(fields).some((value) => value != null),
  "at least one condition is needed",
);
const weight = z
  .number({ error: expected("a fraction") })
  .gt(0, "expected a fraction above 0")
  .max(1, "expected a fraction, at most 1");
const backend = strict({
  name: name.nullish(),
  tags,
  weight: weight.nullish(),
  timeout: any,
  retries: any,
  resilience: any,
  lb_type: any,
});
const route = strict({
  backends: listOf(backend, "backends"),
  uri: any,
  http_req_timeout: any,
  http_req_retries: any,
});
const rule = strict({
  id: name.nullish(),
  priority: z
    .number({ error: expected("a whole number") })
    .int("expected a whole number")
    .nullish(),
  tags: z.array(name, { error: expected("a list of tags") }).nullish(),
  destination: name,
  match: match.nullish(),
  route: route.nullish(),
  actions: z.array(z.looseObject({ action: word(["delay", "abort", "trace"]) })).nullish(),
  /** Clients write the revision, which counts the changes of all rules, into each of them as well. */
  revision: any,
}).check(({ value, issues }) => {
  if ((value.route == null) !== (value.actions == null)) return;
  issues.push({ code: "custom", input: value, message: "exactly one of route, actions is needed" });
});

/** A rule as it was sent, with an id, as it is answered. */
export type Rule = Amalgam8Rule & { id: string; tags?: string[] };

const container = strict({
  rules: z.array(any, { error: expected("a list of rules") }),
  revision: any,
});

/** The rules of `{"rules": […]}`. Throws a A8Error that names the places of what is wrong. */
export function readRules(value: unknown): Rule[] {
  const body = container.safeParse(value);
  if (!body.success) throw invalidRule(diagnosticsOf(body.error, []));
  const { rules } = body.data;
  if (rules.length > MOST_RULES) {
    throw new A8Error(
      413,
      "error_too_many_rules",
      `more than ${MOST_RULES} rules in one request; send them in several`,
    );
  }
  const seen = new Map<string, number>();
  const mistakes: Mistake[] = [];
  const read = rules.flatMap((one, at): Rule[] => {
    const result = rule.safeParse(one);
    if (!result.success) {
      mistakes.push(...diagnosticsOf(result.error, ["rules", at]));
      return [];
    }
    const { id } = result.data;
    const { revision: _, ...sent } = withoutNull(one) as Rule & { revision?: unknown };
    const before = id == null ? undefined : seen.get(id);
    if (before !== undefined) mistakes.push({ path: ["rules", at, "id"], message: `the same id as rules[${before}]` });
    else if (id != null) seen.set(id, at);
    return [{ ...sent, id: id ?? randomUUID() }];
  });
  if (mistakes.length > 0) throw invalidRule(mistakes);
  return read;
}

interface Mistake {
  path: Path;
  message: string;
  field?: string;
}

/** Mistakes that are told of one request. */
const SHOWN = 10;

const FIELDS = ["id", "priority", "tags", "destination", "match", "route", "actions", "source", "headers", "backends"];

export function invalidRule(mistakes: readonly Mistake[]): A8Error {
  const lines = mistakes.slice(0, SHOWN).map(({ path, message, field }) => {
    const place = formatPath(field === undefined ? path : [...path, field]);
    return `${place === "" ? "" : `${place}: `}${message}${field === undefined ? "" : didYouMean(field, FIELDS)}`;
  });
  if (mistakes.length > SHOWN) lines.push(`and ${mistakes.length - SHOWN} more`);
  return new A8Error(400, "error_invalid_rule", `Invalid rule provided: ${lines.join("; ")}`);
}

/** A field that is null is one that is not there. */
function withoutNull(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNull);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(fields.map(([field, inner]) => [field, withoutNull(inner)]));
}
