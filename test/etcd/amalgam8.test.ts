// Two servers on one etcd: an instance that has registered with one of them is known to both, and gone from both within ttl + 1 s.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveRoutes } from "../../scripts/proxy/route-server.ts";
import { instance, rule } from "../amalgam8/a8.ts";
import { type Answer, ask, sent } from "../api/serve.ts";
import { type Cluster, startCluster } from "./cluster.ts";

const TTL = 10;
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster(1);
});
afterAll(() => cluster.stop());

async function start() {
  const server = await serveRoutes("--store", `etcd:${cluster.urls.join(",")}`, "--amalgam8", "127.0.0.1:0");
  const line = await server.log.find(/"amalgam8":/);
  const a8 = `http://${JSON.parse(line ?? "{}").amalgam8}`;
  return {
    server,
    a8: (method: string, path: string, body?: unknown): Promise<Answer> => ask(a8 + path, sent(method, body)),
    routes: async (): Promise<string[]> =>
      (await ask(`${server.url}/v1/routes`)).body.routes.map(({ id }: { id: string }) => id),
    revision: async (): Promise<number> => (await ask(`${server.url}/v1/routes`)).body.revision,
  };
}

const ROUTE = "a8.default.reviews.0001";
const rules = { rules: [{ ...rule("reviews", "v2", { match: { headers: { a: "b" } } }), id: "one" }] };
const own = instance("reviews", "10.0.0.1:80", { tags: ["v2"], ttl: TTL });

test("an instance expires in both servers, whichever has heard it last, and also when that one is killed", async () => {
  const [one, two] = [await start(), await start()];
  expect((await one.a8("POST", "/v1/rules", rules)).status).toBe(201);
  await expect.poll(two.routes).toEqual([ROUTE]);
  expect((await two.a8("GET", "/v1/rules")).body).toEqual((await one.a8("GET", "/v1/rules")).body);

  for (const killed of [false, true]) {
    const { id } = (await one.a8("POST", "/api/v1/instances", own)).body;
    await expect.poll(async () => [await one.routes(), await two.routes()]).toEqual([[ROUTE], [ROUTE]]);
    const revision = await two.revision();
    let last = 0;
    for (let round = 0; round < 6; round++) {
      await sleep(2000);
      last = performance.now();
      expect((await [one, two][round % 2]?.a8("PUT", `/api/v1/instances/${id}/heartbeat`))?.status).toBe(200);
    }
    expect([await two.revision(), await one.routes()]).toEqual([revision, [ROUTE]]);
    // The last heartbeat came to the second one.
    if (killed) await two.server.stop("SIGKILL");
    const there = killed ? [one] : [one, two];
    const isAlive = () => performance.now() - last < (TTL - 0.5) * 1000;
    while (isAlive()) {
      const all = await Promise.all(there.map((each) => each.routes()));
      // An answer that was long under way may be of the time after the end.
      if (isAlive()) expect(all).toEqual(there.map(() => [ROUTE]));
      await sleep(300);
    }
    for (const each of there) await expect.poll(each.routes, { interval: 20 }).toEqual([]);
    expect(performance.now() - last).toBeLessThan((TTL + 1) * 1000);
    for (const each of there) {
      expect((await each.a8("PUT", `/api/v1/instances/${id}/heartbeat`)).status).toBe(410);
    }
  }
  await one.server.stop();
});
