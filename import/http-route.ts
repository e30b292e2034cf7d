// HTTPRoutes of the Gateway API, as a mesh follows them: those whose parent is a Service. Of all rules of a Service the one with the most
// specific match goes first, wherever it stands.
import type { z } from "zod";
import type { Reference, Share } from "../routes/model/model.ts";
import type { Path } from "../routes/reading/diagnostic.ts";
import type { Item } from "./documents.ts";
import { list, maybe, metadata, name, number, object, port, text } from "./fields.ts";
import { serviceOf } from "./hosts.ts";
import { addOrdered, type Rule } from "./ordered.ts";
import { alternatives } from "./patterns.ts";
import type { Report } from "./report.ts";
import { percents } from "./shares.ts";
import { demandsOf, LEFT, type MatchEntry, POLICY, type StringMatch } from "./virtual-service-match.ts";

const textMatch = object({ type: maybe(text), name, value: text });
const match = object({
  path: maybe(object({ type: maybe(text), value: maybe(text) })),
  headers: maybe(list(textMatch)),
  queryParams: maybe(list(textMatch)),
  method: maybe(text),
});
const filters = maybe(list(object({ type: text })));
const backend = object({
  name,
  namespace: maybe(name),
  group: maybe(text),
  kind: maybe(text),
  port: maybe(port),
  weight: maybe(number.min(0, "expected a weight")),
  filters,
});
const rule = object({ matches: maybe(list(match)), filters, backendRefs: maybe(list(backend)) });
const parent = object({
  name,
  namespace: maybe(name),
  group: maybe(text),
  kind: maybe(text),
  port: maybe(port),
  sectionName: maybe(text),
});
const schema = object({ metadata, spec: object({ parentRefs: maybe(list(parent)), rules: maybe(list(rule)) }) });

const EVERYTHING = match.parse({});

type HttpRoute = z.output<typeof schema>;
type Match = z.output<typeof match>;

/** A match, with the numbers by which it goes before another one. */
interface Placed {
  rank: readonly number[];
  rules: Rule[];
}

interface Attached {
  /** With its port, where the route is for one alone. */
  service: string;
  item: Item;
  value: HttpRoute;
}

export function importHttpRoutes(
  report: Report,
  items: readonly Item[],
  keyHeaders: ReadonlyMap<string, string>,
): void {
  const read = items.flatMap((item) => {
    const value = report.read(schema, item);
    return value ? [{ item, value }] : [];
  });
  const attached = read.sort(byAge).flatMap(({ item, value }) => parentsOf(report, item, value));
  for (const [service, routes] of Map.groupBy(attached, (one) => one.service)) {
    const [first] = routes;
    if (first === undefined) continue;
    const placed = routes.flatMap((one) => matchesOf(report, one, keyHeaders));
    const { name, namespace } = first.value.metadata;
    addOrdered(report, {
      item: first.item,
      service,
      name: ["hr", ...(namespace ? [namespace] : []), name].join("-"),
      rules: placed.sort((a, b) => byRank(a.rank, b.rank)).flatMap(({ rules }) => rules),
      otherwise: "was answered with 404",
      path: ["spec", "rules"],
    });
  }
}

type Read = { item: Item; value: HttpRoute };

function byAge({ value: { metadata: a } }: Read, { value: { metadata: b } }: Read): number {
  const textOf = ({ creationTimestamp, namespace, name: own }: HttpRoute["metadata"]) =>
    `${creationTimestamp ?? "~"} ${namespace ?? ""}/${own}`;
  return textOf(a).localeCompare(textOf(b));
}

/** The greater numbers go first; sorting keeps the order of what is equal. */
function byRank(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((one, index) => one !== b[index]);
  return at < 0 ? 0 : (b[at] ?? 0) - (a[at] ?? 0);
}

function parentsOf(report: Report, item: Item, value: HttpRoute): Attached[] {
  const { namespace } = value.metadata;
  return (value.spec.parentRefs ?? []).flatMap((ref, at): Attached[] => {
    const path: Path = ["spec", "parentRefs", at];
    const { kind = "Gateway", group = kind === "Gateway" ? "gateway.networking.k8s.io" : "" } = ref;
    if (kind !== "Service" || group !== "") {
      report.tell(
        "dropped",
        item,
        path,
        `what holds at ${kind} ${ref.name} is left out: a gateway has routes of its own`,
      );
      return [];
    }
    if (ref.namespace !== undefined && namespace !== undefined && ref.namespace !== namespace) {
      report.tell("widened", item, path, `it was for callers in ${namespace} alone`);
    }
    if (ref.sectionName !== undefined) {
      report.tell("widened", item, [...path, "sectionName"], `it was for the port ${ref.sectionName} alone`);
    }
    return [{ service: serviceOf(ref.name, ref.namespace ?? namespace, ref.port), item, value }];
  });
}

function matchesOf(
  report: Report,
  { service, item, value }: Attached,
  keyHeaders: ReadonlyMap<string, string>,
): Placed[] {
  return (value.spec.rules ?? []).flatMap((one, at): Placed[] => {
    const path: Path = ["spec", "rules", at];
    const to = targetOf(report, item, one, path, value.metadata.namespace);
    if (to === undefined) return [];
    const isBaseline = typeof to === "string" && to.replace(/:.*/, "") === service.replace(/:.*/, "");
    const matches = one.matches?.length ? one.matches : [EVERYTHING];
    return matches.map((one_, index) => {
      const place = one.matches?.length ? [...path, "matches", index] : path;
      const entries = entriesOf(report, item, one_, place);
      const rules = entries.flatMap((entry) =>
        demandsOf(report, item, { match: entry, path: place }, { service, keyHeaders }),
      );
      return { rank: rankOf(one_), rules: rules.map((demands) => ({ item, ...demands, to, isBaseline })) };
    });
  });
}

/** Exact paths, longer paths, methods, more headers, more parameters. */
function rankOf({ path, method, headers = [], queryParams = [] }: Match): number[] {
  const isExact = path?.type === "Exact" ? 1 : 0;
  return [isExact, path?.value?.length ?? 1, method === undefined ? 0 : 1, headers.length, queryParams.length];
}

/** The same in the form of VirtualServices: a prefix is of whole parts of the path, which takes two of them. */
function entriesOf(
  report: Report,
  item: Item,
  { path, headers, queryParams, method, ...rest }: Match,
  at: Path,
): MatchEntry[] {
  const common: MatchEntry = {
    ...rest,
    ...(headers && { headers: textsOf(headers) }),
    ...(queryParams && { queryParams: textsOf(queryParams) }),
    ...(method !== undefined && { method: { exact: method } }),
  };
  const { type = "PathPrefix", value = "/" } = path ?? {};
  if (type === "Exact") return [{ ...common, uri: { exact: value } }];
  if (type === "PathPrefix") {
    const prefix = value.replace(/\/+$/, "");
    return prefix === "" ? [common] : [{ exact: prefix }, { prefix: `${prefix}/` }].map((uri) => ({ ...common, uri }));
  }
  if (alternatives(value) !== undefined) return [{ ...common, uri: { regex: value } }];
  report.tell(
    "dropped",
    item,
    [...at, "path"],
    `Keyway compares texts, and has no regular expressions like this one; ${LEFT}`,
  );
  return [];
}

function textsOf(all: readonly z.output<typeof textMatch>[]): Record<string, StringMatch> {
  // Of several entries for one header the first counts.
  const entries = all.map(({ type, name: of, value }) => {
    return [of.toLowerCase(), type === "RegularExpression" ? { regex: value } : { exact: value }] as const;
  });
  return Object.fromEntries(entries.reverse());
}

const READ = ["name", "matches", "filters", "backendRefs"];

/** Where a rule leads to; undefined where that can't be carried over, which is told then. */
function targetOf(
  report: Report,
  item: Item,
  own: z.output<typeof rule>,
  path: Path,
  namespace: string | undefined,
): Reference | Share<Reference>[] | undefined {
  const redirect = own.filters?.findIndex(({ type }) => type === "RequestRedirect") ?? -1;
  if (redirect >= 0) {
    report.tell("dropped", item, [...path, "filters", redirect], `a route leads to a service; ${LEFT}`);
    return undefined;
  }
  for (const at of own.filters?.keys() ?? []) report.tell("dropped", item, [...path, "filters", at], POLICY);
  for (const field of Object.keys(own).filter((one) => !READ.includes(one) && own[one] != null)) {
    report.tell("dropped", item, [...path, field], POLICY);
  }
  const shares: Share<Reference>[] = [];
  for (const [at, one] of (own.backendRefs ?? []).entries()) {
    const place = [...path, "backendRefs", at];
    if ((one.kind ?? "Service") !== "Service" || (one.group ?? "") !== "") {
      report.tell("dropped", item, place, `a route leads to a Service, and this is a ${one.kind}; ${LEFT}`);
      return undefined;
    }
    if (one.filters?.length) report.tell("dropped", item, [...place, "filters"], POLICY);
    shares.push({ to: serviceOf(one.name, one.namespace ?? namespace, one.port), weight: one.weight ?? 1 });
  }
  const weighted = percents(shares);
  if (weighted === undefined) {
    report.tell("dropped", item, [...path, "backendRefs"], `it leads to nobody, and refuses what it takes; ${LEFT}`);
    return undefined;
  }
  const [only] = weighted;
  return weighted.length === 1 && only ? only.to : weighted;
}
