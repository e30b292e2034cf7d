import { type Committed, type Transaction, Undecided } from "../store/store.ts";
import type { Api } from "./context.ts";
import { refuseTooLarge } from "./size.ts";
import { refuseTwins } from "./twins.ts";

type Needed = Pick<Api, "state" | "store" | "storeName" | "surroundings" | "writeMs">;

/** Writes a transaction that is not refused. When it resolves, the change is durable and whoever reads sees it. */
export async function commit(api: Needed, transaction: Transaction): Promise<Committed> {
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

/** Milliseconds that each route of a write has: the API server of a cluster takes them one after the other. */
const EACH = 10;
const MOST = 600_000;

function inTime(
  written: Promise<Committed>,
  late: AbortController,
  { store, storeName, writeMs }: Needed,
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
