// Where a request goes: the filter's decision, made offline.
import { parseDate } from "../model/date.ts";
import { isKey } from "../model/key.ts";
import type { Condition, Configuration, Route, SplitRoute, WhenRoute } from "../model/model.ts";
import { ANY_BASELINE, HEADER_ROUTED } from "../model/names.ts";
import { parseSource, type Source } from "../model/sources.ts";
import { hash } from "./hash.ts";
import { candidates, type Pairs, valuesOf } from "./scan.ts";

export interface DecisionInput {
  /** Values in Latin-1, one character per byte. */
  headers: Pairs;
  /** The baseline; null where the proxy's own route gives none. */
  cluster: string | null;
  /** Seconds since 1970. */
  now: number;
  /** Targets known to be missing. */
  missing?: ReadonlySet<string>;
}

export type Outcome =
  | "routed"
  | "baseline"
  | "no_key"
  | "invalid_key"
  | "missing_target"
  | "already_routed"
  | "by_chance";

export interface Decision {
  /** `by_chance`: a split without a sticky value, which only a proxy can decide. */
  outcome: Outcome;
  /** The key that decided, or the first that was found, and where. */
  key: string | null;
  source: Source | null;
  /** The route that decided. */
  route: Route | null;
  to: string | null;
}

export function decide({ keys, routes }: Configuration, asked: DecisionInput): Decision {
  const { headers, now } = asked;
  const cluster = asked.cluster ?? "";
  const inForce = routes.filter(({ expires }) => expires === undefined || (parseDate(expires) ?? 0) > now);

  const found = keys
    .flatMap(sourcesOf)
    .flatMap((source) => candidates(source, headers, cluster).map((key) => ({ source, key })));
  const valid = found.filter(({ key }) => isKey(key));
  const keyRoutes = inForce.filter((route) => "key" in route);
  for (const { key, source } of valid) {
    const route = best(
      keyRoutes.filter((own) => own.key === key),
      cluster,
    );
    if (route) return settle(route, route.to, { key, source }, asked);
  }
  const nobody = { key: null, source: null };
  const when = best(
    inForce.filter((route) => "when" in route).filter((route) => holds(route, asked)),
    cluster,
  );
  if (when) return settle(when, when.to, nobody, asked);

  const split = best(
    inForce.filter((route) => "split" in route),
    cluster,
  );
  const share = split && chosen(split, asked);
  if (split && share?.by === "chance") return { outcome: "by_chance", ...nobody, route: split, to: null };
  if (split && share?.to !== undefined) return settle(split, share.to, nobody, asked);

  if (valid[0]) return { outcome: "baseline", ...valid[0], route: null, to: null };
  return { outcome: found.length > 0 ? "invalid_key" : "no_key", ...nobody, route: null, to: null };
}

function settle(
  route: Route,
  to: string,
  by: Pick<Decision, "key" | "source">,
  { headers, missing }: DecisionInput,
): Decision {
  const isThere = valuesOf(headers, HEADER_ROUTED)[0] === to;
  const outcome = isThere ? "already_routed" : missing?.has(to) ? "missing_target" : "routed";
  return { outcome, ...by, route, to };
}

/** How a route's `from` meets a cluster, from the best on. */
export const MATCHES = ["this cluster", "any subset", "any baseline"] as const;

export function matchOf({ from }: Route, cluster: string): (typeof MATCHES)[number] | undefined {
  if (cluster === "") return undefined;
  if (from === cluster) return "this cluster";
  if (from === cluster.replace(/^([^|]*\|[^|]*\|)[^|]+\|(?=.)/s, "$1|")) return "any subset";
  return from === ANY_BASELINE ? "any baseline" : undefined;
}

/** Of the routes that meet the cluster best the first. */
function best<Form extends Route>(routes: Form[], cluster: string): Form | undefined {
  return MATCHES.map((match) => routes.find((route) => matchOf(route, cluster) === match)).find((route) => route);
}

function sourcesOf(text: string): readonly Source[] {
  const sources = parseSource(text);
  if (sources instanceof Error) throw sources;
  return sources;
}

function holds({ when }: WhenRoute, asked: DecisionInput): boolean {
  return when.every((condition) => {
    const values = valuesFor(condition, asked);
    if (condition.present !== undefined) return condition.present === values.length > 0;
    return values.some((value) => fits(condition, value));
  });
}

function valuesFor({ header, cookie, query }: Condition, { headers }: DecisionInput): string[] {
  if (header !== undefined) return valuesOf(headers, header);
  return candidates(
    cookie === undefined ? { kind: "query", name: query ?? "" } : { kind: "cookie", name: cookie },
    headers,
    "",
  );
}

function fits({ exact, prefix, suffix, contains }: Condition, value: string): boolean {
  if (exact !== undefined) return value === latin1(exact);
  if (prefix !== undefined) return value.startsWith(latin1(prefix));
  if (suffix !== undefined) return value.endsWith(latin1(suffix));
  return value.includes(latin1(contains ?? ""));
}

/** The bytes of a configuration's text, as requests hold them. */
function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

const WHOLE = 1_000_000n; // in 1/10,000 percent

/** The target of the share that falls to the request, none for the rest. */
function chosen(
  { from, split, sticky }: SplitRoute,
  { headers, cluster }: DecisionInput,
): { to?: string; by: "value" | "chance" } {
  const [whole] = split.filter(({ weight }) => weight > 0);
  if (!whole) return { by: "value" };
  if (whole.weight === 100) return { to: whole.to, by: "value" };
  const sources = sticky === undefined ? [] : sourcesOf(sticky);
  const [value] = sources.slice(0, 1).flatMap((source) => candidates(source, headers, cluster ?? ""));
  if (!value) return { by: "chance" };
  let point = hash(value, hash(latin1(from))) % WHOLE;
  for (const { to, weight } of split) {
    const width = BigInt(Math.floor(weight * 10_000 + 1e-6));
    if (point < width) return { to, by: "value" };
    point -= width;
  }
  return { by: "value" };
}
