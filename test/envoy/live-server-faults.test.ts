// What becomes of requests when route servers go, come back, or forget.
import { copyFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { serveRoutes } from "../../scripts/proxy/route-server.ts";
import type { Bed } from "./bed/bed.ts";
import { inForce, startLive, underLoad, withKey } from "./bed/live.ts";
import { keyed, Routes } from "./bed/route-server.ts";
import { until } from "./bed/until.ts";

const ended: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function server(...flags: string[]): Promise<Routes> {
  const routes = new Routes();
  ended.push(() => routes.stop());
  return routes.start(...flags);
}

async function proxy(setup: Parameters<typeof startLive>[0]): Promise<Bed> {
  const bed = await startLive({ targets: ["a", "b"], ...setup });
  ended.push(() => bed.stop());
  return bed;
}

test("a server killed in the middle of 1,000 writes has each one that it acknowledged, and proxies get them all", async () => {
  const routes = await server();
  const bed = await proxy({ servers: [routes.port] });
  await routes.set(keyed("steady", "a"));
  await inForce(bed, withKey("steady"), "a");
  const acknowledged: string[] = [];
  await underLoad(bed, async () => {
    let next = 0;
    const writer = async () => {
      while (next < 1000) {
        const key = `written-${next++}`;
        // A transaction of two: both are there, or none.
        const set = [keyed(key, "a"), keyed(`${key}-twin`, "b")];
        try {
          await routes.apply({ set });
        } catch {
          return;
        }
        acknowledged.push(key);
        if (acknowledged.length === 400) routes.server.child.kill("SIGKILL");
      }
    };
    await Promise.all(Array.from({ length: 16 }, writer));
    expect(acknowledged.length).toBeGreaterThanOrEqual(400);
    expect(acknowledged.length).toBeLessThan(1000);
    await sleep(1500);
    await routes.start();
    const ids = await routes.ids();
    for (const key of acknowledged) expect(ids.has(key)).toBe(true);
    for (const id of ids) if (id.startsWith("written")) expect(ids.has(id.replace(/(-twin)?$/, "-twin"))).toBe(true);
    await routes.set(keyed("after", "b"));
    await inForce(bed, withKey("after"), "b");
    for (const key of acknowledged) {
      expect(`${key} at ${(await bed.keyed(key)).service}`).toBe(`${key} at a`);
      expect(`${key} at ${(await bed.keyed(`${key}-twin`)).service}`).toBe(`${key} at b`);
    }
  });
});

test("proxies that start while the server is down serve their own routes, and the table once it comes", async () => {
  const routes = await server();
  await routes.set(keyed("steady", "a"));
  await routes.set(keyed("live", "b"));
  await routes.server.stop();
  const bed = await proxy({
    servers: [routes.port],
    routes: [
      { from: "reviews", key: "steady", to: "a" },
      { from: "reviews", key: "own", to: "b" },
    ],
  });
  await underLoad(bed, async () => {
    await sleep(1500);
    await inForce(bed, withKey("own"), "b", { before: [] });
    expect((await bed.metrics()).keyway_table_errors).toBeGreaterThan(0);
    const told = bed.envoy.log.all.filter((line) => line.includes("keyway: table:"));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain("until a table is there the configuration's routes serve");
    await routes.start();
    await inForce(bed, withKey("live"), "b", { before: ["reviews"] });
    await inForce(bed, withKey("own"), "reviews", { before: ["b"] });
  });
  await until(
    "a line that all is well",
    async () => bed.envoy.log.all.filter((line) => line.includes("keyway: table: in order again")).length,
    (count) => count === 1,
  );
});

test("an older backup that was restored is served, and what changes after it as well", async () => {
  const routes = await server();
  const bed = await proxy({ servers: [routes.port] });
  await routes.apply({ set: [keyed("steady", "a"), keyed("moved", "a")] });
  await inForce(bed, withKey("moved"), "a");
  await routes.server.stop();
  const backup = join(routes.folder, "backup.db");
  copyFileSync(routes.store, backup);
  await underLoad(bed, async () => {
    await routes.start();
    for (let step = 0; step < 10; step++) await routes.set(keyed(`later-${step}`, "b"));
    await routes.set(keyed("moved", "b"));
    await inForce(bed, withKey("moved"), "b", { before: ["a"] });
    await routes.server.stop();
    for (const end of ["", "-wal", "-shm"]) rmSync(`${routes.store}${end}`, { force: true });
    copyFileSync(backup, routes.store);
    await routes.start();
    await inForce(bed, withKey("moved"), "a", { before: ["b"] });
    await inForce(bed, withKey("later-9"), "reviews", { before: ["b"] });
    await routes.set(keyed("moved", "b"));
    await inForce(bed, withKey("moved"), "b", { before: ["a"] });
  });
});

test("of two servers on one store one is killed: what the other is told is in force within seconds", async () => {
  const routes = await server();
  const other = await serveRoutes("--store", `sqlite:${routes.store}`);
  ended.push(() => other.stop());
  const bed = await proxy({ servers: [routes.port, other.port] });
  await routes.set(keyed("steady", "a"));
  await inForce(bed, withKey("steady"), "a");
  const through = async (key: string, to: string) => {
    const answer = await fetch(`${other.url}/v1/routes/${key}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ service: "reviews", key, to }),
    });
    expect(answer.ok, await answer.text()).toBe(true);
  };
  await underLoad(bed, async () => {
    await through("first", "b");
    await inForce(bed, withKey("first"), "b", { before: ["reviews"] });
    await routes.set(keyed("second", "b"));
    await inForce(bed, withKey("second"), "b", { before: ["reviews"] });
    await routes.server.stop("SIGKILL");
    for (let round = 0; round < 5; round++) {
      await through(`alone-${round}`, "b");
      expect(await inForce(bed, withKey(`alone-${round}`), "b", { before: ["reviews"] })).toBeLessThan(10_000);
    }
    await routes.start();
    await routes.set(keyed("back", "a"));
    await inForce(bed, withKey("back"), "a", { before: ["reviews"] });
  });
});

test("a token that is revoked ends the changes, not the table; given again, they go on", async () => {
  const routes = new Routes();
  ended.push(() => routes.stop());
  const file = join(routes.folder, "tokens.yaml");
  const tokens = (...names: string[]) =>
    writeFileSync(
      file,
      JSON.stringify({
        tokens: names.map((name) => ({
          name,
          token: `${name}-token-0123456789`,
          roles: name === "proxy" ? ["proxy"] : ["read", "write"],
        })),
      }),
      { mode: 0o600 },
    );
  tokens("proxy", "writer");
  await routes.start("--tokens", file);
  routes.token = "writer-token-0123456789";
  const bed = await proxy({ servers: [routes.port], table: { token: "proxy-token-0123456789" } });
  await routes.set(keyed("steady", "a"));
  await inForce(bed, withKey("steady"), "a");
  await underLoad(bed, async () => {
    tokens("writer");
    await until(
      "an error for the revoked token",
      () => bed.metrics(),
      ({ keyway_table_errors = 0 }) => keyway_table_errors > 0,
    );
    await routes.set(keyed("unseen", "b"));
    await sleep(1000);
    expect((await bed.keyed("unseen")).service).toBe("reviews");
    const told = bed.envoy.log.all.filter((line) => line.includes("keyway: table:")).join("\n");
    expect(told).toMatch(/an answer with status 401 .* give table\.token a token with the role proxy/);
    expect(told).not.toContain("proxy-token");
    tokens("writer", "proxy");
    await inForce(bed, withKey("unseen"), "b", { before: ["reviews"] });
  });
});
