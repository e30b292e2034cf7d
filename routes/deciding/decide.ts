// Where a request goes: the filter's decision, made offline.
import { parseDate } from "../model/date.ts";
import type { Edge } from "../model/edge.ts";
import { isKey } from "../model/key.ts";
import { linkNames } from "../model/links.ts";
import type { Configuration, KeyRoute, Route } from "../model/model.ts";
import { HEADER_ROUTED } from "../model/names.ts";
import { type Source, sourcesOf } from "../model/sources.ts";
import { allHold } from "./conditions.ts";
import { checkText, guarded, refuseUnsigned, sticks, takesUnsigned } from "./edge.ts";
import type { DecisionInput } from "./input.ts";
import { readLink } from "./link.ts";
import { bestMatch } from "./match.ts";
import { candidates, valuesOf } from "./scan.ts";
import { chooseShare } from "./shares.ts";

export type Outcome =
  | "routed"
  | "baseline"
  | "no_key"
  | "invalid_key"
  | "missing_target"
  | "already_routed"
  | "by_chance";

interface Candidate {
  key: string;
  source: Source;
}

export interface Decision {
  /** `by_chance`: a split without a sticky value, which only a proxy can decide. */
  outcome: Outcome;
  /** The key that decided, as the request carries it, or the first that was found, and where. */
  key: string | null;
  source: Source | null;
  /** The route that decided. */
  route: Route | null;
  to: string | null;
}

/** Key routes come first, then routes with conditions alone, then splits, then the baseline. */
export function decide(configuration: Configuration, asked: DecisionInput): Decision {
  const { routes, hierarchy, edge } = configuration;
  const input = guarded(configuration, asked);
  const cluster = input.cluster ?? "";
  const found = candidatesOf(configuration, input);
  const valid = found.flatMap((candidate) => admitted(candidate, edge, input));
  const inForce = routes
    .filter(({ expires }) => expires === undefined || (parseDate(expires) ?? 0) > input.now)
    .filter((route) => !("when" in route) || allHold(route.when, input));

  const keyRoutes = inForce.filter((route) => "key" in route);
  for (const candidate of valid) {
    const route = routeFor(candidate.key, keyRoutes, cluster, hierarchy);
    if (route) return decisionFor(route, route.to, candidate, input);
  }

  const unkeyed = inForce.filter((route) => !("key" in route));
  const route =
    bestMatch(
      unkeyed.filter(({ when }) => when !== undefined),
      cluster,
    ) ?? bestMatch(unkeyed, cluster);
  const share = route && ("split" in route ? chooseShare(route, input) : { to: route.to });
  if (route && share === "by chance") return { outcome: "by_chance", key: null, source: null, route, to: null };
  if (route && typeof share === "object" && share.to !== null) return decisionFor(route, share.to, undefined, input);

  if (valid[0]) return { outcome: "baseline", ...valid[0], route: null, to: null };
  const outcome = found.length > 0 ? "invalid_key" : "no_key";
  return { outcome, key: null, source: null, route: null, to: null };
}

/** Everything that the sources find that are looked at. Where the request is a link, its key is the only one, and an empty one leaves the request without any. */
function candidatesOf({ keys, link, edge }: Configuration, input: DecisionInput): Candidate[] {
  const { headers, cluster } = input;
  if (edge?.accept === "none") return [];
  const names = linkNames(link);
  const sources = keys.flatMap(sourcesOf);
  const find = (source: Source): Candidate[] =>
    candidates(source, headers, cluster ?? "").map((key) => ({ key, source }));
  if (names === undefined) return sources.flatMap(find);
  const source: Source = { kind: "query", name: names.query };
  const key = readLink(names.query, headers, edge?.keys !== undefined);
  if (key && (!edge || sticks(key, edge, input))) return [{ key, source }];
  if (key === "") return [];
  const broken = key !== undefined ? [{ key: "", source }] : [];
  return [...broken, ...find({ kind: "cookie", name: names.cookie }), ...sources.flatMap(find)];
}

/** The candidate with its key alone; nothing for what is no key here. */
function admitted({ key, source }: Candidate, edge: Edge | undefined, input: DecisionInput): Candidate[] {
  const checked = edge ? checkText(edge, key, input) : ({ is: "unsigned" } as const);
  if (checked.is === "good") {
    if (!checked.isHere) input.refused?.("elsewhere");
    return checked.isHere ? [{ key: checked.key, source }] : [];
  }
  if (checked.is === "bad") return [];
  if (edge && !takesUnsigned(edge, source)) {
    refuseUnsigned(edge, input);
    return [];
  }
  return isKey(key) ? [{ key, source }] : [];
}

/** The route of a key, or else of the nearest of its parents that has one; routes with conditions come first. */
function routeFor(key: string, routes: KeyRoute[], cluster: string, hierarchy: string | undefined) {
  for (const name of [key, ...parentsOf(key, hierarchy)]) {
    const own = routes.filter((route) => route.key === name);
    const inOrder = [...own.filter(({ when }) => when), ...own.filter(({ when }) => !when)];
    const route = bestMatch(inOrder, cluster);
    if (route) return route;
  }
  return undefined;
}

/** `a.b` and `a` for `a.b.c`. */
function parentsOf(key: string, hierarchy: string | undefined): string[] {
  const at = hierarchy === undefined ? -1 : key.lastIndexOf(hierarchy);
  if (at <= 0) return [];
  const parent = key.slice(0, at);
  return [parent, ...parentsOf(parent, hierarchy)];
}

/** The decision once a route and its target are chosen: whether the request is there already, or the target is missing. */
function decisionFor(route: Route, to: string, by: Candidate | undefined, input: DecisionInput): Decision {
  const isThere = valuesOf(input.headers, HEADER_ROUTED)[0] === to;
  const outcome = isThere ? "already_routed" : input.missing?.has(to) ? "missing_target" : "routed";
  return { outcome, key: by?.key ?? null, source: by?.source ?? null, route, to };
}
