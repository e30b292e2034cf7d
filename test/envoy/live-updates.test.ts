// What becomes of a live table when the worker that asks for it goes, and when configuration or module change meanwhile.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Listener, Plugin } from "../../scripts/proxy/bootstrap.ts";
import { anotherBuild, OTHER_LAYOUT, variant } from "../modules/variant.ts";
import type { Bed } from "./bed/bed.ts";
import { Ecds } from "./bed/ecds.ts";
import { inForce, startLive, underLoad, withKey } from "./bed/live.ts";
import { keyed, Routes } from "./bed/route-server.ts";

let routes: Routes;
let bed: Bed;
let ecds: Ecds;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "keyway-modules-"));
  routes = await new Routes().start();
  await routes.apply({
    set: [keyed("steady", "a"), ...Array.from({ length: 3000 }, (_, index) => keyed(`filler-${index}`, "a"))],
  });
  bed = await startLive({
    servers: [routes.port],
    targets: ["a", "b"],
    change: ({ static_resources }) => {
      ecds = new Ecds(static_resources.listeners[0] as Listener);
    },
  });
  await inForce(bed, withKey("steady"), "a");
});
afterAll(async () => {
  await bed.stop();
  ecds.remove();
  await routes.stop();
  rmSync(folder, { recursive: true });
});

const config = (more: object = {}, table: object = {}) => ({
  routes: [],
  table: { cluster: "keyway", ...table },
  ...more,
});

let round = 0;
/** A change arrives, after which nobody has to wait for the next one either. */
async function follows(): Promise<void> {
  for (let step = 0; step < 2; step++) {
    const to = ++round % 2 ? "a" : "b";
    await routes.set(keyed("moving", to));
    await inForce(bed, withKey("moving"), to, { before: [round % 2 ? "b" : "a", "reviews"] });
  }
}

test("each update of the configuration takes the root context away that polls, and another goes on", async () => {
  await underLoad(bed, async () => {
    for (let update = 0; update < 15; update++) {
      expect(await ecds.update(bed.envoy, config({ keys: ["header:x-routing-key", `cookie:c${update}`] }))).toBe(
        "taken",
      );
      await follows();
    }
  });
});

test("a configuration that says another table is served by the old one's successor, and the way back", async () => {
  await underLoad(bed, async () => {
    for (const authority of ["one", "two", "keyway"]) {
      await ecds.update(bed.envoy, config({ routes: [{ from: "reviews", key: "steady", to: "a" }] }, { authority }));
      await follows();
    }
  });
});

test("a configuration without a table serves its own routes, and one with it the live ones again", async () => {
  const own = [
    { from: "reviews", key: "steady", to: "a" },
    { from: "reviews", key: "own", to: "b" },
  ];
  await underLoad(bed, async () => {
    for (let step = 0; step < 3; step++) {
      await ecds.update(bed.envoy, { routes: own });
      await inForce(bed, withKey("own"), "b", { before: ["reviews"] });
      await ecds.update(bed.envoy, config({ routes: own }));
      await inForce(bed, withKey("own"), "reviews", { before: ["b"] });
      await follows();
    }
  });
});

test("a configuration that is refused leaves the live table as it is", async () => {
  await underLoad(bed, async () => {
    await ecds.update(bed.envoy, config({ routes: [{ from: "reviews" }] }));
    await follows();
    await ecds.update(bed.envoy, config());
    await follows();
  });
});

test("another build of the module goes on with the table, one with a layout that the server does not know serves its own routes", async () => {
  const builds = [anotherBuild(folder, "one"), anotherBuild(folder, "two")];
  const use = (filename: string) => (plugin: Plugin) => {
    plugin.vm_config.code.local.filename = filename;
  };
  const own = config({ routes: [{ from: "reviews", key: "steady", to: "a" }] });
  const strange = join(folder, "strange.wasm");
  writeFileSync(strange, await variant(OTHER_LAYOUT));
  await underLoad(bed, async () => {
    for (const build of [...builds, ...builds]) {
      await ecds.update(bed.envoy, own, use(build));
      await follows();
    }
    await ecds.update(bed.envoy, own, use(strange));
    await inForce(bed, withKey("filler-1"), "reviews", { before: ["a"] });
    await ecds.update(bed.envoy, own, use(builds[0] as string));
    await inForce(bed, withKey("filler-1"), "a", { before: ["reviews"] });
    await follows();
  });
});
