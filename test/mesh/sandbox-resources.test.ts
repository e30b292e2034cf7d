// What a real API server makes of the custom resources: whom it refuses, and with which words.
import { beforeAll, expect, onTestFinished, test } from "vitest";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { type KubeObject, refOf } from "../../shared/cluster/object.ts";
import { mesh } from "./bed/shared.ts";
import { applyDefinitions, connect } from "./definitions.ts";

let cluster: Cluster;

beforeAll(async () => {
  cluster = await connect("keyway-controller");
  await applyDefinitions();
  await mesh.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "sandbox-resources" } });
});

function sandbox(spec: unknown, name = "pr-42"): KubeObject {
  const object = {
    apiVersion: "keyway.dev/v1alpha1",
    kind: "Sandbox",
    metadata: { name, namespace: "sandbox-resources" },
    spec,
  };
  return object;
}

/** A dry run, so that one test leaves nothing behind for the next. */
const apply = (object: KubeObject) => cluster.apply(object, { dryRun: true });

test("the resource of the documentation is one", async () => {
  const spec = {
    key: "pr-42",
    ttl: "72h",
    routes: [
      { service: "reviews", to: "reviews-pr-42" },
      { service: "ratings.shop", to: { service: "ratings", subset: "v3" }, missing: "fail" },
      { service: "reviews", when: [{ cookie: "user", exact: "alice" }], to: "reviews-v2" },
    ],
    forks: [
      {
        workload: "Deployment/details",
        containers: [
          {
            name: "app",
            image: "details:pr-42",
            env: [
              { name: "A", value: "b" },
              { name: "S", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
            ],
            resources: { limits: { cpu: 1, memory: "1Gi" } },
          },
        ],
      },
    ],
    include: { matchLabels: { team: "checkout" } },
  };
  const kept = (await apply(sandbox(spec))) as KubeObject & { spec: unknown };
  expect(kept.spec).toEqual(spec);
});

test.each([
  ["a key that is none", { key: "a,b" }, "a key is printable ASCII without space, comma and semicolon"],
  ["a key with an umlaut", { key: "ä" }, "a key is printable ASCII"],
  ["two ends", { ttl: "1h", expires: "2030-01-01T00:00:00Z" }, "write ttl or expires, not both"],
  ["no duration", { ttl: "soon" }, "expected a duration like 2h, 90m or 3d12h"],
  ["a duration of nothing", { ttl: "0h" }, "expected a duration like 2h, 90m or 3d12h"],
  ["a workload that can't be forked", { forks: [{ workload: "Job/a" }] }, "expected KIND/NAME, where KIND is one of"],
  ["a workload twice", { forks: [{ workload: "Deployment/a" }, { workload: "Deployment/a" }] }, "duplicate"],
  ["a route to nowhere", { routes: [{ service: "a" }] }, "spec.routes[0].to: Required value"],
  [
    "a condition on two things",
    { routes: [{ service: "a", to: "b", when: [{ header: "a", cookie: "b", exact: "c" }] }] },
    "exactly one of header, cookie, query and request",
  ],
  ["nobody to include", { include: { matchLabels: {} } }, "should have at least 1 properties"],
])("%s is refused", async (_, spec, message) => {
  await expect(apply(sandbox(spec))).rejects.toThrow(message);
});

test("a name that no label's value can be is refused", async () => {
  await expect(apply(sandbox({}, "a".repeat(64)))).rejects.toThrow("a Sandbox's name has at most 63 characters");
});

test("two people may each apply their own fork of a Sandbox", async () => {
  const mine = sandbox({ forks: [{ workload: "Deployment/a" }] }, "shared");
  const theirs = sandbox({ forks: [{ workload: "Deployment/b" }] }, "shared");
  await cluster.apply(mine);
  // A server of another test would follow it, too.
  onTestFinished(async () => void (await cluster.remove(refOf(mine))));
  const other = await connect("other");
  const kept = (await other.apply(theirs)) as KubeObject & { spec: { forks: { workload: string }[] } };
  expect(kept.spec.forks.map(({ workload }) => workload).sort()).toEqual(["Deployment/a", "Deployment/b"]);
});
