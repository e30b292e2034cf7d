import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { neverAnswer, noRights, unavailable } from "../double/faults.ts";
import type { Stored } from "../double/store.ts";
import { type Bed, counting, eventually, QUICK, startBed } from "./bed.ts";

const LEASE = {
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "keyway-controller", namespace: "keyway-system" },
};
const WRITES = /^(?:PATCH|POST|DELETE) .*(?:keyway\.dev|events)/;

const holder = (bed: Bed) => (bed.api.find(LEASE)?.spec as { holderIdentity?: string } | undefined)?.holderIdentity;

test("of two controllers one writes, and the other one takes over at once when it ends", async () => {
  const bed = await startBed();
  // Nobody here waits for the end of such a lease.
  const times = { ...QUICK, lease: 60_000 };
  const one = await bed.start("one", { times });
  await eventually(() => holder(bed)).toBe("one");
  const two = await bed.start("two", { times });
  await sleep(300);
  expect([one.controller.isLeading, two.controller.isLeading]).toEqual([true, false]);
  bed.put("a", {});
  await bed.reaches("a", "Accepted", "Accepted");
  await one.end();
  await eventually(() => holder(bed)).toBe("two");
  bed.put("b", {});
  await bed.reaches("b", "Accepted", "Accepted");
});

test("one that ends while it renews its lease gives it back all the same", async () => {
  const bed = await startBed();
  const one = await bed.start("one", { times: { ...QUICK, lease: 60_000 } });
  await eventually(() => one.controller.isLeading).toBe(true);
  let isWritten = false;
  bed.api.faults.add(/^PUT .*leases/, () => {
    // The lease is renewed, and the answer does not come before the end.
    const lease = bed.api.find(LEASE) as Stored;
    bed.api.put({ ...lease, spec: { ...(lease.spec as object), renewTime: new Date().toISOString() } } as Stored);
    isWritten = true;
  });
  await eventually(() => isWritten).toBe(true);
  await one.end();
  expect(holder(bed)).toBe("");
});

test("one that ends without giving its lease back is waited for, and no longer than its lease", async () => {
  const bed = await startBed();
  bed.api.put({
    ...LEASE,
    spec: { holderIdentity: "killed", leaseDurationSeconds: 1, renewTime: new Date().toISOString() },
  });
  const started = performance.now();
  const { controller } = await bed.start("one");
  await eventually(() => controller.isLeading).toBe(true);
  expect(performance.now() - started).toBeGreaterThan(990);
});

test("a leader that can't renew its lease stops before the lease is over, and leads again later", async () => {
  const bed = await startBed();
  const times = { ...QUICK, lease: 10_000, margin: 9000 };
  const { controller } = await bed.start("one", { times });
  await eventually(() => controller.isLeading).toBe(true);
  bed.api.faults.add(/leases/, neverAnswer, 1000);
  const silentSince = performance.now();
  await eventually(() => controller.isLeading).toBe(false);
  // Nobody else can have the lease before its end.
  expect(performance.now() - silentSince).toBeLessThan(times.lease);
  await sleep(100);
  const writes = counting(bed, WRITES);
  bed.put("a", {});
  await sleep(500);
  expect(writes()).toEqual([]);
  bed.api.faults.clear();
  await eventually(() => controller.isLeading).toBe(true);
  await bed.reaches("a", "Accepted", "Accepted");
});

test("of two that would lead at the same moment one does", async () => {
  const bed = await startBed();
  const all = await Promise.all(["a", "b", "c"].map((name) => bed.start(name)));
  await eventually(() => all.filter(({ controller }) => controller.isLeading).length).toBe(1);
  await sleep(400);
  expect(all.filter(({ controller }) => controller.isLeading)).toHaveLength(1);
});

test("a missing right is told once, and an API server that is away does no harm", async () => {
  const bed = await startBed();
  const message = 'leases.coordination.k8s.io "keyway-controller" is forbidden: User "x" cannot get resource "leases"';
  bed.api.faults.add(/leases/, noRights(message), 3);
  const { controller } = await bed.start("one");
  await eventually(() => controller.isLeading).toBe(true);
  expect(bed.logged.filter((line) => line.includes("the Lease"))).toHaveLength(1);
  expect(bed.logged.join()).toContain("no permission to get Lease keyway-system/keyway-controller");
  bed.api.faults.add(/leases/, unavailable, 2);
  await sleep(400);
  expect(controller.isLeading).toBe(true);
});
