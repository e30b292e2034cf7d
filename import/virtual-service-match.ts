// What one entry of a VirtualService's `match` demands, in Keyway's conditions.
import type { Condition } from "../routes/model/model.ts";
import { isHeaderName } from "../routes/model/sources.ts";
import type { Path } from "../routes/reading/diagnostic.ts";
import type { Comparison } from "./comparison.ts";
import type { Item } from "./documents.ts";
import { maybe, object, text } from "./fields.ts";
import type { Demand, Rule } from "./ordered.ts";
import { alternatives, cookiePattern, overridesPattern } from "./patterns.ts";
import type { FindingKind, Report } from "./report.ts";

export const stringMatch = maybe(object({ exact: maybe(text), prefix: maybe(text), regex: maybe(text) }));
export type StringMatch = { exact?: string | undefined; prefix?: string | undefined; regex?: string | undefined };
type Texts = Record<string, StringMatch | undefined>;

export interface MatchEntry {
  headers?: Texts | undefined;
  queryParams?: Texts | undefined;
  withoutHeaders?: Texts | undefined;
  uri?: StringMatch | undefined;
  method?: StringMatch | undefined;
  scheme?: StringMatch | undefined;
  authority?: StringMatch | undefined;
  ignoreUriCase?: boolean | undefined;
  port?: number | undefined;
  gateways?: string[] | undefined;
  [field: string]: unknown;
}

export type Demands = Pick<Rule, "path" | "port" | "demands">;

interface Context {
  service: string;
  /** The source that a header's value is a key of, by the header's name. */
  keyHeaders: ReadonlyMap<string, string>;
}

/** One of several things that a condition may be, or why it can't be carried over. */
type Choices = { choices: Demand[]; tell?: [FindingKind, string] } | { why: string };

export const MESH = "mesh";
const READ = ["headers", "queryParams", "withoutHeaders", "uri", "method", "scheme", "authority", "port", "gateways"];
const WITHOUT_MEANING = ["name", "statPrefix", "ignoreUriCase"];
export const LEFT = "what it took meets the rules behind it now, or the baseline";
export const POLICY = "what takes this route is treated as the rule says that it meets without it";
/** Entries that one entry may become. */
const MOST = 100;

/** The combinations of demands that an entry stands for; none where it can't be carried over, which is told then. */
export function demandsOf(
  report: Report,
  item: Item,
  { match, path }: { match: MatchEntry; path: Path },
  context: Context,
): Demands[] {
  const drop = (at: Path, why: string) => {
    report.tell("dropped", item, at, `${why}; ${LEFT}`);
    return [];
  };
  if (match.gateways !== undefined && !match.gateways.includes(MESH)) {
    return drop(
      [...path, "gateways"],
      `it holds at ${match.gateways.join(", ")} alone, and a gateway has routes of its own`,
    );
  }
  const unread = Object.keys(match).find(
    (field) => !READ.includes(field) && !WITHOUT_MEANING.includes(field) && !isNothing(match[field]),
  );
  if (unread !== undefined) return drop([...path, unread], "Keyway has no such condition");
  const told: [FindingKind, Path, string][] = [];
  let combinations: Demand[][] = [[]];
  for (const { at, found } of partsOf(match, context)) {
    const place = [...path, ...at];
    if ("why" in found) return drop(place, found.why);
    if (found.tell) told.push([found.tell[0], place, found.tell[1]]);
    if (combinations.length * found.choices.length > MOST) return drop(place, `it stands for more than ${MOST} routes`);
    combinations = combinations.flatMap((before) => found.choices.map((one) => [...before, one]));
  }
  if (match.ignoreUriCase && match.uri)
    told.push(["narrowed", [...path, "ignoreUriCase"], "a path is compared in its case"]);
  for (const [kind, at, message] of told) report.tell(kind, item, at, message);
  return combinations.map((demands) => ({
    path,
    ...(match.port !== undefined && { port: match.port }),
    demands: demands.filter(({ condition, key }) => condition !== undefined || key !== undefined),
  }));
}

const isNothing = (value: unknown) => value == null || (typeof value === "object" && Object.keys(value).length === 0);

function partsOf(match: MatchEntry, context: Context): { at: Path; found: Choices }[] {
  const each = (
    field: "headers" | "queryParams" | "withoutHeaders",
    read: (name: string, one: StringMatch) => Choices,
  ) => Object.entries(match[field] ?? {}).map(([name, one]) => ({ at: [field, name], found: read(name, one ?? {}) }));
  const parts: [string, Condition][] = [
    ["uri", { request: "path" }],
    ["method", { request: "method" }],
    ["scheme", { header: ":scheme" }],
    ["authority", { header: ":authority" }],
  ];
  return [
    ...parts.flatMap(([field, of]) => {
      const one = match[field] as StringMatch | undefined;
      return one === undefined ? [] : [{ at: [field], found: compared(of, one) }];
    }),
    ...each("headers", (name, one) => headerDemand(name, one, context)),
    ...each("withoutHeaders", absentDemand),
    ...each("queryParams", queryDemand),
  ];
}

function headerDemand(typed: string, match: StringMatch, { service, keyHeaders }: Context): Choices {
  const name = typed.toLowerCase();
  if (!isHeaderName(name) || name.startsWith(":")) return { why: `${typed} is no header of a request` };
  const overrides = match.regex === undefined ? undefined : overridesPattern(match.regex);
  if (overrides !== undefined) {
    if (overrides.service !== service.split(".")[0])
      return { why: `${overrides.service} is another service than ${service}` };
    const source = name === "x-override" ? "overrides" : `overrides:${name}`;
    const tell: [FindingKind, string] = ["narrowed", `a . in ${overrides.version} stood for any character`];
    return {
      choices: [{ key: { source, value: overrides.version } }],
      ...(overrides.version.includes(".") && { tell }),
    };
  }
  const cookie = name === "cookie" && match.regex !== undefined ? cookiePattern(match.regex) : undefined;
  if (cookie) {
    const { spaced, ...condition } = cookie;
    const tell: [FindingKind, string] = ["widened", "the cookie counts behind a space, as browsers send it, as well"];
    return { choices: [{ condition }], ...(!spaced && { tell }) };
  }
  const found = compared({ header: name }, match);
  const source = keyHeaders.get(name);
  if (source === undefined || "why" in found) return found;
  const choices = found.choices.map((one) => {
    const { exact } = one.condition ?? {};
    return exact === undefined ? one : { ...one, key: { source, value: exact } };
  });
  return { ...found, choices };
}

function absentDemand(typed: string, match: StringMatch): Choices {
  const name = typed.toLowerCase();
  if (!isHeaderName(name) || name.startsWith(":")) return { why: `${typed} is no header of a request` };
  const found = compared({ header: name }, match);
  if ("why" in found) return found;
  if (found.choices.length > 1) return { why: "none of several texts can't be carried over" };
  const choices = found.choices.map(({ condition }) => {
    return { condition: condition?.present ? { header: name, present: false } : { ...condition, not: true } };
  });
  return { ...found, choices };
}

function queryDemand(name: string, match: StringMatch): Choices {
  const texts = Object.values(match).filter((one) => typeof one === "string");
  if (texts.some((one) => /[%+]/.test(one))) return { why: "Keyway compares query parameters percent-decoded" };
  return compared({ query: name }, match);
}

/** The conditions that a StringMatch stands for; one without a text asks for any value. */
function compared(of: Condition, { exact, prefix, regex }: StringMatch): Choices {
  if (exact !== undefined)
    return exact === "" ? { why: "an empty text is compared with" } : { choices: [{ condition: { ...of, exact } }] };
  if (prefix !== undefined) return { choices: [startsWith(of, prefix)] };
  if (regex === undefined || regex === "*") return { choices: [{ condition: { ...of, present: true } }] };
  const found = alternatives(regex);
  if (found === undefined) return { why: "Keyway compares texts, and has no regular expressions like this one" };
  const choices = found.map((comparison) => ({ condition: { ...of, ...comparison } }));
  const tell: [FindingKind, string] = ["widened", "an empty value counts as well"];
  return { choices, ...(found.some(isPresence) && regex.includes(".+") && { tell }) };
}

const isPresence = ({ present }: Comparison) => present === true;

/** Every path begins with `/`, and every text with nothing. */
function startsWith(of: Condition, prefix: string): Demand {
  if (prefix === "/" && of.request === "path") return {};
  return { condition: prefix === "" ? { ...of, present: true } : { ...of, prefix } };
}
