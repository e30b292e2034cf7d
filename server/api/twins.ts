// Two routes with the same baseline, key and conditions contradict each other: only one of them could ever be taken.
import type { LiveRoute } from "../../routes/model/live-route.ts";
import { Slices } from "../slices.ts";
import { Shards } from "../state/shards.ts";
import type { State } from "../state/state.ts";
import type { Transaction } from "../store/store.ts";
import { ApiError } from "./errors.ts";

/** Routes that are on their way to the store, by what makes twins of them. */
const onTheirWay = new Shards<string>();

/** Throws where a route of the transaction is another one's twin. What it returns is called once the transaction is over. */
export async function refuseTwins(state: State, { set, delete: gone }: Transaction): Promise<() => Promise<void>> {
  const slices = new Slices();
  const mine: string[] = [];
  const replaced = set.length > 1 || gone.length > 0 ? new Shards<true>() : undefined;
  const release = () => slices.each(mine, (identity) => onTheirWay.delete(identity));
  try {
    if (replaced) {
      await slices.each(set, ({ id }) => replaced.set(id, true));
      await slices.each(gone, (id) => replaced.set(id, true));
    }
    await slices.each(set.entries(), ([at, route]) => {
      if (route.key === undefined) return;
      const identity = identityOf(route);
      const other = onTheirWay.get(identity) ?? twinIn(state, route, identity, replaced);
      if (other !== undefined && other !== route.id) throw twins(route, other, replaced && `set[${at}]`);
      onTheirWay.set(identity, route.id);
      mine.push(identity);
    });
    return release;
  } catch (thrown) {
    void release();
    throw thrown;
  }
}

function twins({ id, when }: LiveRoute, other: string, path = ""): ApiError {
  const what = when === undefined ? "baseline and key" : "baseline, key and conditions";
  const message = `the route ${other} has the same ${what}; change that one, or delete it first`;
  return new ApiError(409, `${id}: ${message}`, { details: [{ path, message }] });
}

function twinIn(state: State, route: LiveRoute, identity: string, replaced?: Shards<true>): string | undefined {
  const before = state.get(route.id);
  const isTwinAlready = before?.key === route.key && before !== undefined && identityOf(before) === identity;
  for (const other of state.ofKey(route.key ?? "")) {
    if (other.id === route.id || replaced?.has(other.id) || identityOf(other) !== identity) continue;
    // Some stores have twins that others have written: a write to the first of them, which proxies take, contradicts nothing that is in force.
    if (!isTwinAlready || other.id < route.id) return other.id;
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
