// Amalgam8's clients at servers that are processes of their own, and are killed.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { amalgam8Of, instance, rule } from "../amalgam8/a8.ts";
import { ask, sent, temporaryFolder } from "../api/serve.ts";
import { type Child, startChild } from "./child.ts";

const TTL = 10;
const file = () => join(temporaryFolder(), "keyway.db");
const start = async (database: string) => {
  const child = await startChild(database, { flags: ["--amalgam8", "127.0.0.1:0"] });
  return { child, a8: amalgam8Of(child) };
};
const routesOf = async ({ ask: get }: Child): Promise<string[]> =>
  (await get("/v1/routes?limit=1000")).body.routes.map(({ id }: { id: string }) => id);
const beat = async (a8: string, id: string) =>
  (await ask(`${a8}/api/v1/instances/${id}/heartbeat`, sent("PUT"))).status;

test("kill -9 takes no rule and no instance away, and an instance expires as if nothing had happened", async () => {
  const database = file();
  const first = await start(database);
  const rules = [rule("reviews", "v2", { priority: 1, match: { headers: { a: "b" } } }), rule("reviews", "v1")];
  const created = await ask(`${first.a8}/v1/rules`, sent("POST", { rules }));
  const own = instance("reviews", "10.0.0.1:80", { tags: ["v2"], ttl: TTL });
  const { body } = await ask(`${first.a8}/api/v1/instances`, sent("POST", own));
  await sleep(2000);
  expect(await beat(first.a8, body.id)).toBe(200);
  const last = performance.now();
  await first.child.stop("SIGKILL");
  await sleep(1000);

  const second = await start(database);
  const listed = await ask(`${second.a8}/v1/rules`);
  expect(listed.body.rules.map(({ id }: { id: string }) => id)).toEqual(created.body.ids);
  const both = ["a8.default.reviews.0001", "a8.default.reviews.0002"];
  expect(await routesOf(second.child)).toEqual(both);
  expect((await ask(`${second.a8}/api/v1/services`)).body).toEqual({ services: ["reviews"] });
  const isAlive = () => performance.now() - last < (TTL - 0.5) * 1000;
  while (isAlive()) {
    const routes = await routesOf(second.child);
    // An answer that was long under way may be of the time after the end.
    if (isAlive()) expect(routes).toEqual(both);
    await sleep(200);
  }
  await expect.poll(() => routesOf(second.child), { interval: 20 }).toEqual(both.slice(1));
  expect(performance.now() - last).toBeLessThan((TTL + 1) * 1000);
  expect(await beat(second.a8, body.id)).toBe(410);
});

test("a thousand instances that send heartbeats all the time stay, and the table has no more revisions", async () => {
  const database = file();
  // Two servers share the file, and their clients.
  const servers = [await start(database), await start(database)];
  const urlOf = (at: number) => servers[at % 2]?.a8 ?? "";
  await ask(`${urlOf(0)}/v1/rules`, sent("POST", { rules: [rule("reviews", "v1")] }));
  // A heartbeat may be late by most of the ttl, as on a machine that is busy.
  const ttl = 20;
  let until = Number.POSITIVE_INFINITY;
  onTestFinished(() => {
    until = 0;
  });
  const statuses = new Map<number, number>();
  const keepAlive = async (id: string) => {
    for (let round = 0; performance.now() < until; round++) {
      await sleep(3000);
      // Each server hears every second heartbeat of each instance.
      const status = await beat(urlOf(round), id);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  const clients: Promise<void>[] = [];
  for (let at = 0; at < 1000; at += 50) {
    const registered = Array.from({ length: 50 }, async (_, more) => {
      const own = instance("reviews", `10.0.0.1:${at + more}`, { tags: ["v1"], ttl });
      const { body } = await ask(`${urlOf(at + more)}/api/v1/instances`, sent("POST", own));
      clients.push(keepAlive(body.id));
    });
    await Promise.all(registered);
  }
  const revision = async () => (await (servers[0] as { child: Child }).child.ask("/v1/routes")).body.revision;
  const before = await revision();
  until = performance.now() + (ttl + 3) * 1000;
  await Promise.all(clients);
  expect([...statuses.keys()]).toEqual([200]);
  expect(statuses.get(200)).toBeGreaterThan(2000);
  expect(await revision()).toBe(before);
  expect((await ask(`${urlOf(1)}/api/v1/services/reviews`)).body.instances).toHaveLength(1000);
}, 120_000);
