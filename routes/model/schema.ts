import { z } from "zod";
import { parseDate } from "./date.ts";
import { isKey } from "./key.ts";
import {
  MAX_CLUSTER,
  MAX_CONDITIONS,
  MAX_KEY,
  MAX_NAME,
  MAX_SHARES,
  MAX_SOURCES,
  MAX_SPLIT,
  MAX_TEXT,
} from "./names.ts";
import { isHeaderName, parseSource } from "./sources.ts";

const expected =
  (what: string) =>
  ({ input }: { input?: unknown }) =>
    input === undefined ? "required" : `expected ${what}`;
const flag = z.boolean({ error: expected("true or false") });

/** A text of 1 to `most` bytes. */
export function text(most: number, what = "a text in quotes") {
  return z
    .string({ error: expected(what) })
    .refine((value) => value !== "", { error: "empty", abort: true })
    .refine((value) => Buffer.byteLength(value) <= most, { error: `longer than ${most} bytes`, abort: true });
}

function list<Item extends z.ZodType>(
  item: Item,
  one: string,
  many: string,
  most = Number.POSITIVE_INFINITY,
  least = 1,
) {
  return z
    .array(item, { error: expected(`a list of ${many}`) })
    .min(least, { error: `at least one ${one} is needed` })
    .check(({ value, issues }) => {
      if (value.length <= most) return;
      issues.push({ code: "custom", path: [most], input: value, message: `more than ${most} ${many}` });
    });
}

export function object<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "invalid_type" ? expected("an object")(issue) : undefined),
  });
}

export const cluster = text(MAX_CLUSTER);

const source = (schema: z.ZodString, most = Number.POSITIVE_INFINITY) =>
  schema.check(({ value, issues }) => {
    const parsed = parseSource(value);
    const report = (message: string) => issues.push({ code: "custom", input: value, message });
    if (parsed instanceof Error) report(parsed.message);
    else if (parsed.length > most) report("one source is needed, not several");
  });

const condition = object({
  header: z.exactOptional(text(MAX_NAME).refine(isHeaderName, "not a header's name")),
  cookie: z.exactOptional(text(MAX_NAME)),
  query: z.exactOptional(text(MAX_NAME)),
  exact: z.exactOptional(text(MAX_TEXT)),
  prefix: z.exactOptional(text(MAX_TEXT)),
  suffix: z.exactOptional(text(MAX_TEXT)),
  contains: z.exactOptional(text(MAX_TEXT)),
  present: z.exactOptional(flag),
})
  .check(exactlyOne(["header", "cookie", "query"]))
  .check(exactlyOne(["exact", "prefix", "suffix", "contains", "present"]));

/** The fields of a route but the one that says where from, which plugin configurations and route files call differently;
 * `betweenFields` checks what holds between them. */
export function routeFields<To extends z.ZodType>(to: To) {
  const percent = `a percentage from 0 to ${MAX_SHARES}`;
  const weight = z
    .number({ error: expected(percent) })
    .min(0, `expected ${percent}`)
    .max(MAX_SHARES, `expected ${percent}`);
  return {
    key: z.exactOptional(text(MAX_KEY).refine(isKey, "a key is printable ASCII without space, comma and semicolon")),
    when: z.exactOptional(list(condition, "condition", "conditions", MAX_CONDITIONS)),
    split: z.exactOptional(list(object({ to, weight }), "share", "shares", MAX_SPLIT)),
    to: z.exactOptional(to),
    sticky: z.exactOptional(source(text(MAX_TEXT), 1)),
    expires: z.exactOptional(
      text(64).refine((date) => parseDate(date) !== undefined, "expected a date like 2030-01-31T12:00:00Z"),
    ),
  };
}

/** The whole, whatever its routes are. */
export function configurationOf<Route extends z.ZodType>(route: Route) {
  return object({
    keys: z.exactOptional(
      list(source(z.string({ error: expected("a source in quotes") })), "source", "sources", MAX_SOURCES),
    ),
    routes: z.exactOptional(list(route, "route", "routes", undefined, 0)),
    explain: z.exactOptional(flag),
    strict: z.exactOptional(flag),
  });
}

interface RouteFields {
  key?: unknown;
  when?: unknown;
  split?: { weight: number }[];
  to?: unknown;
  sticky?: unknown;
}

export function betweenFields(payload: z.core.ParsePayload<RouteFields>): void {
  const { value, issues } = payload;
  const report = (field: string, message: string) =>
    issues.push({ code: "custom", path: [field], input: value, message });
  exactlyOne(["key", "when", "split"])(payload);
  if (value.split === undefined && value.to === undefined) report("to", "required");
  if (value.split !== undefined && value.to !== undefined) report("to", "a split names its targets itself");
  if (value.split === undefined && value.sticky !== undefined) report("sticky", "only for a split");
  const percent = value.split?.reduce((sum, { weight }) => sum + weight, 0) ?? 0;
  if (percent > MAX_SHARES) report("split", `shares of more than ${MAX_SHARES} percent together`);
}

function exactlyOne<Field extends string>(fields: Field[]) {
  return ({ value, issues }: z.core.ParsePayload<Partial<Record<Field, unknown>>>) => {
    if (fields.filter((field) => value[field] !== undefined).length === 1) return;
    issues.push({ code: "custom", input: value, message: `exactly one of ${fields.join(", ")} is needed` });
  };
}
