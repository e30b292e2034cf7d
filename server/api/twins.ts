// Two routes with the same baseline, key and conditions contradict each other: only one of them could ever be taken.
import type { LiveRoute } from "../../routes/model/live-route.ts";
import type { State } from "../state/state.ts";
import type { Transaction } from "../store/store.ts";
import { ApiError } from "./errors.ts";

/** Routes that are on their way to the store, by what makes twins of them. */
const onTheirWay = new Map<string, string>();

/** Throws where a route of the transaction is another one's twin. What it returns is called once the transaction is over. */
export function refuseTwins(state: State, { set, delete: gone }: Transaction): () => void {
  const mine = new Map<string, string>();
  const replaced = set.length > 1 || gone.length > 0 ? new Set([...set.map(({ id }) => id), ...gone]) : undefined;
  for (const [at, route] of set.entries()) {
    if (route.key === undefined) continue;
    const identity = identityOf(route);
    const other = mine.get(identity) ?? onTheirWay.get(identity) ?? twinIn(state, route, identity, replaced);
    if (other !== undefined && other !== route.id) {
      const what = route.when === undefined ? "baseline and key" : "baseline, key and conditions";
      const message = `the route ${other} has the same ${what}; change that one, or delete it first`;
      const path = replaced === undefined ? "" : `set[${at}]`;
      throw new ApiError(409, `${route.id}: ${message}`, { details: [{ path, message }] });
    }
    mine.set(identity, route.id);
  }
  for (const [identity, id] of mine) onTheirWay.set(identity, id);
  return () => {
    for (const [identity, id] of mine) if (onTheirWay.get(identity) === id) onTheirWay.delete(identity);
  };
}

function twinIn(state: State, route: LiveRoute, identity: string, replaced?: Set<string>): string | undefined {
  for (const other of state.ofKey(route.key ?? "")) {
    if (other.id !== route.id && !replaced?.has(other.id) && identityOf(other) === identity) return other.id;
  }
  return undefined;
}

function identityOf({ service, from, key, when }: LiveRoute): string {
  if (when === undefined && typeof service !== "object") return `${service ?? ""}\n${from ?? ""}\n${key}`;
  const conditions = (when ?? []).map(({ header, not, ...rest }) => {
    const said = { ...rest, ...(header !== undefined && { header: header.toLowerCase() }), ...(not && { not }) };
    return Object.entries(said).sort(([a], [b]) => (a < b ? -1 : 1));
  });
  const baseline =
    typeof service === "object" && "cluster" in service ? ["", service.cluster] : [service ?? "", from ?? ""];
  return JSON.stringify([...baseline, key, conditions]);
}
