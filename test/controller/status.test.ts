import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { sandboxStatus } from "../../routes/reading/sandbox.ts";
import { type Bed, counting, eventually, startBed } from "./bed.ts";

const WRITES = /^(?:PATCH|POST|PUT|DELETE) .*(?:keyway\.dev|events)/;

async function withServices(): Promise<Bed> {
  const bed = await startBed();
  for (const name of ["reviews", "reviews-pr-42"]) bed.addService(name);
  return bed;
}

const REVIEWS = { routes: [{ service: "reviews", to: "reviews-pr-42" }] };

test("a Sandbox's status says what became of it", async () => {
  const bed = await withServices();
  bed.ready.set("demo/reviews-pr-42", true);
  bed.put("pr-42", { ...REVIEWS, expires: "2999-01-01T00:00:00Z" });
  await bed.start();
  await bed.reaches("pr-42", "InForce", "InForce");
  const status = bed.status("pr-42");
  const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const common = { status: "True", observedGeneration: 1, lastTransitionTime: at };
  expect(status).toEqual({
    observedGeneration: 1,
    key: "pr-42",
    expires: "2999-01-01T00:00:00Z",
    routes: [{ service: "reviews.demo", to: "reviews-pr-42.demo", from: "spec", ready: true }],
    proxies: { total: 2, inForce: 2, summary: "2/2" },
    conditions: [
      { type: "Accepted", reason: "Accepted", message: "requests with the key pr-42 are routed", ...common },
      { type: "Resolved", reason: "Resolved", message: "every service, port and target is there", ...common },
      { type: "InForce", reason: "InForce", message: "2 of 2 proxies", ...common },
    ],
  });
  expect(sandboxStatus.safeParse(status).success).toBe(true);
  expect(bed.events()).toEqual([]);
});

test("it says how many proxies have it until all have", async () => {
  const bed = await withServices();
  bed.count = { total: 12, inForce: 3 };
  bed.put("pr-42", REVIEWS);
  await bed.start();
  await bed.reaches("pr-42", "InForce", "!Waiting");
  expect(bed.message("pr-42", "InForce")).toMatch(/^3 of 12 proxies;/);
  expect(bed.status("pr-42").proxies?.summary).toBe("3/12");
  bed.count = { total: 12, inForce: 12 };
  await bed.reaches("pr-42", "InForce", "InForce");
  const writes = counting(bed, WRITES);
  await sleep(300);
  expect(writes()).toEqual([]);
});

test("one that proxies have at once has one status written, and one that they are slow to have is told soon", async () => {
  const bed = await withServices();
  bed.count = { total: 2, inForce: 0 };
  await bed.start();
  const writes = counting(bed, WRITES);
  const asked = new Promise<void>((resolve) => bed.onCount(resolve));
  bed.put("quick", REVIEWS);
  await asked;
  bed.count = { total: 2, inForce: 2 };
  await bed.reaches("quick", "InForce", "InForce");
  expect(writes()).toHaveLength(1);
  bed.count = { total: 2, inForce: 1 };
  bed.put("slow", REVIEWS);
  await bed.reaches("slow", "InForce", "!Waiting");
});

test("who waits for it to be in force has all of it then, not just what is ready", async () => {
  const bed = await withServices();
  bed.put("pr-42", {
    routes: [
      { service: "reviews", to: "reviews-pr-42" },
      { service: "reviews", when: [{ cookie: "a", present: true }], to: "nowhere" },
    ],
  });
  await bed.start();
  await bed.reaches("pr-42", "Resolved", "!ServiceNotFound");
  await bed.reaches("pr-42", "InForce", "!NotResolved");
  expect(bed.message("pr-42", "InForce")).toContain("see the condition Resolved");
  bed.put("pr-42", { routes: [{ service: "reviews", to: "reviews-pr-42" }] });
  await bed.reaches("pr-42", "InForce", "InForce");
});

test.each([
  ["no proxy asks", { total: 0, inForce: 0 }, "!NoProxies", "--table"],
  ["no server could be asked", undefined, "ServersNotAsked", "asked again"],
  [
    "one of several servers does not answer",
    {
      total: 3,
      inForce: 3,
      missing: ["server 10.0.0.3:8700 did not answer within 1 s, so its proxies are not counted"],
    },
    "ServersNotAsked",
    "server 10.0.0.3:8700 did not answer within 1 s, so its proxies are not counted; 3 of 3 proxies of the others",
  ],
])("where %s it says so", async (_, count, reason, hint) => {
  const bed = await withServices();
  bed.count = count;
  bed.put("pr-42", REVIEWS);
  await bed.start();
  await bed.reaches("pr-42", "InForce", reason);
  expect(bed.message("pr-42", "InForce")).toContain(hint);
});

test("a service that is not there is told with the nearest name, and forgotten once it is there", async () => {
  const bed = await withServices();
  bed.put("pr-42", { routes: [{ service: "reviws", to: "reviews-pr-42" }] });
  const { controller } = await bed.start();
  await bed.reaches("pr-42", "Resolved", "!ServiceNotFound");
  expect(bed.message("pr-42", "Resolved")).toBe("no service reviws in namespace demo; did you mean reviews?");
  expect(bed.condition("pr-42", "InForce")).toBe("!NoRoutes");
  await eventually(() => bed.events().map(({ reason, note }) => `${reason}: ${note}`)).toEqual([
    "ServiceNotFound: no service reviws in namespace demo; did you mean reviews?",
  ]);
  bed.addService("reviws");
  controller.serviceChanged("demo", "reviws");
  await bed.reaches("pr-42", "Resolved", "Resolved");
  await bed.reaches("pr-42", "InForce", "InForce");
  await eventually(() => bed.events().map(({ reason }) => reason)).toEqual(["ServiceNotFound", "Resolved"]);
});

test("a port that is not there is told with those that are", async () => {
  const bed = await withServices();
  bed.addService("other", [{ port: 80, name: "http" }]);
  bed.put("port", { routes: [{ service: "reviews:9081", to: "reviews-pr-42" }] });
  bed.put("of-baseline", { routes: [{ service: "reviews", to: "other" }] });
  await bed.start();
  await bed.reaches("port", "Resolved", "!PortNotFound");
  await bed.reaches("of-baseline", "Resolved", "!PortNotFound");
  expect(bed.message("port", "Resolved")).toBe(
    "service reviews.demo has no port 9081; it has 9080; write reviews.demo:PORT",
  );
  expect(bed.message("of-baseline", "Resolved")).toBe(
    "service other.demo has no port 9080, which the baseline reviews has; it has http (80); write other.demo:PORT",
  );
});

test("a target without a ready pod is told, and so is that it has one", async () => {
  const bed = await withServices();
  bed.ready.set("demo/reviews-pr-42", false);
  bed.put("pr-42", REVIEWS);
  const { controller } = await bed.start();
  await bed.reaches("pr-42", "Resolved", "!NotReady");
  expect(bed.message("pr-42", "Resolved")).toContain("no pod of reviews-pr-42.demo is ready");
  expect(bed.status("pr-42").routes?.[0]?.ready).toBe(false);
  bed.ready.set("demo/reviews-pr-42", true);
  controller.serviceChanged("demo", "reviews-pr-42");
  await bed.reaches("pr-42", "InForce", "InForce");
});

test("a key that another one has, a key that is none, and a Route in the way are told", async () => {
  const bed = await withServices();
  bed.put("old", { key: "k", ...REVIEWS }, { creationTimestamp: "2029-01-01T00:00:00Z" });
  bed.put("young", { key: "k", ...REVIEWS });
  bed.put("wrong", { key: "no key" });
  bed.put("routed", REVIEWS);
  bed.api.put({
    apiVersion: "keyway.dev/v1alpha1",
    kind: "Route",
    metadata: { name: "mine", namespace: "keyway-system" },
    spec: { service: "reviews.demo", key: "routed", to: "x" },
  });
  await bed.start();
  await bed.reaches("young", "Accepted", "!KeyTaken");
  expect(bed.message("young", "Accepted")).toContain("Sandbox demo/old");
  await bed.reaches("wrong", "Accepted", "!Invalid");
  expect(bed.condition("wrong", "Resolved")).toBe("NotAccepted");
  await bed.reaches("routed", "Resolved", "!RouteTaken");
  expect(bed.message("routed", "Resolved")).toContain("Route mine has reviews.demo");
  bed.delete("old");
  await bed.reaches("young", "Accepted", "Accepted");
});

test("Sandboxes that disagree are told in the statuses of both, and of the one that includes them", async () => {
  const bed = await withServices();
  for (const name of ["a", "b"]) bed.addService(name);
  const labels = { team: "t" };
  bed.put("one", { routes: [{ service: "reviews", to: "a" }] }, { labels });
  bed.put("two", { routes: [{ service: "reviews", to: "b" }] }, { labels });
  bed.put("all", { include: { matchLabels: labels } });
  await bed.start();
  for (const name of ["one", "two", "all"]) {
    await bed.reaches(name, "Resolved", "IncludeConflict");
    expect(bed.message(name, "Resolved")).toContain(
      "Sandbox demo/all includes demo/one, which sends reviews.demo to a.demo, and demo/two",
    );
  }
});

test("one past its time is deleted, and one whose time comes then", async () => {
  const bed = await withServices();
  bed.put("past", { ...REVIEWS, expires: "2020-01-01T00:00:00Z" });
  bed.put("soon", { key: "soon", ttl: "2s" }, { creationTimestamp: new Date().toISOString().replace(/\.\d+/, "") });
  await bed.start();
  await eventually(() => bed.get("past")).toBeUndefined();
  expect(bed.get("soon")).toBeDefined();
  await eventually(() => bed.get("soon")).toBeUndefined();
});
