// What proxies could not take is refused where it is written.

import { MAX_ANSWER } from "../../routes/model/feed.ts";
import type { LiveRoute, StoredRoute } from "../../routes/model/live-route.ts";
import { encodedSize } from "../../routes/table/size.ts";
import { type Naming, namingFor } from "../feed/naming.ts";
import { Slices } from "../slices.ts";
import { Shards } from "../state/shards.ts";
import type { State } from "../state/state.ts";
import type { Transaction } from "../store/store.ts";
import type { Api } from "./context.ts";
import { ApiError } from "./errors.ts";

/**
 * Bytes that the routes of one key may have together as proxies hold them, and so may those without a key. Both must fit into one answer, with the
 * other keys of the bucket, and with longer names of namespaces than the one that is reckoned with.
 */
export const MOST_TOGETHER = (MAX_ANSWER * 3) / 8;

/** Routes of one key that fit in any case, where they have no conditions. */
const FEW = 100;

/** Throws where the routes of a key, or those without one, would be more than proxies can take with this transaction. */
export async function refuseTooLarge(
  api: Pick<Api, "state" | "surroundings">,
  transaction: Transaction,
): Promise<void> {
  const { state } = api;
  const { set, delete: gone } = transaction;
  const slices = new Slices();
  const suspects = await suspectsIn(state, set, slices);
  if (suspects.size === 0) return;
  const replaced = new Shards<true>();
  await slices.each(set, ({ id }) => replaced.set(id, true));
  await slices.each(gone, (id) => replaced.set(id, true));
  const sizeOf = sizesIn(api);
  const totals = new Map<string | undefined, { kept: number; most: number }>();
  for (const key of suspects) {
    let [there, kept] = [0, 0];
    for (const route of key === undefined ? state.unkeyed() : state.ofKey(key)) {
      there += sizeOf(route);
      if (!replaced.has(route.id)) kept += sizeOf(route);
    }
    // What others have put into the store past this server may be more already: then it must not grow.
    totals.set(key, { kept, most: Math.max(MOST_TOGETHER, there) });
  }
  await slices.each(set.entries(), ([at, route]) => {
    const total = totals.get(route.key);
    if (total === undefined) return;
    total.kept += sizeOf({ ...route, revision: 0 });
    if (total.kept > total.most) throw tooLarge(route, total.kept, set.length + gone.length > 1 ? `set[${at}]` : "");
  });
}

/** The keys of which there are many routes, or any with conditions; undefined for none. */
async function suspectsIn(state: State, set: readonly LiveRoute[], slices: Slices): Promise<Set<string | undefined>> {
  const suspects = new Set<string | undefined>();
  const counts = set.length > FEW ? new Shards<number>() : new Map<string, number>();
  await slices.each(set, ({ key, when }) => {
    if (key === undefined || when !== undefined) {
      suspects.add(key);
      return;
    }
    const count = counts.get(key) ?? state.countOfKey(key);
    counts.set(key, count + 1);
    if (count >= FEW) suspects.add(key);
  });
  return suspects;
}

const known = new WeakMap<StoredRoute, number>();

/** The bytes of a route in the table where it has most. */
function sizesIn({ surroundings }: Pick<Api, "surroundings">): (route: StoredRoute) => number {
  const namings = [
    namingFor({ kind: "plain" }, surroundings),
    namingFor({ kind: "outbound", namespace: "default" }, surroundings),
  ];
  const sizeIn = (route: StoredRoute, naming: Naming) => naming(route).reduce((sum, one) => sum + encodedSize(one), 0);
  return (route) => {
    const size = known.get(route) ?? Math.max(...namings.map((naming) => sizeIn(route, naming)));
    known.set(route, size);
    return size;
  };
}

function tooLarge({ key }: LiveRoute, total: number, path: string): ApiError {
  const [what, next] =
    key === undefined
      ? ["routes without a key", "delete some of them, or give some a key"]
      : [`routes of the key ${key}`, "delete some of them, or give some another key"];
  const message = `the ${what} would have ${total} bytes together as proxies hold them, and may have ${MOST_TOGETHER}; ${next}`;
  return new ApiError(413, message, { details: [{ path, message }] });
}
