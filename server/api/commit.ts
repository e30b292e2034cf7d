import type { Committed, Transaction } from "../store/store.ts";
import type { Api } from "./context.ts";
import { refuseTwins } from "./twins.ts";

/** Writes a transaction that is not refused. When it resolves, the change is durable and whoever reads sees it. */
export async function commit({ state, store }: Api, transaction: Transaction): Promise<Committed> {
  const release = await refuseTwins(state, transaction);
  try {
    const committed = await store.commit(transaction);
    await state.reached(committed.revision);
    return committed;
  } finally {
    void release();
  }
}
