// What the status of a Sandbox says where copies that it asks for can't be made.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { ClusterForks } from "../../controller/forks/forks.ts";
import { admissionRefusal, namespaceTerminating, noRights } from "../double/faults.ts";
import type { Stored } from "../double/store.ts";
import { service, workload } from "../forks/objects.ts";
import { type Bed, counting, eventually, startBed } from "./bed.ts";

async function withServices(): Promise<Bed> {
  const bed = await startBed();
  bed.addService("reviews");
  return bed;
}

function behindReviews(version: string) {
  const labels = { app: "reviews", version };
  const containers = [{ name: "app", image: "registry.example/reviews:1.0" }];
  return { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } };
}

test.each([
  [
    "a webhook refuses its copy",
    /^PATCH .*\/deployments\/reviews-a/,
    admissionRefusal('admission webhook "images" denied the request: unsigned', 403),
    "!ForkFailed",
    /admission webhook "images" denied the request: unsigned/,
  ],
  [
    "its namespace is going away",
    /^PATCH .*\/deployments\/reviews-a/,
    namespaceTerminating("deployments.apps", "reviews-a", "demo"),
    "!ForkFailed",
    /NamespaceTerminating: .*demo/,
  ],
  [
    "the right to make its copy is missing",
    /^PATCH .*\/deployments\/reviews-a/,
    noRights('deployments.apps "reviews-a" is forbidden: User "x" cannot patch resource "deployments"'),
    "!Forbidden",
    /no permission to patch Deployment demo\/reviews-a.*ask for rights/,
  ],
])(
  "where %s its condition and an event say so, nobody is kept busy, and it is made once it can be",
  async (_, request, fault, condition, message) => {
    const bed = await withServices();
    bed.api.put(
      workload("Deployment", "reviews") as Stored,
      service("reviews", { app: "reviews" }) as unknown as Stored,
    );
    bed.api.faults.add(request, fault, 1000);
    bed.put("a", { forks: [{ workload: "Deployment/reviews" }] });
    await bed.start("one", { forks: (cluster) => new ClusterForks({ cluster, graceMs: 100 }) });
    await bed.reaches("a", "Resolved", condition);
    expect(bed.message("a", "Resolved")).toMatch(message);
    await eventually(() => bed.events().map(({ note }) => note)).toContainEqual(expect.stringMatching(message));
    const requests = counting(bed, /deployments|sandboxes|events/);
    await sleep(1500);
    expect(requests().length).toBeLessThan(15);
    bed.api.faults.clear();
    bed.put("a", { forks: [{ workload: "Deployment/reviews", replicas: 2 }] });
    await eventually(() =>
      bed.api.find({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "reviews-a", namespace: "demo" } }),
    ).toBeDefined();
  },
  60_000,
);

test("of two workloads behind one Service a Sandbox has a copy of one, and says why not of the other", async () => {
  const bed = await withServices();
  for (const name of ["reviews-v1", "reviews-v2"]) {
    bed.api.put(workload("Deployment", name, behindReviews(name)) as Stored);
  }
  bed.api.put(service("reviews", { app: "reviews" }) as unknown as Stored);
  bed.put("a", { forks: [{ workload: "Deployment/reviews-v1" }, { workload: "Deployment/reviews-v2" }] });
  await bed.start("one", { forks: (cluster) => new ClusterForks({ cluster, graceMs: 100 }) });
  await bed.reaches("a", "Resolved", "!ForkFailed");
  expect(bed.message("a", "Resolved")).toMatch(
    /the copies of Deployment\/reviews-v1 and of Deployment\/reviews-v2 would share Service demo\/reviews-a; fork one of them in a Sandbox of its own/,
  );
});
