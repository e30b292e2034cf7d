import type { Route } from "../model/model.ts";
import { ANY_BASELINE } from "../model/names.ts";

/** How a route's `from` meets a cluster, from the best on. */
export const MATCHES = ["this cluster", "any subset", "any baseline"] as const;

export function matchOf({ from }: Pick<Route, "from">, cluster: string): (typeof MATCHES)[number] | undefined {
  if (cluster === "") return undefined;
  if (from === cluster) return "this cluster";
  if (from === cluster.replace(/^([^|]*\|[^|]*\|)[^|]+\|(?=.)/s, "$1|")) return "any subset";
  return from === ANY_BASELINE ? "any baseline" : undefined;
}

/** Of the routes that meet the cluster best the first. */
export function bestMatch<Form extends Route>(routes: readonly Form[], cluster: string): Form | undefined {
  return MATCHES.map((match) => routes.find((route) => matchOf(route, cluster) === match)).find((route) => route);
}
