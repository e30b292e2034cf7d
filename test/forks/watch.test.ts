// Who is told when a Sandbox's copies should be looked at again.
import { expect, test, vi } from "vitest";
import { REVIEWS, sandboxOf, startForks } from "./bed.ts";
import { service, workload } from "./objects.ts";

async function followed(forks = [REVIEWS]) {
  const bed = await startForks();
  const told = vi.fn();
  bed.forks.onChange = told;
  await bed.forks.reconcile(sandboxOf(forks));
  /** Until nothing more is told; then nothing was told. */
  const quiet = async () => {
    let before = -1;
    while (before !== told.mock.calls.length) {
      before = told.mock.calls.length;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    told.mockClear();
  };
  await quiet();
  return { ...bed, told, quiet };
}

const CHANGES: Record<string, (bed: Awaited<ReturnType<typeof followed>>) => void> = {
  "its workload changes": ({ put }) =>
    put({ ...workload("Deployment", "reviews"), metadata: { name: "reviews", namespace: "demo", generation: 2 } }),
  "its workload goes": ({ api }) =>
    api.delete({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "reviews", namespace: "demo" } }),
  "a copy is further than it was": ({ roll }) => roll("reviews-pr-42", { availableReplicas: 1 }),
  "somebody deletes a copy": ({ api }) =>
    api.delete({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "reviews-pr-42", namespace: "demo" } }),
  "somebody changes a copy's Service": ({ put, service }) => put({ ...service("reviews-pr-42"), spec: { ports: [] } }),
  "a Service comes": ({ put }) => put(service("tier", { tier: "back" })),
};

test.each(Object.entries(CHANGES))("told when %s", async (_, change) => {
  const bed = await followed();
  change(bed);
  await expect.poll(() => bed.told.mock.calls).toContainEqual(["demo", "pr-42"]);
});

test("not told of what does not matter, nor of a Sandbox that is gone", async () => {
  const { put, told, forks, quiet } = await followed();
  put({ ...workload("Deployment", "reviews"), status: { replicas: 6 } });
  put(workload("Deployment", "other"));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(told).not.toHaveBeenCalled();
  await forks.remove(sandboxOf([REVIEWS]));
  await quiet();
  put(service("tier", { tier: "back" }));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(told).not.toHaveBeenCalled();
});

test("a kind that comes into the cluster later is followed then", async () => {
  const { put, told } = await followed([{ workload: "StatefulSet/db" }]);
  put(workload("StatefulSet", "db"));
  await expect.poll(() => told.mock.calls.length).toBeGreaterThan(0);
});

test("a copy that changes with each look at it is looked at less and less often", async () => {
  const { forks, roll, told, put } = await followed();
  let looks = 0;
  forks.onChange = () => {
    looks++;
    roll("reviews-pr-42", { availableReplicas: looks });
  };
  put(service("tier", { tier: "back" }));
  await new Promise((resolve) => setTimeout(resolve, 2000));
  expect(told).not.toHaveBeenCalled();
  expect(looks).toBeGreaterThan(1);
  expect(looks).toBeLessThan(8);
});
