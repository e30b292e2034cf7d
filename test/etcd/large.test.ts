// Transactions that do not fit into one of etcd's, and those whose answer is lost.
import { createServer, request } from "node:http";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { EtcdStore } from "../../server/store/etcd/store.ts";
import { Conflict, Unavailable, Undecided } from "../../server/store/store.ts";
import { sent } from "../api/serve.ts";
import { startChild } from "../server/child.ts";
import { follow, route } from "../store/contract.ts";
import { type Cluster, startCluster } from "./cluster.ts";

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster(1);
});
afterAll(() => cluster.stop());

const open = () => new EtcdStore({ endpoints: cluster.urls, retryMs: 50 });

async function ask<Answer>(path: string, body: object): Promise<Answer> {
  const response = await fetch(`${cluster.urls[0]}${path}`, { method: "POST", body: JSON.stringify(body) });
  return (await response.json()) as Answer;
}

const empty = () => ask("/v3/kv/deleterange", { key: btoa("\0"), range_end: btoa("\0") });

/** How many keys stand under a prefix. */
async function keysUnder(prefix: string): Promise<number> {
  const range_end = btoa(`${prefix.slice(0, -1)}0`);
  return Number(
    (await ask<{ count?: string }>("/v3/kv/range", { key: btoa(prefix), range_end, count_only: true })).count ?? 0,
  );
}

test("100,000 routes in one apply are in force as a whole, for another server and for one that starts meanwhile", async () => {
  await empty();
  const flags = ["--store", `etcd:${cluster.urls[0]}`, "--write-timeout", "120"];
  const server = await startChild("", { flags });
  const other = await follow(open);
  const set = Array.from({ length: 100_000 }, (_, n) => ({
    id: `r-${n}`,
    service: "reviews",
    key: `k-${n}`,
    to: "reviews-2",
  }));
  const applied = await server.ask("/v1/routes:apply", sent("POST", { set }));
  expect(applied.status).toBe(200);
  const starting = await startChild("", { flags });
  expect((await starting.ask("/v1/routes?limit=1&key=k-99999")).body).toMatchObject({
    routes: [{ id: "r-99999", revision: applied.body.revision }],
  });
  await expect.poll(() => other.table.size, { timeout: 60_000 }).toBe(100_000);
  expect(other.changes.map((change) => [change.revision, change.set.length])).toEqual([
    [applied.body.revision, 100_000],
  ]);
  const one = await starting.ask(
    "/v1/routes/r-7",
    sent("PUT", { service: "reviews", key: "k-7", to: "other" }, { "if-match": `"${applied.body.revision}"` }),
  );
  expect(one.status).toBe(200);
  await expect.poll(() => other.table.get("r-7")?.to, { timeout: 60_000 }).toBe("other");
  expect([await keysUnder("/keyway/routes/"), await keysUnder("/keyway/staged/")]).toEqual([100_000, 0]);
}, 300_000);

test("routes that together are more than etcd takes at once come to their places, too, and what comes after them is written", async () => {
  await empty();
  const { commit, store } = await follow(open);
  const big = Array.from({ length: 12 }, (_, n) => route(`r-${n}`, { labels: { filler: "x".repeat(300_000) } }));
  const { revision } = await commit({ set: big });
  await commit({ set: [route("after")], require: [{ id: "r-11", revision }] });
  expect([await keysUnder("/keyway/routes/"), await keysUnder("/keyway/staged/")]).toEqual([13, 0]);
  await store.close();
  expect((await follow(open)).contents()).toHaveLength(13);
});

/** Stands before etcd; once it `loses` something, answers to matching calls are cut off after etcd has carried them out. */
async function losing() {
  const proxy = { url: "", loses: undefined as RegExp | undefined };
  const server = createServer(async (incoming, response) => {
    const body: Buffer[] = [];
    for await (const piece of incoming) body.push(piece);
    const content = Buffer.concat(body);
    const isLost = incoming.url === "/v3/kv/txn" && proxy.loses?.test(content.toString());
    const forwarded = request(`${cluster.urls[0]}${incoming.url}`, { method: "POST" }, (answer) => {
      if (isLost) answer.resume().once("end", () => incoming.socket.destroy());
      else answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers));
    });
    forwarded.once("error", () => incoming.socket.destroy()).end(content);
    response.once("close", () => forwarded.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  proxy.url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  return proxy;
}

test("a write whose answer is lost may have happened, and that is said; one that was never sent has not", async () => {
  await empty();
  const proxy = await losing();
  const { store, commit } = await follow(() => new EtcdStore({ endpoints: [proxy.url], retryMs: 50 }));
  const other = await follow(open);
  proxy.loses = /request_put/;
  const lost = await commit({ set: [route("a")] }).catch((thrown: unknown) => thrown);
  expect(lost).toBeInstanceOf(Undecided);
  expect(lost).toMatchObject({
    message: expect.stringContaining("may have happened all the same, as a whole or not at all"),
  });
  await expect.poll(() => other.table.has("a")).toBe(true);
  proxy.loses = undefined;
  await commit({ set: [route("b")] });
  await store.close();
  await cluster.members[0]?.kill();
  const away = await other.commit({ set: [route("c")] }).catch((thrown: unknown) => thrown);
  expect([away instanceof Unavailable, away instanceof Undecided]).toEqual([true, false]);
  await cluster.members[0]?.start();
});

test("a write that waits longer for a large transaction than for others is written all the same", async () => {
  await empty();
  const big = await follow(open);
  const other = await follow(() => new EtcdStore({ endpoints: cluster.urls, retryMs: 50, writeMs: 100 }));
  await Promise.all([
    big.commit({ set: Array.from({ length: 10_000 }, (_, n) => route(`r-${n}`)) }),
    expect.poll(() => other.table.size, { timeout: 30_000 }).toBe(10_000),
  ]);
  // What is refused is looked at once more, with what others have written meanwhile.
  const refused = other.commit({ set: [route("x")], require: [{ id: "r-0", absent: true }] });
  await expect(refused).rejects.toThrow(Conflict);
  await other.commit({ set: [route("r-1", { to: "u" })], require: [{ id: "r-0", present: true }] });
  await expect.poll(() => big.table.get("r-1")?.to).toBe("u");
});

test("a write that comes after a large one is given up with nothing kept while it waits, and written where it may wait", async () => {
  await empty();
  const { store, commit, table } = await follow(open);
  const large = commit({ set: Array.from({ length: 10_000 }, (_, n) => route(`r-${n}`)) });
  const late = new AbortController();
  const givenUp = store.commit({ set: [route("x")], delete: [] }, late.signal).catch((thrown: unknown) => thrown);
  const patient = store.commit({ set: [route("y")], delete: [] });
  late.abort();
  const thrown = await givenUp;
  expect([thrown instanceof Unavailable, thrown instanceof Undecided]).toEqual([true, false]);
  expect(thrown).toMatchObject({ message: expect.stringContaining("nothing of this one was kept") });
  await Promise.all([large, patient]);
  expect([table.size, table.has("x"), table.has("y")]).toEqual([10_001, false, true]);
});
