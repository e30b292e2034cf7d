import type { Configuration, Route, SplitRoute } from "../model/model.ts";
import { sourceText } from "../model/sources.ts";
import { type Decision, decide, type Outcome } from "./decide.ts";
import type { DecisionInput, Refusal } from "./input.ts";
import { isLinkOff } from "./link.ts";
import { matchOf } from "./match.ts";

/** What a proxy answers to `x-keyway-explain: 1`. */
export interface Explanation {
  outcome: Outcome;
  key: string | null;
  /** As the configuration would name it. */
  source: string | null;
  from: string;
  to: string | null;
  why: string;
}

/** The filter's own answer, made offline. */
export function explain(configuration: Configuration, input: DecisionInput): Explanation {
  const refusals: Refusal[] = [];
  const decision = decide(configuration, { ...input, refused: (why) => refusals.push(why) });
  const { outcome, key, source, to } = decision;
  const from = input.cluster ?? "";
  const isOff = outcome === "no_key" && isLinkOff(configuration, input.headers);
  const hasNone = outcome === "no_key" || outcome === "invalid_key";
  const refusal = hasNone && refusals[0] ? REFUSALS[refusals[0]] : undefined;
  const reason = isOff ? "the link takes the key off" : (refusal ?? why(decision, from));
  return { outcome, key, source: source && sourceText(source), from, to, why: reason };
}

function why({ outcome, key, route }: Decision, cluster: string): string {
  if (route === null) return WITHOUT_ROUTE[outcome] ?? outcome;
  if (outcome === "by_chance" && "split" in route) return chances(route);
  const match = matchOf(route, cluster);
  const from = match === "this cluster" ? "" : `; the route is from ${match}`;
  return withRoute(outcome, route, key) + from;
}

const REFUSALS: Record<Refusal, string> = {
  forged: "a signed key does not count: its signature is not that of the key that it names",
  expired: "a signed key does not count: its time is over",
  foreign: "a signed key does not count: the key that it names is not among edge.keys",
  elsewhere: "a signed key does not count: it is for other services",
  unsigned: "a plain key does not count: the edge accepts signed keys alone",
  any: "a key does not count: the edge accepts none",
};

const WITHOUT_ROUTE: Partial<Record<Outcome, string>> = {
  baseline: "no route in force for this key and baseline",
  invalid_key: "what stands in a source is no key",
  no_key: "no key in any source",
};

function withRoute(outcome: Outcome, route: Route, key: string | null): string {
  if (outcome === "already_routed") return "the hop mark names this very target";
  if (outcome !== "missing_target") return reason(route, key);
  const fails = route.missing === "fail" ? ", and the route says to fail with 424" : "";
  return `the target does not exist or has no healthy host${fails}`;
}

function reason(route: Route, key: string | null): string {
  if ("key" in route) {
    const whose = route.key === key ? "this key and baseline" : "a parent of this key and this baseline";
    return `a route for ${whose}${route.when ? ", and all its conditions hold" : ""}`;
  }
  if (!("split" in route)) return "all conditions of a route hold";
  if (!route.when) return "the request fell to a share of a split";
  return "all conditions of a route hold, and the request fell to a share of its split";
}

function chances({ split }: SplitRoute): string {
  const shares = split.map(({ to, weight }) => `${weight} % go to ${to}`);
  return `without a sticky value a proxy decides by chance: ${shares.join(", ")}, the rest stays`;
}
