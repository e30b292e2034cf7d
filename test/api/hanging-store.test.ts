import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { commit } from "../../server/api/commit.ts";
import { State } from "../../server/state/state.ts";
import { type Store, Unavailable, Undecided } from "../../server/store/store.ts";
import { reviews, sent, startServer } from "./serve.ts";

test("a write that the store does not answer is given up after a time, with what may still become of it", async () => {
  const { ask, folder } = await startServer({ writeTimeout: "1" });
  const other = new DatabaseSync(join(folder, "keyway.db"));
  other.exec("BEGIN IMMEDIATE");
  const late = await ask("/v1/routes/a", sent("PUT", reviews));
  expect(late).toMatchObject({ status: 503, body: { error: { code: "undecided" } } });
  expect(late.body.error.message).toContain(
    `the store sqlite:${join(folder, "keyway.db")} has not answered within 1 s`,
  );
  expect(late.body.error.message).toContain("may still happen, all of it or nothing");
  // As long as it may happen, its twin may not.
  expect(await ask("/v1/routes/b", sent("PUT", reviews))).toMatchObject({
    status: 409,
    body: { error: { message: expect.stringContaining("the route a has the same baseline and key") } },
  });
  other.exec("ROLLBACK");
  other.close();
  await expect.poll(async () => (await ask("/v1/routes/a")).status).toBe(200);
  expect((await ask("/v1/routes/a", sent("PUT", reviews))).status).toBe(200);
});

test.each([
  ["has not begun to write it, and gives it up", true],
  ["may have it", false],
])("a write that comes too late to its store, which %s", async (_, givesUp) => {
  const store: Pick<Store, "commit"> = {
    commit: (_transaction, late) =>
      new Promise((_resolve, reject) => {
        late?.addEventListener("abort", () => givesUp && reject(new Unavailable("nothing was kept")));
      }),
  };
  const state = new State(1n, { revision: 0, routes: [], since: 0, changes: [] });
  const api = {
    state,
    store: store as Store,
    storeName: "etcd",
    surroundings: { domain: "cluster.local" },
    writeMs: 20,
  };
  const thrown = await commit(api, { set: [{ id: "a", ...reviews }], delete: [] }).catch((error: unknown) => error);
  expect([thrown instanceof Unavailable, thrown instanceof Undecided]).toEqual([true, !givesUp]);
});
