import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { routeStatus } from "../../routes/reading/sandbox.ts";
import { noRights, noSuchPath } from "../double/faults.ts";
import { type Bed, counting, eventually, startBed } from "./bed.ts";

const HOME = "keyway-system";
const WRITES = /^(?:PATCH|POST|PUT|DELETE) .*(?:keyway\.dev|events)/;

async function withServices(): Promise<Bed> {
  const bed = await startBed();
  for (const name of ["reviews", "reviews-pr-42"]) {
    bed.addService(name);
    bed.ready.set(`demo/${name}`, true);
  }
  return bed;
}

const REVIEWS = { service: "reviews", key: "pr-42", to: "reviews-pr-42" };

test("a Route's status says what became of it, and with which revision", async () => {
  const bed = await withServices();
  bed.putRoute("one", REVIEWS);
  const { resources } = await bed.start();
  await bed.routeReaches("one", "InForce", "InForce");
  const revision = resources.followed.routes.get("demo/one")?.revision;
  const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const common = { status: "True", observedGeneration: 1, lastTransitionTime: at };
  const status = bed.route("one")?.status;
  expect(status).toEqual({
    observedGeneration: 1,
    revision,
    proxies: { total: 2, inForce: 2, summary: "2/2" },
    conditions: [
      { type: "Accepted", reason: "Accepted", message: "its requests are routed", ...common },
      { type: "Resolved", reason: "Resolved", message: "every service, port and target is there", ...common },
      { type: "InForce", reason: "InForce", message: "2 of 2 proxies", ...common },
    ],
  });
  expect(routeStatus.safeParse(status).success).toBe(true);
  expect(Number(bed.route("one")?.metadata.resourceVersion)).toBeGreaterThan(revision ?? 0);
  const writes = counting(bed, WRITES);
  await sleep(300);
  expect([writes(), resources.followed.revision, bed.events()]).toEqual([[], revision, []]);
});

test.each([
  [
    "unknown",
    { service: "reviws", key: "k", to: "reviews-pr-42" },
    "no service reviws in namespace demo; did you mean reviews?",
  ],
  [
    "unknown",
    { ...REVIEWS, to: "reviews-pr-43" },
    "no service reviews-pr-43 in namespace demo; did you mean reviews-pr-42?",
  ],
])("a service that is %s is told with the nearest name, by an event as well", async (_, spec, message) => {
  const bed = await withServices();
  bed.putRoute("one", spec);
  await bed.start();
  await bed.routeReaches("one", "Resolved", "!ServiceNotFound");
  expect(bed.routeMessage("one", "Resolved")).toBe(message);
  expect(bed.routeCondition("one", "InForce")).toBe("!NoRoutes");
  await eventually(() => bed.events().map(({ reason, note }) => `${reason}: ${note}`)).toEqual([
    `ServiceNotFound: ${message}`,
  ]);
});

test("services without a namespace are looked for in all, and judged where there is one of the name", async () => {
  const bed = await withServices();
  bed.putRoute("wrong", { service: "revews", key: "k", to: "reviews-pr-42" }, HOME);
  bed.putRoute("port", { service: "reviews:80", key: "l", to: "reviews-pr-42" }, HOME);
  bed.putRoute("down", { service: "reviews", key: "m", to: "reviews-pr-42" }, HOME);
  bed.ready.set("demo/reviews-pr-42", false);
  const { controller } = await bed.start();
  await bed.routeReaches("wrong", "Resolved", "!ServiceNotFound", HOME);
  expect(bed.routeMessage("wrong", "Resolved", HOME)).toContain(
    "no service revews in any namespace; did you mean reviews?",
  );
  await bed.routeReaches("port", "Resolved", "!PortNotFound", HOME);
  await bed.routeReaches("down", "Resolved", "!NotReady", HOME);
  bed.ready.set("demo/reviews-pr-42", true);
  controller.serviceChanged("demo", "reviews-pr-42");
  await bed.routeReaches("down", "InForce", "InForce", HOME);
  bed.addService("revews", [{ port: 9080 }], "shop");
  controller.serviceChanged("shop", "revews");
  await bed.routeReaches("wrong", "InForce", "InForce", HOME);
});

test("a target without a namespace is its baseline's, whatever has its name elsewhere", async () => {
  const bed = await withServices();
  bed.addService("reviews-pr-42", [{ port: 9080 }], "shop");
  bed.ready.set("shop/reviews-pr-42", true);
  bed.ready.set("demo/reviews-pr-42", false);
  bed.putRoute("down", { service: "reviews.demo", key: "pr-42", to: "reviews-pr-42" }, HOME);
  const { controller } = await bed.start();
  await bed.routeReaches("down", "Resolved", "!NotReady", HOME);
  bed.ready.set("demo/reviews-pr-42", true);
  controller.serviceChanged("demo", "reviews-pr-42");
  await bed.routeReaches("down", "InForce", "InForce", HOME);
});

test("a port that is not there and a target that is not ready are told, and that they are mended", async () => {
  const bed = await withServices();
  bed.putRoute("port", { ...REVIEWS, key: "k", to: "reviews-pr-42:80" });
  bed.putRoute("down", REVIEWS);
  bed.ready.set("demo/reviews-pr-42", false);
  const { controller } = await bed.start();
  await bed.routeReaches("port", "Resolved", "!PortNotFound");
  expect(bed.routeMessage("port", "Resolved")).toMatch(/has no port 80; it has 9080; write reviews-pr-42.demo:PORT$/);
  await bed.routeReaches("down", "Resolved", "!NotReady");
  expect(bed.routeMessage("down", "Resolved")).toMatch(
    /^no pod of reviews-pr-42.demo is ready.*kubectl get pods -n demo$/,
  );
  bed.ready.set("demo/reviews-pr-42", true);
  controller.serviceChanged("demo", "reviews-pr-42");
  await bed.routeReaches("down", "InForce", "InForce");
  bed.putRoute("port", { ...REVIEWS, key: "k" });
  await bed.routeReaches("port", "InForce", "InForce");
  expect(bed.route("port")?.status?.observedGeneration).toBe(2);
});

test("a resource that is no route is told what is wrong, and forgotten once it is mended", async () => {
  const bed = await withServices();
  bed.putRoute("wrong", { ...REVIEWS, when: [{ header: "a", cookie: "b", exact: "c" }] });
  await bed.start();
  await bed.routeReaches("wrong", "Accepted", "!Invalid");
  expect(bed.routeMessage("wrong", "Accepted")).toMatch(/^spec\.when\[0\].*; mend it and apply it again$/);
  expect([bed.routeCondition("wrong", "Resolved"), bed.routeCondition("wrong", "InForce")]).toEqual([
    "NotAccepted",
    "!NoRoutes",
  ]);
  await eventually(() => bed.events().map(({ reason }) => reason)).toEqual(["Invalid"]);
  const writes = counting(bed, WRITES);
  await sleep(300);
  expect(writes()).toEqual([]);
  bed.putRoute("wrong", REVIEWS);
  await bed.routeReaches("wrong", "InForce", "InForce");
});

test("of twins the first by name is in force, the others are told which it is, and each of them when it goes", async () => {
  const bed = await withServices();
  for (const name of ["b", "a", "c"]) bed.putRoute(name, { ...REVIEWS, service: "reviews.demo:9080" });
  bed.putRoute("a-port", { ...REVIEWS, service: "reviews:9081" });
  await bed.start();
  for (const name of ["b", "c"]) {
    await bed.routeReaches(name, "Accepted", "!Twin");
    expect(bed.routeMessage(name, "Accepted")).toMatch(/^Route demo\/a has the same service and key/);
  }
  await bed.routeReaches("a", "InForce", "InForce");
  expect(bed.routeCondition("a-port", "Accepted")).toBe("Accepted");
  bed.deleteRoute("a");
  await bed.routeReaches("b", "InForce", "InForce");
  await eventually(() => bed.routeMessage("c", "Accepted")).toMatch(/^Route demo\/b/);
  bed.putRoute("c", { ...REVIEWS, when: [{ header: "x", exact: "y" }] });
  await bed.routeReaches("c", "InForce", "InForce");
});

test("names that are no Services are clusters where proxies without a mesh have the route, and mistakes where none has", async () => {
  const bed = await withServices();
  bed.putRoute("one", { service: "web", key: "k", to: "web-pr-42" }, HOME);
  bed.putRoute("two", { service: "reviews.demo", key: "k", to: "nowhere" }, HOME);
  bed.count = { total: 3, inForce: 3 };
  await bed.start();
  await bed.routeReaches("one", "Resolved", "!ServiceNotFound", HOME);
  expect(bed.routeCondition("one", "InForce", HOME)).toBe("!NoRoutes");
  bed.count = { total: 3, inForce: 3, plain: 1 };
  bed.putRoute("one", { service: "web", key: "k", to: "web-pr-43" }, HOME);
  await bed.routeReaches("one", "InForce", "InForce", HOME);
  expect(bed.routeCondition("one", "Resolved", HOME)).toBe("Resolved");
  await bed.routeReaches("two", "Resolved", "!ServiceNotFound", HOME);
});

test("where proxies of both kinds follow the server, a name that is nearly that of a Service is a mistake, unless it says that it is a cluster", async () => {
  const bed = await withServices();
  bed.count = { total: 1, inForce: 1, plain: 1, mesh: 2 };
  bed.putRoute("mistyped", { service: "reveiws", key: "k", to: "reviews-pr-42" }, HOME);
  bed.putRoute("far", { service: "web", key: "k", to: "web-pr-42" }, HOME);
  bed.putRoute("cluster", { service: { cluster: "reveiws" }, key: "k", to: { cluster: "revews" } }, HOME);
  await bed.start();
  await bed.routeReaches("mistyped", "Resolved", "!ServiceNotFound", HOME);
  expect(bed.routeMessage("mistyped", "Resolved", HOME)).toBe(
    "no service reveiws in any namespace; did you mean reviews? Where a cluster of proxies without a mesh is meant, write {cluster: reveiws}",
  );
  await bed.routeReaches("mistyped", "InForce", "!NotResolved", HOME);
  for (const name of ["far", "cluster"]) {
    await bed.routeReaches(name, "InForce", "InForce", HOME);
    expect(bed.routeCondition(name, "Resolved", HOME)).toBe("Resolved");
  }
  bed.count = { total: 1, inForce: 1, plain: 1, mesh: 0 };
  bed.putRoute("mistyped", { service: "reveiws", key: "l", to: "reviews-pr-42" }, HOME);
  await bed.routeReaches("mistyped", "Resolved", "Resolved", HOME);
});

test("a twin whose first has no target that is ready takes its requests until it has one, and says so", async () => {
  const bed = await withServices();
  for (const name of ["reviews-b", "reviews-c"]) bed.addService(name);
  const ready = (name: string, is: boolean) => {
    bed.ready.set(`demo/${name}`, is);
    controller.serviceChanged("demo", name);
  };
  for (const name of ["a", "b", "c"]) {
    const to = name === "a" ? REVIEWS.to : `reviews-${name}`;
    bed.putRoute(name, { ...REVIEWS, service: "reviews.demo:9080", to });
    bed.ready.set(`demo/${to}`, true);
  }
  const { controller } = await bed.start();
  await bed.routeReaches("b", "Accepted", "!Twin");
  ready(REVIEWS.to, false);
  await bed.routeReaches("a", "Resolved", "!NotReady");
  await bed.routeReaches("b", "InForce", "InForce");
  expect(bed.routeCondition("b", "Accepted")).toBe("Accepted");
  await eventually(() => bed.routeMessage("c", "Accepted")).toMatch(/^Route demo\/b/);
  ready("reviews-b", false);
  await bed.routeReaches("c", "InForce", "InForce");
  ready(REVIEWS.to, true);
  for (const name of ["b", "c"]) {
    await bed.routeReaches(name, "Accepted", "!Twin");
    expect(bed.routeMessage(name, "Accepted")).toMatch(/^Route demo\/a/);
  }
});

test("a right that is missing is told once for the many Routes of a namespace, and does not keep other namespaces waiting", async () => {
  const bed = await withServices();
  const message = 'routes.keyway.dev "one" is forbidden: User "x" cannot patch resource "routes/status"';
  bed.api.faults.add(/^PATCH .*\/demo\/routes\/.*\/status/, noRights(message), 1000);
  for (let n = 0; n < 50; n++) bed.putRoute(`r-${n}`, { ...REVIEWS, key: `k-${n}` });
  bed.putRoute("other", { service: "reviews.demo", key: "k", to: "reviews-pr-42.demo" }, "shop");
  const tries = counting(bed, /^PATCH .*\/demo\/routes/);
  await bed.start();
  await bed.routeReaches("other", "InForce", "InForce", "shop");
  await sleep(1500);
  // Those that were under way when the first one was refused.
  expect(tries().length).toBeLessThan(8);
  expect(
    bed.logged.filter((line) => line.includes("no permission to patch the status of Route")).length,
  ).toBeGreaterThan(0);
  expect(bed.events()[0]?.note).toMatch(/no permission to patch the status of Route demo\/r-\d+/);
});

test("where Routes have no status, as the custom resources are of an older version, that is told with what to do", async () => {
  const bed = await withServices();
  bed.api.faults.add(/^PATCH .*\/routes\/.*\/status/, noSuchPath, 1000);
  for (let n = 0; n < 50; n++) bed.putRoute(`r-${n}`, { ...REVIEWS, key: `k-${n}` });
  const tries = counting(bed, /^PATCH .*\/routes/);
  await bed.start();
  await eventually(() => bed.logged.join()).toContain("in this cluster a Route has no status");
  expect(bed.logged.join()).toContain("keyway render crds");
  await eventually(() => bed.events()[0]?.note).toMatch(
    /of an older version; have an administrator run `keyway render crds/,
  );
  await sleep(1000);
  expect(tries().length).toBeLessThan(8);
});
