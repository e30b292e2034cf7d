import { z } from "zod";
import { quoted } from "./bytes.ts";
import { parseDate } from "./date.ts";
import { edge } from "./edge-schema.ts";
import { TABLE_PATH } from "./feed.ts";
import { expected, flag, list, object, optional, text, textOrEmpty, whole, word } from "./fields.ts";
import { isKey } from "./key.ts";
import { hasLinks } from "./links.ts";
import { type Configuration, DIRECTIONS, MISSING, REQUEST_PARTS, SAME_SITES, TRACE_HEADERS } from "./model.ts";
import {
  DEFAULT_SOURCE,
  LEAST_TRACE_ENTRIES,
  LINK_NAME,
  LINK_SECONDS,
  MAX_CLUSTER,
  MAX_CONDITIONS,
  MAX_FORMS,
  MAX_KEY,
  MAX_LINK_SECONDS,
  MAX_NAME,
  MAX_SHARES,
  MAX_SOURCES,
  MAX_SPLIT,
  MAX_TEXT,
  MAX_TRACE_ENTRIES,
  MAX_TRACE_SECONDS,
  TRACE_ENTRIES,
  TRACE_SECONDS,
} from "./names.ts";
import { formError, isHeaderName, parseSource, TRACE_STANDS_ALONE } from "./sources.ts";
import { toUnits, WHOLE } from "./weight.ts";

/** It may become a header's value, so it has no control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\x00-\x1f\x7f]/;
export const cluster = text(MAX_CLUSTER).refine((name) => !CONTROL.test(name), "a control character in a name");

/** A text that becomes a part of a request. */
const visible = (most: number) =>
  text(most).refine((value) => /^[!-~]*$/.test(value), {
    error: "expected printable ASCII without spaces",
    abort: true,
  });

export const liveTable = object({
  cluster: cluster.meta({ ...cluster.meta(), description: "The proxy's own cluster of route servers." }),
  authority: optional(visible(MAX_CLUSTER), "The host that the requests name; the cluster's name unless said."),
  path: optional(
    visible(MAX_CLUSTER).refine((path) => path.startsWith("/"), "expected a path that begins with /"),
    `The path that tables are asked for at; ${TABLE_PATH} unless said.`,
  ),
  scope: optional(textOrEmpty(MAX_TEXT), "Which part of the routes this proxy holds; all of them unless said."),
  token: optional(visible(MAX_TEXT), "Sent as `authorization: Bearer TOKEN`."),
});

function source<Schema extends z.ZodType<string>>(schema: Schema) {
  return schema.check(({ value, issues }) => {
    const parsed = parseSource(value);
    if (parsed instanceof Error) issues.push({ code: "custom", input: value, message: parsed.message });
  });
}

const singleSource = source(text(MAX_TEXT))
  .refine((value) => countSources(value) <= 1, "one source is needed, not several")
  .refine((value) => value !== "trace", TRACE_STANDS_ALONE);

/** How many sources a text stands for; a preset can stand for several. */
function countSources(value: string): number {
  const parsed = parseSource(value);
  return parsed instanceof Error ? 0 : parsed.length;
}

const sources = list(source(z.string({ error: expected("a source in quotes") })), "source", "sources").check(
  ({ value, issues }) => {
    let count = 0;
    for (const [index, one] of value.entries()) {
      count += countSources(one);
      if (count <= MAX_SOURCES) continue;
      issues.push({ code: "custom", path: [index], input: value, message: `more than ${MAX_SOURCES} sources` });
      return;
    }
  },
);

const form = z.string({ error: expected("a form in quotes") }).check(({ value, issues }) => {
  const parsed = parseSource(value);
  const [one] = parsed instanceof Error ? [] : parsed;
  const message =
    parsed instanceof Error
      ? parsed.message
      : parsed.length > 1
        ? "one form is needed, not several"
        : one && formError(one);
  if (message !== undefined) issues.push({ code: "custom", input: value, message });
});

const SUBJECTS = ["header", "cookie", "query", "request"] as const;
const COMPARISONS = ["exact", "prefix", "suffix", "contains", "present"] as const;

const condition = object({
  header: optional(text(MAX_NAME).refine(isHeaderName, "not a header's name"), "The name of the header to compare."),
  cookie: optional(text(MAX_NAME), "The name of the cookie to compare."),
  query: optional(text(MAX_NAME), "The name of the query parameter to compare, percent-decoded."),
  request: optional(
    word(REQUEST_PARTS),
    "The part of the request to compare: its path without the query, its method, its host without the port, or its " +
      "caller's SPIFFE id as mutual TLS proved it.",
  ),
  exact: optional(text(MAX_TEXT), "One of the values is this text."),
  prefix: optional(text(MAX_TEXT), "One of the values begins with this text."),
  suffix: optional(text(MAX_TEXT), "One of the values ends with this text."),
  contains: optional(text(MAX_TEXT), "One of the values contains this text."),
  present: optional(flag, "True: there is a value, whatever it is. False: there is none."),
  not: optional(flag, "True turns the condition round: it holds where it would not hold otherwise."),
})
  .check(exactlyOne(SUBJECTS))
  .check(exactlyOne(COMPARISONS))
  .meta({ description: "One subject (header, cookie, query, request) and one comparison." });

const percent = `a percentage from 0 to ${MAX_SHARES}`;
const weight = z
  .number({ error: expected(percent) })
  .min(0, `expected ${percent}`)
  .max(MAX_SHARES, `expected ${percent}`)
  .meta({ description: "Percent of the requests, in steps of 1/10,000." });

/** The fields of a route but the one that says where from, which plugin configurations and route files call differently;
 * `betweenFields` checks what holds between them. */
export function routeFields<To extends z.ZodType>(to: To) {
  const share = object({ to: to.meta({ ...to.meta(), description: "The share's target." }), weight });
  return {
    key: optional(
      text(MAX_KEY).refine(isKey, "a key is printable ASCII without space, comma and semicolon"),
      "The routing key that a request must carry.",
    ),
    when: optional(
      list(condition, "condition", "conditions", MAX_CONDITIONS),
      "Conditions that must all hold. Beside `key` they narrow the route; without it they make a route of their own.",
    ),
    split: optional(
      list(share, "share", "shares", MAX_SPLIT).refine(
        (shares) => shares.reduce((sum, { weight }) => sum + toUnits(weight), 0) <= WHOLE,
        `shares of more than ${MAX_SHARES} percent together`,
      ),
      "Targets with their shares in percent, at most 100 together; the rest stays with the baseline.",
    ),
    to: optional(to, "The target: where the requests go."),
    sticky: optional(singleSource, "The source whose value fixes the choice of a split, such as `cookie:session`."),
    expires: optional(
      text(64).refine((date) => (parseDate(date) ?? 0) > 0, "expected a date like 2030-01-31T12:00:00Z"),
      "An RFC 3339 date; past it the proxy itself ignores the route.",
    ),
    missing: optional(
      word(MISSING),
      "Where the target is missing: `baseline` (the default) sends the request there, `fail` answers it with 424.",
    ),
  };
}

const traceHeader = z.string({ error: expected("a header in quotes") }).check(({ value, issues }) => {
  if (TRACE_HEADERS.some((known) => known === value.toLowerCase())) return;
  const message = `no header of trace ids that is known: ${quoted(value)}`;
  issues.push({ code: "custom", input: value, message });
});

const traceOptions = object({
  ids: optional(
    list(traceHeader, "header", "headers", TRACE_HEADERS.length),
    `The headers of trace ids, in the order in which they are looked at; [${TRACE_HEADERS.join(", ")}] unless said.`,
  ),
  seconds: optional(
    whole(1, MAX_TRACE_SECONDS),
    `How long the key of a trace is remembered after its last request; ${TRACE_SECONDS} unless said.`,
  ),
  entries: optional(
    whole(LEAST_TRACE_ENTRIES, MAX_TRACE_ENTRIES),
    `How many ids a proxy remembers, in steps of ${LEAST_TRACE_ENTRIES}, the oldest forgotten first; ${TRACE_ENTRIES} unless said.`,
  ),
  direction: optional(
    word(DIRECTIONS),
    "Which requests this filter sees; what the listener says (`traffic_direction`) unless said.",
  ),
});

/** A name that neither a query nor a cookie would have to escape. */
const linkName = text(MAX_NAME).refine((name) => /^[-._~0-9A-Za-z]+$/.test(name), {
  error: "expected a name of letters, digits, - . _ ~",
  abort: true,
});

const linkOptions = object({
  query: optional(linkName, `The query parameter that names the key; ${LINK_NAME} unless said.`),
  cookie: optional(linkName, `The cookie by which the key sticks; ${LINK_NAME} unless said.`),
  seconds: optional(whole(1, MAX_LINK_SECONDS), `How long the cookie is kept; ${LINK_SECONDS} unless said.`),
  sameSite: optional(word(SAME_SITES), "The cookie's SameSite; Lax unless said."),
  secure: optional(
    z.literal([true, false, "auto"], { error: expected("true, false or auto") }),
    "Whether the cookie is Secure; auto (the default): where the request came over https.",
  ),
  path: optional(
    text(MAX_CLUSTER)
      .refine((path) => path.startsWith("/"), { error: "expected a path that begins with /", abort: true })
      .refine((path) => /^[!-:<-~]*$/.test(path), "expected printable ASCII without spaces and semicolons"),
    "The cookie's Path; / unless said.",
  ),
}).check(({ value, issues }) => {
  if (value.sameSite !== "None" || value.secure !== false) return;
  const message = "a cookie of SameSite=None has to be secure";
  issues.push({ code: "custom", path: ["secure"], input: value, message });
});

const link = z.union([z.boolean({ error: expected("true, false or an object") }), linkOptions]);

type Settings = Partial<Pick<Configuration, "keys" | "trace" | "link" | "edge">>;

/** Reports the first of the settings that have no effect beside the others, in the filter's order. */
export function betweenSettings({ value, issues }: z.core.ParsePayload<Settings>): void {
  const report = (field: keyof Settings, message: string) =>
    issues.push({ code: "custom", path: [field], input: value, message });
  if (value.trace !== undefined && !value.keys?.includes("trace"))
    report("trace", "only where trace is among the keys");
  else if (hasLinks(value) && value.edge?.accept === "none")
    report("link", "there are no links where edge accepts no key");
}

const hierarchyError = "expected one character that a key may contain";

/** The fields of the whole, whatever its routes are. */
export function configurationFields<Route extends z.ZodType>(route: Route) {
  return {
    keys: optional(
      sources,
      `The sources of keys, in the order in which they are tried; [${DEFAULT_SOURCE}] unless said. Each is KIND:NAME or a preset.`,
    ),
    routes: optional(list(route, "route", "routes", undefined, 0), "The routes, in any order but that of conditions."),
    hierarchy: optional(
      z.string({ error: hierarchyError }).refine((value) => value.length === 1 && isKey(value), hierarchyError),
      "The character between the parts of a key: a key without a route is looked up by its parents, the nearest first.",
    ),
    trace: optional(traceOptions, "How the source `trace` remembers the keys of traces."),
    link: optional(
      link,
      "Links whose query names a key, such as ?keyway=pr-42: the key sticks by a cookie, and ?keyway= takes it off. True for the defaults.",
    ),
    emit: optional(
      list(form, "form", "forms", MAX_FORMS),
      "The forms in which a key leaves, whatever form it came in: header:NAME, baggage:MEMBER, tracestate:VENDOR or cookie:NAME. " +
        "Without it a key leaves as it came.",
    ),
    edge: optional(edge, "Which keys are taken from outside, at proxies that strangers can reach."),
    explain: optional(flag, "True: requests with `x-keyway-explain: 1` are answered with the decision."),
    strict: optional(flag, "True: a configuration with mistakes is refused, instead of the last good one serving on."),
  };
}

interface RouteFields {
  key?: unknown;
  when?: unknown;
  split?: unknown;
  to?: unknown;
  sticky?: unknown;
}

/** Reports the first thing that is wrong between the fields of a route, in the filter's order. */
export function betweenFields({ value, issues }: z.core.ParsePayload<RouteFields>): void {
  const { key, when, split, to, sticky } = value;
  const report = (message: string, ...path: string[]) => issues.push({ code: "custom", path, input: value, message });
  if (key === undefined && when === undefined && split === undefined) report("one of key, when, split is needed");
  else if (key !== undefined && split !== undefined) report("a route with a key has one target; write to", "split");
  else if (split === undefined && to === undefined) report("required", "to");
  else if (split !== undefined && to !== undefined) report("a split names its targets itself", "to");
  else if (split === undefined && sticky !== undefined) report("only for a split", "sticky");
}

function exactlyOne<const Fields extends readonly string[]>(fields: Fields) {
  return ({ value, issues }: z.core.ParsePayload<Partial<Record<Fields[number], unknown>>>) => {
    if (fields.filter((field: Fields[number]) => value[field] !== undefined).length === 1) return;
    issues.push({ code: "custom", input: value, message: `exactly one of ${fields.join(", ")} is needed` });
  };
}
