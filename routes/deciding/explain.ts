import type { Configuration, Route, SplitRoute } from "../model/model.ts";
import { type Decision, type DecisionInput, decide, matchOf, type Outcome } from "./decide.ts";

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
export function explain(configuration: Configuration, asked: DecisionInput): Explanation {
  const decision = decide(configuration, asked);
  const { outcome, key, source, to } = decision;
  const from = asked.cluster ?? "";
  return { outcome, key, source: source && `${source.kind}:${source.name}`, from, to, why: why(decision, from) };
}

function why({ outcome, route }: Decision, cluster: string): string {
  if (route === null) return WITHOUT_ROUTE[outcome] ?? outcome;
  if (outcome === "by_chance" && "split" in route) return chances(route);
  const match = matchOf(route, cluster);
  const from = match === "this cluster" ? "" : `; the route is from ${match}`;
  return (WITH_ROUTE[outcome] ?? reason(route)) + from;
}

const WITHOUT_ROUTE: Partial<Record<Outcome, string>> = {
  baseline: "no route in force for this key and baseline",
  invalid_key: "what stands in a source is no key",
  no_key: "no key in any source",
};

const WITH_ROUTE: Partial<Record<Outcome, string>> = {
  already_routed: "the hop mark names this very target",
  missing_target: "the target does not exist or has no healthy host",
};

function reason(route: Route): string {
  if ("key" in route) return "a route for this key and baseline";
  if ("when" in route) return "all conditions of a route hold";
  return "the request fell to a share of a split";
}

function chances({ split }: SplitRoute): string {
  const shares = split.map(({ to, weight }) => `${weight} % go to ${to}`);
  return `without a sticky value a proxy decides by chance: ${shares.join(", ")}, the rest stays`;
}
