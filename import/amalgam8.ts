// Amalgam8's rules in both of its dialects: 0.x searches patterns anywhere in a value, 1.x compares the whole value.
import type { Reference, Share } from "../routes/model/model.ts";
import { isHeaderName } from "../routes/model/sources.ts";
import type { Path } from "../routes/reading/diagnostic.ts";
import { comparisonOf, literal } from "./comparison.ts";
import type { Item } from "./documents.ts";
import { list, map, maybe, name, number, object, text } from "./fields.ts";
import { type Mapping, mapped } from "./mapping.ts";
import { addOrdered, type Demand, type Rule } from "./ordered.ts";
import { alternatives, cookiePattern } from "./patterns.ts";
import { type FindingKind, objectOf, type Report } from "./report.ts";
import { percents } from "./shares.ts";

const backend = object({
  name: maybe(name),
  tags: maybe(list(name)),
  weight: maybe(number.min(0, "expected a fraction").max(1, "expected a fraction")),
});
const rule = object({
  priority: maybe(number),
  destination: name,
  match: maybe(object({ source: maybe(object({ name })), headers: maybe(map(text)) })),
  route: maybe(object({ backends: list(backend) })),
});
export type Amalgam8Rule = (typeof rule)["_output"];
type Backend = (typeof backend)["_output"];

/** A rule, and where it stands. */
export interface PlacedRule {
  item: Item;
  path: Path;
  rule: Amalgam8Rule;
  /** Whether it is of 1.x. */
  isNew: boolean;
}

export interface TranslationOptions {
  mappings: readonly Mapping[];
  /** What says a mapping, for messages. */
  mapFlag: string;
  /** What becomes of the requests that a rule took which is dropped, for messages. */
  aftermath: string;
  /** The source that a header's value is a key of, by the header's name. */
  keyHeaders: ReadonlyMap<string, string>;
  /** The id of a service's route, by the number that it has among them; made of the service's name unless said. */
  idOf?: (service: string, number: string) => string;
  /** Whether there is anything behind a service with all of these tags; a route that leads nowhere is left out. */
  isThere?: (service: string, tags: readonly string[]) => boolean;
}

const AFTERMATH = "; what it took meets the rules behind it now, or the baseline";
const OF_1 = ["resilience", "lb_type", "uri", "http_req_timeout", "http_req_retries"];

export function importAmalgam8(
  report: Report,
  items: readonly Item[],
  options: Pick<TranslationOptions, "mappings" | "keyHeaders">,
): void {
  const found = items.flatMap((item) => rulesIn(report, item));
  // What is certain to be 1.x is; anything else may be 0.x.
  const isNew = found.some(({ rule: { route } }) => {
    const fields = [route, ...(route?.backends ?? [])].flatMap((one) => Object.keys(one ?? {}));
    return fields.some((field) => OF_1.includes(field));
  });
  const rules = found.map((one) => ({ ...one, isNew }));
  translateRules(report, rules, { ...options, mapFlag: "--map", aftermath: AFTERMATH });
}

/** Adds the routes of the rules to the report, and what can't be carried over. */
export function translateRules(report: Report, found: readonly PlacedRule[], options: TranslationOptions): void {
  for (const one of found.filter(({ rule: { route } }) => route === undefined)) {
    report.tell(
      "dropped",
      one.item,
      [...one.path, "actions"],
      "Keyway routes requests, and delays, aborts or traces none",
    );
  }
  const routing = found.filter(({ rule: { route } }) => route !== undefined);
  for (const [service, rules] of Map.groupBy(routing, ({ rule }) => rule.destination)) {
    const ordered = [...rules].sort((a, b) => (b.rule.priority ?? 0) - (a.rule.priority ?? 0));
    for (const [at, one] of ordered.entries()) {
      const next = ordered[at + 1];
      if (next && (next.rule.priority ?? 0) === (one.rule.priority ?? 0)) {
        report.tell(
          "note",
          next.item,
          next.path,
          "another rule has the same priority, and which goes first was undefined; they stay as they stand",
        );
      }
    }
    const first = ordered[0] as PlacedRule;
    addOrdered(report, {
      item: first.item,
      service,
      name: `amalgam8-${service}`,
      ...(options.idOf && { idOf: (number: string) => options.idOf?.(service, number) ?? number }),
      rules: ordered.flatMap((one) => toRule(report, one, options)),
      otherwise: `was answered with ${first.isNew ? 404 : 412}`,
      path: first.path,
    });
  }
}

function rulesIn(report: Report, item: Item): Omit<PlacedRule, "isNew">[] {
  const each = listsIn(item.value).flatMap(({ path, rules }) =>
    rules.map((value, at) => ({ value, path: path.concat(at) })),
  );
  const all = each.length > 0 || listsIn(item.value).length > 0 ? each : [bare(item)];
  return all.flatMap(({ value, path }) => {
    const read = report.read(rule, {
      ...item,
      value,
      path: [...item.path, ...path],
      locate: (below) => item.locate([...path, ...below]),
    });
    return read ? [{ item, path, rule: read }] : [];
  });
}

/** The lists of rules of `{rules: […]}`, `{services: {NAME: […]}}` or a bare list. */
function listsIn(value: unknown): { path: (string | number)[]; rules: unknown[] }[] {
  if (Array.isArray(value)) return [{ path: [], rules: value }];
  const { rules, services } = objectOf(value);
  if (Array.isArray(rules)) return [{ path: ["rules"], rules }];
  return Object.entries(objectOf(services)).flatMap(([name, own]) =>
    Array.isArray(own) ? [{ path: ["services", name], rules: own }] : [],
  );
}

/** A rule for itself, or one of Kubernetes. */
function bare({ value }: Item): { value: unknown; path: Path } {
  const { spec } = objectOf(value);
  return spec === undefined ? { value, path: [] } : { value: spec, path: ["spec"] };
}

const READ = ["name", "tags", "weight", "backends"];

function toRule(report: Report, { item, path, rule, isNew }: PlacedRule, options: TranslationOptions): Rule[] {
  const { match, route, destination } = rule;
  const drop = (at: Path, why: string) => {
    report.tell("dropped", item, [...path, ...at], `${why}${options.aftermath}`);
    return [];
  };
  const unread = Object.keys(match ?? {}).find((field) => field !== "source" && field !== "headers");
  if (unread !== undefined) return drop(["match", unread], "Keyway has no such condition");
  if (match?.source && !isNew) {
    return drop(
      ["match", "source"],
      `it is for requests of ${match.source.name} alone, and a proxy knows its caller by its identity`,
    );
  }
  if (match?.source) report.tell("note", item, [...path, "match", "source"], "Amalgam8 1.x passes it over as well");
  let combinations: Demand[][] = [[]];
  for (const [header, pattern] of Object.entries(match?.headers ?? {})) {
    const place: Path = ["match", "headers", header];
    const choices = headerChoices(header, pattern, isNew, options.keyHeaders);
    if (choices === undefined)
      return drop(place, "Keyway compares texts, and has no regular expressions like this one");
    if (choices.tell) report.tell(choices.tell[0], item, [...path, ...place], choices.tell[1]);
    combinations = combinations.flatMap((before) => choices.demands.map((one) => [...before, one]));
  }
  const backends = route?.backends ?? [];
  for (const [at, one] of backends.entries()) {
    for (const field of Object.keys(one).filter((name) => !READ.includes(name) && one[name] != null)) {
      report.tell("dropped", item, [...path, "route", "backends", at, field], POLICY);
    }
  }
  for (const field of Object.keys(route ?? {}).filter((name) => !READ.includes(name) && route?.[name] != null)) {
    report.tell("dropped", item, [...path, "route", field], POLICY);
  }
  const shares = sharesOf(report, item, [...path, "route", "backends"], backends, destination, options);
  if (shares === undefined) return [];
  if (shares.length > 1 && !isNew) {
    report.tell(
      "dropped",
      item,
      [...path, "route", "backends"],
      "Amalgam8 0.x keeps a browser with its version by a cookie; here each request is chosen for anew, unless `sticky` is written to the route",
      { stands: true },
    );
  }
  const [only] = shares;
  const gone = goneTargets(rule, options);
  const left = shares.filter(({ to }) => !gone.has(JSON.stringify(to)));
  const to = shares.length === 1 && only ? only.to : left;
  return combinations.map((demands) => ({ item, path, demands, to, ...(left.length === 0 && { isGone: true }) }));
}

const POLICY = "what takes this route is treated as the baseline's own route says";

type Choices = { demands: Demand[]; tell?: [FindingKind, string] };

function headerChoices(
  typed: string,
  pattern: string,
  isNew: boolean,
  keyHeaders: ReadonlyMap<string, string>,
): Choices | undefined {
  const header = typed.toLowerCase();
  if (!isHeaderName(header)) return undefined;
  if (header === "cookie") {
    const cookie = cookiePattern(pattern);
    if (cookie) {
      const { spaced, ...condition } = cookie;
      return { demands: [{ condition }], ...(!spaced && { tell: ["widened", SPACED] }) };
    }
    const [, name, value] = /^\.\*\??([^=;\s.*?()\\]+)=(.*)$/s.exec(pattern) ?? [];
    const exact = value === undefined ? undefined : literal(value);
    if (name !== undefined && exact !== undefined) {
      const tell: [FindingKind, string] = isNew
        ? ["widened", `the cookie counts wherever it stands, not at the end alone`]
        : [
            "narrowed",
            `the cookie ${name} is ${exact} and nothing else; whatever contains ${name}=${exact} was taken, too`,
          ];
      return { demands: [{ condition: { cookie: name, exact } }], tell };
    }
  }
  const comparisons = isNew ? alternatives(pattern) : [comparisonOf(pattern)];
  if (comparisons === undefined) return undefined;
  const demands: Demand[] = [];
  for (const comparison of comparisons) {
    if (comparison === undefined) return undefined;
    const source = comparison.exact === undefined ? undefined : keyHeaders.get(header);
    const key =
      source !== undefined && comparison.exact !== undefined ? { key: { source, value: comparison.exact } } : {};
    demands.push({ condition: { header, ...comparison }, ...key });
  }
  const isAnchored =
    isNew ||
    /^(\^.*|\.\*\??)$/s.test(pattern) ||
    /\$$/.test(pattern) ||
    /^\.[*+].*\.\*$/s.test(pattern) ||
    /^\.[*+]\??$/.test(pattern);
  return {
    demands,
    ...(!isAnchored && {
      tell: [
        "narrowed",
        `the value is compared from its begin to its end; Amalgam8 0.x took whatever contains ${pattern}`,
      ],
    }),
  };
}

const SPACED = "the cookie counts behind a space, as browsers send it, as well";

/** The shares of the backends in percent; those without a weight have what is left in equal parts. Undefined, and told, where that can't be carried over. */
function sharesOf(
  report: Report,
  item: Item,
  path: Path,
  backends: readonly Backend[],
  destination: string,
  options: TranslationOptions,
): Share<Reference>[] | undefined {
  if (backends.length === 0) {
    report.mistake(item, path, "at least one backend is needed");
    return undefined;
  }
  const sum = backends.reduce((all, { weight = 0 }) => all + weight, 0);
  const unweighted = backends.filter(({ weight }) => weight === undefined).length;
  if (sum > 1.000_001) {
    report.tell("dropped", item, path, "the weights are more than 1 together");
    return undefined;
  }
  const rest = unweighted > 0 ? Math.max(0, 1 - sum) / unweighted : 0;
  const shares: Share<Reference>[] = [];
  for (const [at, { name = destination, tags = [], weight = rest }] of backends.entries()) {
    const to = targetOf(report, item, [...path, at, "tags"], name, tags, options);
    if (to === undefined) return undefined;
    shares.push({ to, weight });
  }
  const whole = percents(shares);
  if (whole === undefined) report.tell("dropped", item, path, "none of the backends has a weight");
  return whole;
}

/** The targets of a rule, as texts, of which none of the backends that lead there is there. */
function goneTargets(rule: Amalgam8Rule, { isThere = () => true, ...options }: TranslationOptions): Set<string> {
  const gone = new Set<string>();
  const there = new Set<string>();
  for (const { name = rule.destination, tags = [] } of rule.route?.backends ?? []) {
    const text = JSON.stringify(referenceOf(name, tags, options.mappings));
    (isThere(name, tags) ? there : gone).add(text);
  }
  return new Set([...gone].filter((one) => !there.has(one)));
}

function targetOf(
  report: Report,
  item: Item,
  path: Path,
  service: string,
  tags: readonly string[],
  { mappings, mapFlag }: TranslationOptions,
): Reference | undefined {
  const to = referenceOf(service, tags, mappings);
  const all = tags.join(",");
  if (to === undefined) {
    report.tell(
      "dropped",
      item,
      path,
      `a route leads to one subset, and these are ${tags.length} tags; say which with ${mapFlag} ${all}=subset:NAME`,
    );
  } else if (tags.length > 0 && mapped(all, service, mappings) === undefined) {
    const subset = subsetOf(all);
    report.tell(
      "note",
      item,
      path,
      `${all} is taken for the subset ${subset}, which a DestinationRule has to declare; ${mapFlag} says another target`,
    );
  }
  return to;
}

/** What a service with all of these tags is; undefined for several tags that no mapping knows. */
function referenceOf(service: string, tags: readonly string[], mappings: readonly Mapping[]): Reference | undefined {
  if (tags.length === 0) return service;
  const said = mapped(tags.join(","), service, mappings);
  if (said !== undefined || tags.length > 1) return said;
  return { service, subset: subsetOf(tags.join()) };
}

/** A label `version=v2` stands for its value. */
const subsetOf = (tag: string) => tag.replace(/^[^=]+=/, "");
