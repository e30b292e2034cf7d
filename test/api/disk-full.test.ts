// A store that has no room left, behind the API.

import { join } from "node:path";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { LAYOUT } from "../../routes/model/feed.ts";
import { createApp } from "../../server/api/app.ts";
import { everybody } from "../../server/auth/authenticator.ts";
import { Feed } from "../../server/feed/feed.ts";
import { createHttpServer, end, LIMITS, listen } from "../../server/http.ts";
import { Metrics } from "../../server/metrics.ts";
import { State } from "../../server/state/state.ts";
import { SqliteStore } from "../../server/store/sqlite/store.ts";
import { ask, reviews, sent, temporaryFolder } from "./serve.ts";

/** A server whose database may have so many pages. */
async function serverOf(maxPages: number) {
  const store = new SqliteStore(join(temporaryFolder(), "keyway.db"), { maxPages });
  let state: State | undefined;
  const loaded = await store.start((change) => state?.apply(change), new AbortController().signal);
  state = new State(store.history, loaded);
  const feed = new Feed(state);
  const app = createApp({
    ...{ state, store, storeName: "sqlite", feed, authenticator: everybody, metrics: new Metrics() },
    ...{ log: pino({ level: "silent" }), now: () => Date.now() / 1000, surroundings: { domain: "cluster.local" } },
    ...{ maxBody: 10_000_000, maxRoutes: 100_000, writeMs: 10_000, heartbeatMs: 10_000 },
    ...{ serverId: "one", peers: undefined },
    waitsFor: () => undefined,
    ...{ keys: [], hierarchy: undefined, ending: new AbortController().signal },
  });
  const server = createHttpServer(app.fetch, { ...LIMITS, connections: 100 });
  const { port } = await listen(server, { host: "127.0.0.1", port: 0 });
  onTestFinished(async () => {
    feed.close();
    await end(server, 0);
    await store.close();
  });
  return (path: string, init?: RequestInit) => ask(`http://127.0.0.1:${port}${path}`, init);
}

test("where there is no room left, a write is answered with 507 and leaves nothing; reading and smaller writes go on", async () => {
  const ask = await serverOf(40);
  expect((await ask("/v1/routes/a", sent("PUT", reviews))).status).toBe(201);
  const set = Array.from({ length: 3000 }, (_, at) => ({ id: `r-${at}`, ...reviews, key: `k-${at}` }));
  const refused = await ask("/v1/routes:apply", sent("POST", { set }));
  expect(refused).toMatchObject({
    status: 507,
    body: { error: { code: "storage_full", message: expect.stringContaining("no space is left for the database") } },
  });
  expect((await ask("/v1/routes")).body).toMatchObject({ routes: [{ id: "a" }], revision: 1 });
  expect((await ask("/readyz")).status).toBe(200);
  expect((await ask(`/v1/table?scope=&layout=${LAYOUT}&revision=0&next=0`)).status).toBe(200);
  expect((await ask("/v1/routes/b", sent("PUT", { ...reviews, key: "b" }))).status).toBe(201);
  // A twin of what was refused is none.
  expect((await ask("/v1/routes/c", sent("PUT", { ...reviews, key: "k-0" }))).status).toBe(201);
});
