// Two plugin configurations with the same name, root id and vm_id share one VM and must not see each other.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Listener } from "../../scripts/proxy/bootstrap.ts";
import { type Bed, startBed } from "./bed/bed.ts";
import { encoded, plugin } from "./bed/bootstrap.ts";
import { type Ask, ask, everywhere } from "./bed/client.ts";
import { Ecds } from "./bed/ecds.ts";

const webConfig = { routes: [{ from: "reviews", key: "pr-42", to: "web-target" }], explain: true };
const newConfig = { routes: [{ from: "reviews", key: "pr-44", to: "new-target" }] };
const backConfig = {
  keys: ["cookie:back"],
  routes: [
    { from: "reviews", key: "pr-42", to: "back-target" },
    { from: "reviews", key: "pr-43", to: "back-target" },
  ],
};

let bed: Bed;
let ecds: Ecds;
let backEcds: Ecds;
beforeAll(async () => {
  bed = await startBed({
    config: webConfig,
    targets: ["web-target", "back-target", "new-target"],
    concurrency: 2,
    change: ({ static_resources }) => {
      const [web] = static_resources.listeners as [Listener];
      const back = { ...structuredClone(web), name: "back" };
      plugin(back).configuration = encoded(backConfig);
      static_resources.listeners.push(back);
      ecds = new Ecds(web);
      backEcds = new Ecds(back);
    },
  });
});
afterAll(async () => {
  await bed.stop();
  ecds.remove();
  backEcds.remove();
});

const back = (what: Ask) => ask(bed.envoy.ports.back as number, what);
const onWeb = (key: string) => bed.everywhere({ headers: { "x-routing-key": key } });
const onBack = (key: string) => everywhere(bed.envoy.ports.back as number, { headers: { cookie: `back=${key}` } });

test("each has its own routes", async () => {
  expect(await onWeb("pr-42")).toEqual(new Set(["web-target"]));
  expect(await onWeb("pr-43")).toEqual(new Set(["reviews"]));
  for (const key of ["pr-42", "pr-43"]) expect(await onBack(key)).toEqual(new Set(["back-target"]));
});

test("each has its own sources", async () => {
  expect((await back({ headers: { "x-routing-key": "pr-42" } })).service).toBe("reviews");
  expect((await bed.ask({ headers: { cookie: "back=pr-42" } })).service).toBe("reviews");
});

test("each has its own switches", async () => {
  const headers = { "x-routing-key": "pr-42", cookie: "back=pr-42", "x-keyway-explain": "1" };
  expect((await bed.ask({ headers })).headers["x-keyway-decision"]).toBeDefined();
  expect((await back({ headers })).headers["x-keyway-decision"]).toBeUndefined();
});

test("an update of one leaves the other as it is", async () => {
  await ecds.update(bed.envoy, newConfig);
  expect(await onWeb("pr-44")).toEqual(new Set(["new-target"]));
  expect(await onWeb("pr-42")).toEqual(new Set(["reviews"]));
  expect(await onBack("pr-42")).toEqual(new Set(["back-target"]));
  expect(await onBack("pr-44")).toEqual(new Set(["reviews"]));
});

test("a bad update of one leaves the other as it is", async () => {
  await ecds.update(bed.envoy, newConfig);
  await ecds.update(bed.envoy, "{");
  expect(await onWeb("pr-44")).toEqual(new Set(["new-target"]));
  expect(await onBack("pr-43")).toEqual(new Set(["back-target"]));
});

test("a bad update of the one leaves it with its own last table, whichever was updated last", async () => {
  await ecds.update(bed.envoy, newConfig);
  await backEcds.update(bed.envoy, { ...backConfig, explain: true });
  await ecds.update(bed.envoy, "[");
  expect(await onWeb("pr-44")).toEqual(new Set(["new-target"]));
  expect(await bed.everywhere({ headers: { cookie: "back=pr-42" } })).toEqual(new Set(["reviews"]));
});

test("many updates of one, between requests to both", async () => {
  for (let round = 0; round < 30; round++) {
    await ecds.update(bed.envoy, { routes: [{ from: "reviews", key: `round-${round}`, to: "new-target" }] });
    expect((await bed.keyed(`round-${round}`)).service).toBe("new-target");
    expect((await back({ headers: { cookie: "back=pr-43" } })).service).toBe("back-target");
  }
});
