import { idsOf } from "../store/difference.ts";
import { type Committed, Managed, type Transaction, Undecided } from "../store/store.ts";
import type { Api } from "./context.ts";
import { refuseTooLarge } from "./size.ts";
import { refuseTwins } from "./twins.ts";

export type CommitParts = Pick<Api, "state" | "store" | "storeName" | "surroundings" | "writeMs">;

/** Writes what a client asks for, unless it is refused. When it resolves, the change is durable and whoever reads sees it. */
export async function commit(api: CommitParts & Pick<Api, "managed">, transaction: Transaction): Promise<Committed> {
  refuseManaged(api, transaction);
  return commitManaged(api, transaction);
}

/** The same for the routes that this server makes from something else. */
export async function commitManaged(api: CommitParts, transaction: Transaction): Promise<Committed> {
  const { state, store } = api;
  await refuseTooLarge(api, transaction);
  const release = await refuseTwins(state, transaction);
  const late = new AbortController();
  const written = store.commit(transaction, late.signal).then(async (committed) => {
    await state.reached(committed.revision);
    return committed;
  });
  // A write that is not waited for any more may still happen, so its twins are refused until it is over.
  written.then(release, release);
  return inTime(written, late, api, transaction);
}

function refuseManaged({ managed }: Pick<Api, "managed">, transaction: Transaction): void {
  if (managed === undefined) return;
  for (const id of idsOf(transaction)) {
    const { from, next } = managed(id) ?? {};
    if (from === undefined) continue;
    throw new Managed(`the route ${id} is made from ${from}, and can't be written by itself; ${next}`, { where: id });
  }
}

/** Milliseconds that each route of a write has: the API server of a cluster takes them one after the other. */
const EACH = 10;
const MOST = 600_000;

function inTime(
  written: Promise<Committed>,
  late: AbortController,
  { store, storeName, writeMs }: CommitParts,
  transaction: Transaction,
) {
  const routes = transaction.set.length + transaction.delete.length;
  const ms = Math.min(writeMs + routes * EACH, Math.max(writeMs, MOST));
  const what =
    store.writesOneByOne && routes > 1
      ? "the write may still happen, all of it, some of its routes, or nothing, as they are written one by one. GET /v1/routes/ID says which are there; write all of it again"
      : "the write may still happen, all of it or nothing. See what is there, and write it again";
  return new Promise<Committed>((resolve, reject) => {
    const undecided = () =>
      reject(
        new Undecided(
          `the store ${storeName} has not answered within ${Math.round(ms / 1000)} s; ${what}: what is there already is changed no more by that`,
          { where: storeName },
        ),
      );
    const timer = setTimeout(() => {
      late.abort();
      // By then a store that has given it up has said so.
      setImmediate(undecided);
    }, ms);
    written.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
