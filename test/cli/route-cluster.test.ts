// Routes as resources of a Kubernetes cluster.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startApiServer } from "../double/api-server.ts";
import { admissionRefusal } from "../double/faults.ts";
import { kubeconfig } from "../double/kubeconfig.ts";
import { runCli } from "./run.ts";

async function startCluster() {
  const api = await startApiServer();
  const folder = await mkdtemp(join(tmpdir(), "keyway-kube-"));
  onTestFinished(async () => {
    await api.close();
    await rm(folder, { recursive: true });
  });
  const file = join(folder, "config");
  await writeFile(file, kubeconfig(api));
  const route = (args: string[], input = "") =>
    runCli(["route", ...args, "--kubeconfig", file, "-n", "demo"], { input });
  const find = (name: string) =>
    api.find({ apiVersion: "keyway.dev/v1alpha1", kind: "Route", metadata: { name, namespace: "demo" } });
  return { api, route, find };
}

test("a route is a resource with the spec of a route file, its owner and labels beside it", async () => {
  const { route, find } = await startCluster();
  const set = [
    "set",
    "reviews",
    "--when",
    "cookie:user=alice",
    "--to",
    "reviews@v2",
    "--id",
    "alice",
    "--owner",
    "me",
    "--label",
    "team=a",
  ];
  expect((await route(set)).out).toMatch(/^created /m);
  expect(find("alice")).toMatchObject({
    metadata: {
      labels: { team: "a", "app.kubernetes.io/managed-by": "keyway" },
      annotations: { "keyway.dev/owner": "me" },
    },
    spec: { service: "reviews", when: [{ cookie: "user", exact: "alice" }], to: { service: "reviews", subset: "v2" } },
  });
  expect((await route(set)).out).toMatch(/^unchanged /m);
  expect((await route([...set, "--to", "reviews@v3"])).out).toMatch(/^changed /m);
  const { out } = await route(["list", "--owner", "me", "-o", "json"]);
  expect(JSON.parse(out).routes).toEqual([
    {
      id: "alice",
      service: "reviews",
      when: [{ cookie: "user", exact: "alice" }],
      to: { service: "reviews", subset: "v3" },
      owner: "me",
      labels: { team: "a" },
    },
  ]);
});

test("clusters, a ttl, renewal and deletion", async () => {
  const { route, find } = await startCluster();
  await route(["set", "--from", "far", "--key", "pr-42", "--to", "near", "--id", "far", "--ttl", "1h"]);
  expect(find("far")?.spec).toEqual({
    service: { cluster: "far" },
    key: "pr-42",
    to: { cluster: "near" },
    expires: expect.any(String),
  });
  expect((await route(["renew", "far", "--ttl", "3d"])).out).toMatch(/2d 23h|3d/);
  expect((await route(["delete", "--key", "pr-42"])).out).toMatch(/^deleted /m);
  expect(find("far")).toBeUndefined();
});

test("the ids that the command makes are names that the API server takes", async () => {
  const { route } = await startCluster();
  const key = `PR/${"x".repeat(100)}`;
  const { out } = await route(["set", "reviews.shop:http", "--key", key, "--to", "b", "-o", "json"]);
  expect(JSON.parse(out).routes[0].id).toMatch(/^reviews-shop-http-pr-x+-[0-9a-v]{10}$/);
  expect(JSON.parse(out).routes[0].id.length).toBe(63);
  expect((await route(["set", "a", "--key", "k", "--to", "b", "--id", "A/b"])).err).toContain(
    "A/b is no name of a Kubernetes resource",
  );
});

test("what one refusal stops leaves nothing half-done", async () => {
  const { api, route, find } = await startCluster();
  await route(["set", "a", "--key", "1", "--to", "before", "--id", "one"]);
  const input =
    "routes:\n  - {service: a, key: '1', to: after, id: one}\n  - {service: a, key: '2', to: b, id: two}\n  - {service: a, key: '3', to: b, id: three}\n";
  const whole = /^PATCH .*routes\/three(?!.*dryRun)/;
  api.faults.add(whole, admissionRefusal("denied the request: not on Fridays"));
  const { code, err } = await route(["apply", "-f", "-"], input);
  expect([code, err]).toEqual([1, expect.stringContaining("not on Fridays")]);
  expect([find("one")?.spec, find("two"), find("three")]).toEqual([
    { service: "a", key: "1", to: "before" },
    undefined,
    undefined,
  ]);

  api.faults.clear();
  const before = api.store.version;
  api.faults.add(/^PATCH .*routes\/three.*dryRun/, admissionRefusal("denied the request: never"));
  expect((await route(["apply", "-f", "-"], input)).code).toBe(1);
  expect(api.store.version).toBe(before);
  api.faults.clear();
  expect((await route(["apply", "-f", "-"], input)).out.match(/^(changed|created) /gm)).toHaveLength(3);
});

test("a cluster without the kind says what to do", async () => {
  const { api, route } = await startCluster();
  const missing = /^GET \/apis\/keyway\.dev/;
  api.faults.add(missing, (_, response) => void response.writeHead(404).end("{}"), 100);
  for (const args of [["list"], ["set", "a", "--key", "k", "--to", "b"]]) {
    const { code, err } = await route(args);
    expect([code, err]).toEqual([1, expect.stringContaining("does not know the kind Route of keyway.dev/v1alpha1")]);
    expect(err).toContain("keyway render crds");
  }
});

test("--dry-run and --diff ask the cluster and change nothing", async () => {
  const { route, find } = await startCluster();
  const set = ["set", "a", "--key", "k", "--to", "b", "--id", "one"];
  expect((await route([...set, "--dry-run"])).out).toContain("created (dry run)");
  expect((await route([...set, "--diff"])).out).toContain("+ to: b");
  expect(find("one")).toBeUndefined();
});
