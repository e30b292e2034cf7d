// A target that registers with Amalgam8's registry, in the table of a real Envoy: there while its heartbeats come, and gone within ttl + 1 s.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instance, rule } from "../amalgam8/a8.ts";
import { ask, sent } from "../api/serve.ts";
import type { Bed } from "./bed/bed.ts";
import { inForce, startLive } from "./bed/live.ts";
import { Routes } from "./bed/route-server.ts";

const TTL = 10;
let routes: Routes;
let bed: Bed;
let a8: string;
beforeAll(async () => {
  routes = await new Routes().start("--amalgam8", "127.0.0.1:0", "--amalgam8-map", "*=service:{tag}");
  a8 = `http://${JSON.parse((await routes.server.log.find(/"amalgam8":/)) ?? "{}").amalgam8}`;
  bed = await startLive({ servers: [routes.port], targets: ["a", "b"] });
});
afterAll(async () => {
  await bed.stop();
  await routes.stop();
});

const forAlice = { headers: { "x-user": "alice" } };

test("requests go to a registered target as long as its heartbeats come, and to the baseline when they have ended", async () => {
  const rules = [rule("reviews", "a", { match: { headers: { "X-User": "alice" } } })];
  expect((await ask(`${a8}/v1/rules`, sent("POST", { rules }))).status).toBe(201);
  const own = instance("reviews", "127.0.0.1:9080", { tags: ["a"], ttl: TTL });
  const { body } = await ask(`${a8}/api/v1/instances`, sent("POST", own));
  await inForce(bed, forAlice, "a");
  const isThere = () => inForce(bed, forAlice, "a", { before: ["a"] });
  let last = 0;
  for (let round = 0; round < 7; round++) {
    await sleep(2000);
    last = performance.now();
    const { status } = await ask(`${a8}/api/v1/instances/${body.id}/heartbeat`, sent("PUT"));
    expect(status).toBe(200);
    await isThere();
  }
  await sleep(last + (TTL - 0.5) * 1000 - performance.now());
  await isThere();
  const ms = await inForce(bed, forAlice, "reviews", { before: ["a"], since: last });
  expect(ms).toBeLessThan((TTL + 1) * 1000);
  // And it is back as soon as it registers again.
  await ask(`${a8}/api/v1/instances`, sent("POST", own));
  await inForce(bed, forAlice, "a", { before: ["reviews"] });
});
