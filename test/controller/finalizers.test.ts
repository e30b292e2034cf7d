import { expect, test } from "vitest";
import { type Bed, eventually, startBed } from "./bed.ts";

const SPEC = { forks: [{ workload: "Deployment/reviews" }], routes: [{ service: "reviews", to: "v1" }] };

async function withFork(times: { proxies?: number; copies?: number } = {}): Promise<Bed> {
  const bed = await startBed();
  for (const name of ["reviews", "v1"]) bed.addService(name);
  bed.put("a", SPEC);
  await bed.start("one", { finalizers: { proxies: 5000, copies: 30_000, ...times }, queue: { firstRetryMs: 50 } });
  await bed.reaches("a", "Resolved", "Resolved");
  return bed;
}

test("a Sandbox with forks has its copies made, and goes once they are taken away", async () => {
  const bed = await withFork();
  expect(bed.status("a").forks).toEqual([{ workload: "Deployment/reviews", ready: true }]);
  expect(bed.get("a")?.metadata.finalizers).toEqual(["keyway.dev/forks"]);
  await bed.reaches("a", "InForce", "InForce");
  bed.delete("a");
  await eventually(() => bed.get("a")).toBeUndefined();
  expect(bed.forks.calls).toEqual(["reconcile a", "remove a"]);
});

test.each([
  { total: 2, inForce: 1 },
  { total: 2, inForce: 2, missing: ["a server has not told of its proxies"] },
])("copies stay until all proxies have given their routes up, but not for ever: %j", async (count) => {
  const bed = await withFork({ proxies: 500 });
  await bed.reaches("a", "InForce", "InForce");
  bed.count = count;
  const deleted = performance.now();
  bed.delete("a");
  await eventually(() => bed.get("a")).toBeUndefined();
  expect(performance.now() - deleted).toBeGreaterThan(450);
});

test("copies that can't be deleted hold nobody for ever: the garbage collector has them", async () => {
  const bed = await withFork({ proxies: 50, copies: 300 });
  bed.forks.remove = async () => {
    throw new Error("a webhook refuses");
  };
  bed.delete("a");
  await eventually(() => bed.get("a")).toBeUndefined();
  await eventually(() => bed.events().map(({ reason }) => reason)).toContain("CopiesLeft");
  expect(bed.logged.join()).toContain("a webhook refuses");
});

test("a Sandbox without forks has no finalizer, and one whose key is taken no copies", async () => {
  const bed = await withFork();
  bed.put("plain", { routes: SPEC.routes });
  bed.put("late", { ...SPEC, key: "a" }, { creationTimestamp: "2031-01-01T00:00:00Z" });
  await bed.reaches("plain", "InForce", "InForce");
  await bed.reaches("late", "Accepted", "!KeyTaken");
  expect(bed.get("plain")?.metadata.finalizers).toBeUndefined();
  expect(bed.forks.calls).toEqual(["reconcile a"]);
});

test("copies are looked at again when something has happened to them, and told as they are", async () => {
  const bed = await withFork();
  bed.forks.reconcile = async () => [
    { workload: "Deployment/reviews", ready: false, reason: "Invalid", message: "there is no container app" },
  ];
  bed.forks.onChange("demo", "a");
  await bed.reaches("a", "Resolved", "!ForkFailed");
  expect(bed.message("a", "Resolved")).toBe(
    "the copy of Deployment/reviews is not ready: Invalid: there is no container app",
  );
});

test("copies that are left of an earlier spec are seen to by whoever leads next", async () => {
  const bed = await startBed();
  bed.put("a", {}, { finalizers: ["keyway.dev/forks"] });
  await bed.start();
  await eventually(() => bed.forks.calls).toEqual(["reconcile a"]);
});
