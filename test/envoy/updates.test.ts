// Configuration updates while requests are in flight.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Listener, type Plugin, ROOT } from "../../scripts/proxy/bootstrap.ts";
import type { Envoy } from "../../scripts/proxy/run.ts";
import { anotherBuild, OTHER_LAYOUT, variant } from "../modules/variant.ts";
import { type Bed, startBed } from "./bed/bed.ts";
import { encoded, plugin } from "./bed/bootstrap.ts";
import { connection } from "./bed/client.ts";
import { Ecds } from "./bed/ecds.ts";
import { load } from "./bed/load.ts";
import { until } from "./bed/until.ts";
import { Watched } from "./bed/watched.ts";

const to = (target: string, more: object[] = []) => ({
  routes: [{ from: "reviews", key: "pr-42", to: target }, ...more],
});
/** Routes that no other round has, so that no table is one that stands already. */
const filler = (count: number, round = 0) =>
  Array.from({ length: count }, (_, i) => ({ from: "reviews", key: `round-${round}-${i}`, to: "a" }));

describe("over ECDS, with four workers", () => {
  let bed: Bed;
  let ecds: Ecds;
  beforeAll(async () => {
    bed = await startBed({
      config: to("a"),
      targets: ["a", "b"],
      concurrency: 4,
      change: ({ static_resources }) => {
        ecds = new Ecds(static_resources.listeners[0] as Listener);
      },
    });
  });
  afterAll(async () => {
    await bed.stop();
    ecds.remove();
  });

  test("300 updates fail no request, each is in force on every connection, and memory stays bounded", async () => {
    const clients = Array.from({ length: 12 }, connection);
    const services = async () =>
      new Set(await Promise.all(clients.map(async (agent) => (await bed.keyed("pr-42", { agent })).service)));
    const steady = load(bed.port, 4, { headers: { "x-routing-key": "pr-42" } });
    const update = async (round: number) => {
      const target = round % 2 ? "a" : "b";
      await ecds.update(bed.envoy, to(target, filler(round % 2 ? 20 : 2000, round)));
      expect(await services()).toEqual(new Set([target]));
    };
    for (let round = 0; round < 100; round++) await update(round);
    const before = await memory(bed.envoy);
    for (let round = 100; round < 300; round++) await update(round);
    const after = await memory(bed.envoy);
    const { answered, services: taken, failures } = await steady.stop();
    for (const agent of clients) agent.destroy();
    expect(failures).toEqual([]);
    expect(taken).toEqual(new Set(["a", "b"]));
    expect(answered).toBeGreaterThan(300);
    // The hundred tables of 2,000 routes, had they been kept, would be over 8 MB; read into five VMs, five times that.
    expect(after.allocated - before.allocated).toBeLessThan(2 * 1024 * 1024);
    expect(after.resident - before.resident).toBeLessThan(8 * 1024 * 1024);
  });

  test("a removed route is gone on the next request of a kept-alive connection", async () => {
    await ecds.update(bed.envoy, to("a"));
    const agent = connection();
    expect((await bed.keyed("pr-42", { agent })).service).toBe("a");
    await ecds.update(bed.envoy, { routes: [] });
    expect((await bed.keyed("pr-42", { agent })).service).toBe("reviews");
    agent.destroy();
    expect((await bed.metrics()).keyway_table_routes).toBe(0);
  });

  test("the version grows with every new table", async () => {
    const version = async () => (await bed.metrics()).keyway_table_version as number;
    const seen: number[] = [];
    for (const count of [1, 2, 3]) {
      await ecds.update(bed.envoy, to("a", filler(count)));
      seen.push(await version());
    }
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
  });

  test("another build of the module takes over under load, with no request failed", async () => {
    const directory = mkdtempSync(join(tmpdir(), "keyway-module-"));
    const modules = ["one", "two"].map((name) => anotherBuild(directory, name));
    await ecds.update(bed.envoy, to("a"));
    const steady = load(bed.port, 8, { headers: { "x-routing-key": "pr-42" } });
    for (let round = 0; round < 10; round++) {
      const code = { local: { filename: modules[round % 2] as string } };
      const taken = await ecds.update(bed.envoy, to("a"), ({ vm_config }) => Object.assign(vm_config, { code }));
      expect(taken).toBe("taken");
    }
    const { services, failures } = await steady.stop();
    rmSync(directory, { recursive: true });
    expect(failures).toEqual([]);
    expect(services).toEqual(new Set(["a"]));
  });
});

test("over file-based LDS, under load, no request fails and new connections see the new table", async () => {
  const lds = new Watched();
  let web: Listener | undefined;
  const listen = (target: string) => {
    plugin(web as Listener).configuration = encoded(to(target));
    lds.write("envoy.config.listener.v3.Listener", [web as Listener]);
  };
  const bed = await startBed({
    config: to("a"),
    targets: ["a", "b"],
    concurrency: 2,
    change: (made) => {
      web = made.static_resources.listeners.pop();
      made.dynamic_resources = { lds_config: lds.source };
      listen("a");
    },
  });
  try {
    const steady = load(bed.port, 3, { headers: { "x-routing-key": "pr-42" } });
    const fresh = load(bed.port, 3, { headers: { "x-routing-key": "pr-42" } }, "fresh");
    for (let round = 0; round < 20; round++) {
      const target = round % 2 ? "a" : "b";
      listen(target);
      await until(
        "the new table",
        () => bed.keyed("pr-42"),
        ({ service }) => service === target,
      );
    }
    const [kept, opened] = await Promise.all([steady.stop(), fresh.stop()]);
    expect([...kept.failures, ...opened.failures]).toEqual([]);
    expect(opened.services).toEqual(new Set(["a", "b"]));
  } finally {
    await bed.stop();
    lds.remove();
  }
});

test.each(["this build first", "the other build first"])(
  "builds with different layouts take over from each other under load, with no request failed or misled: %s",
  async (order) => {
    const directory = mkdtempSync(join(tmpdir(), "keyway-layouts-"));
    const other = join(directory, "other.wasm");
    writeFileSync(other, await variant(OTHER_LAYOUT));
    const builds = [join(ROOT, "build", "keyway.wasm"), other];
    if (order !== "this build first") builds.reverse();
    const use = (build: number) => (made: Plugin) =>
      void Object.assign(made.vm_config, { code: { local: { filename: builds[build % 2] } } });
    let ecds: Ecds | undefined;
    const bed = await startBed({
      config: to("a", filler(500)),
      targets: ["a"],
      concurrency: 2,
      change: ({ static_resources }) => {
        const [web] = static_resources.listeners as [Listener];
        use(0)(plugin(web));
        ecds = new Ecds(web);
      },
    });
    try {
      const steady = load(bed.port, 6, { headers: { "x-routing-key": "pr-42" } });
      for (let round = 1; round <= 10; round++) {
        expect(await (ecds as Ecds).update(bed.envoy, to("a", filler(500)), use(round))).toBe("taken");
        expect(await bed.everywhere({ headers: { "x-routing-key": "pr-42" } })).toEqual(new Set(["a"]));
        expect(await bed.everywhere({ headers: { "x-routing-key": "pr-43" } })).toEqual(new Set(["reviews"]));
      }
      const { answered, services, failures } = await steady.stop();
      expect(failures).toEqual([]);
      expect(services).toEqual(new Set(["a"]));
      expect(answered).toBeGreaterThan(100);
    } finally {
      await bed.stop();
      ecds?.remove();
      rmSync(directory, { recursive: true });
    }
  },
);

/** Bytes: what Envoy has allocated, and what the process holds, in which the VMs' memories are. */
async function memory(envoy: Envoy): Promise<{ allocated: number; resident: number }> {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${envoy.child.pid}/status`, "utf8"))?.[1];
  return { allocated: Number(JSON.parse(await envoy.ask("/memory")).allocated), resident: Number(kilobytes) * 1024 };
}
