// The route server put into a cluster, changed there, and taken out again.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { expectGolden, runCli } from "../cli/run.ts";
import { startApiServer } from "../double/api-server.ts";
import { admissionRefusal } from "../double/faults.ts";
import { kubeconfig } from "../double/kubeconfig.ts";
import type { Stored } from "../double/store.ts";

const IMAGE = "registry.example/keyway:0.1.0";
const deploymentRef = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "keyway-server", namespace: "keyway-system" },
};

interface Deployed {
  spec: { replicas: number; template: { spec: { containers: { image: string; args: string[] }[] } } };
}

async function startCluster() {
  const api = await startApiServer();
  const folder = await mkdtemp(join(tmpdir(), "keyway-server-"));
  onTestFinished(async () => {
    await api.close();
    await rm(folder, { recursive: true });
  });
  const file = join(folder, "config");
  await writeFile(file, kubeconfig(api));
  const server = (...args: string[]) => runCli(["server", ...args, "--kubeconfig", file]);
  const install = (...args: string[]) => server("install", "--image", IMAGE, "--no-wait", ...args);
  const find = (kind: string, name: string, apiVersion: string, namespace?: string) =>
    api.find({ apiVersion, kind, metadata: { name, ...(namespace !== undefined && { namespace }) } });
  const deployment = () => api.find(deploymentRef) as (Stored & { spec: { replicas: number } }) | undefined;
  const writes = () => api.requests.filter((one) => /^(?:PATCH|DELETE|PUT|POST)/.test(one) && !one.includes("dryRun"));
  return { api, server, install, find, deployment, writes };
}

/** Plays the controller that makes pods of a Deployment. */
function answerAll({ api, deployment }: Awaited<ReturnType<typeof startCluster>>, count: number): void {
  const there = deployment();
  if (there === undefined) throw new Error("there is no Deployment");
  api.put({ ...there, status: { observedGeneration: 9, updatedReplicas: count, availableReplicas: count } });
}

test("everything that the server takes is applied, and a second time nothing changes", async () => {
  const cluster = await startCluster();
  const first = await cluster.install("-o", "json");
  expect(first).toMatchObject({ code: 0 });
  const { outcomes } = JSON.parse(first.out);
  expect(new Set(outcomes.map(({ outcome }: { outcome: string }) => outcome))).toEqual(new Set(["created"]));
  for (const kind of ["Namespace", "CustomResourceDefinition", "Service", "NetworkPolicy", "PodDisruptionBudget"]) {
    expect(outcomes.some(({ object }: { object: string }) => object.startsWith(`${kind} `))).toBe(true);
  }
  expect(cluster.deployment()).toMatchObject({
    spec: { replicas: 2, template: { spec: { containers: [{ image: IMAGE }] } } },
  });
  const again = await cluster.install("-o", "json");
  expect(new Set(JSON.parse(again.out).outcomes.map((one: { outcome: string }) => one.outcome))).toEqual(
    new Set(["unchanged"]),
  );
});

test("the manifests that are printed are those that are applied", async () => {
  const cluster = await startCluster();
  const { out } = await cluster.install("-o", "json");
  const printed = await runCli(["render", "server", "--image", IMAGE]);
  const named = (objects: { kind: string; metadata: { name: string } }[]) =>
    objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  expect(named(parseAllDocuments(printed.out).map((one) => one.toJS()))).toEqual(named(JSON.parse(out).items));
  // The definitions and the rights have tests of their own.
  const own = printed.out.split("---\n").filter((one) => !/^kind: (?:Custom|Role|ClusterRole)/m.test(one));
  await expectGolden("render-server", own.join("---\n"));
});

test("a setting has its default again when nothing is said for it", async () => {
  const cluster = await startCluster();
  await cluster.install("--set", "logLevel=debug", "--set", "settle=3", "--set", "amalgam8=0.0.0.0:7779");
  const flags = () => JSON.stringify(cluster.deployment());
  expect(flags()).toContain("--log-level=debug");
  await cluster.server("upgrade", "--set", "logLevel=", "--set", "amalgam8=", "--no-wait");
  expect(flags()).not.toMatch(/log-level|amalgam8/);
  expect(flags()).toContain("--settle=3");
  expect(cluster.find("Role", "keyway-amalgam8", "rbac.authorization.k8s.io/v1", "keyway-system")).toBeUndefined();
});

test("an upgrade keeps what it does not say", async () => {
  const cluster = await startCluster();
  await cluster.install("--replicas", "3", "--set", "logLevel=debug", "--anonymous", "none");
  expect(await cluster.server("upgrade", "--image", "registry.example/keyway:0.2.0", "--no-wait")).toMatchObject({
    code: 0,
  });
  const { replicas, template } = (cluster.deployment() as unknown as Deployed).spec;
  const [container] = template.spec.containers;
  expect({ replicas, image: container?.image }).toEqual({ replicas: 3, image: "registry.example/keyway:0.2.0" });
  expect(container?.args).toContain("--log-level=debug");
  expect(container?.args.filter((one) => one.startsWith("--anonymous"))).toEqual([]);
});

test.each([
  ["--dry-run", "created (dry run)"],
  ["--dry-run=client", "not sent (dry run)"],
])("%s writes nothing", async (flag, outcome) => {
  const cluster = await startCluster();
  const { code, out } = await cluster.install(flag, "-o", "json");
  expect(code).toBe(0);
  expect(JSON.parse(out).outcomes[0].outcome).toBe(outcome);
  expect(cluster.writes()).toEqual([]);
});

test("a difference is printed, and nothing is written", async () => {
  const cluster = await startCluster();
  await cluster.install();
  cluster.api.requests.length = 0;
  const { code, out } = await cluster.server("upgrade", "--replicas", "5", "--diff");
  expect(code).toBe(0);
  expect(out).toMatch(/^\+ {3}replicas: 5$/m);
  expect(cluster.writes()).toEqual([]);
});

test("where the API server refuses one object nothing stays", async () => {
  const cluster = await startCluster();
  const real = /^PATCH (?!.*dryRun).*deployments/;
  cluster.api.faults.add(real, admissionRefusal("images must be signed"));
  const { code, err } = await cluster.install();
  expect(code).toBe(1);
  expect(err).toMatch(/images must be signed/);
  const kinds = [
    ["Namespace", "keyway-system", "v1"],
    ["CustomResourceDefinition", "routes.keyway.dev", "apiextensions.k8s.io/v1"],
    ["Service", "keyway", "v1", "keyway-system"],
  ] as const;
  for (const [kind, name, api, namespace] of kinds) expect(cluster.find(kind, name, api, namespace)).toBeUndefined();
});

test("an object of that name that somebody else has made stays as it is", async () => {
  const cluster = await startCluster();
  const theirs = { ...deploymentRef, spec: { replicas: 7 } };
  cluster.api.put(theirs);
  const { code, err } = await cluster.install();
  expect(code).toBe(1);
  expect(err).toMatch(/Deployment keyway-system\/keyway-server exists, and is of no route server/);
  expect(cluster.deployment()).toMatchObject(theirs);
  expect(cluster.writes()).toEqual([]);
});

test("it waits until all pods answer", async () => {
  const cluster = await startCluster();
  await cluster.install();
  const waiting = cluster.server("upgrade", "--timeout", "20");
  answerAll(cluster, 1);
  await expect
    .poll(() => cluster.api.requests.filter((one) => /^GET .*deployments/.test(one)).length)
    .toBeGreaterThan(6);
  answerAll(cluster, 2);
  expect(await waiting).toMatchObject({ code: 0, err: expect.stringMatching(/2 of 2 servers answer/) });
});

test("when time is up the pods that do not answer are named with their reasons", async () => {
  const cluster = await startCluster();
  cluster.api.put({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "keyway-server-1",
      namespace: "keyway-system",
      labels: { "app.kubernetes.io/name": "keyway-server" },
    },
    status: {
      phase: "Pending",
      containerStatuses: [
        { name: "keyway", state: { waiting: { reason: "ImagePullBackOff", message: "no such image" } } },
      ],
    },
  });
  const run = await cluster.server("install", "--image", IMAGE, "--timeout", "1");
  expect(run.code).toBe(1);
  expect(run.err).toMatch(/0 of 2 servers answer/);
  expect(run.err).toMatch(/pod keyway-server-1: ImagePullBackOff: no such image/);
  const status = await cluster.server("status", "-o", "json");
  expect(status.code).toBe(1);
  expect(JSON.parse(status.out)).toMatchObject({ image: IMAGE, replicas: { wanted: 2, ready: 0 } });
});

test("taken out again, it leaves the cluster as it was", async () => {
  const cluster = await startCluster();
  const dump = () =>
    cluster.api.store.all().map(({ kind, metadata }) => `${kind} ${metadata.namespace} ${metadata.name}`);
  const before = dump();
  await cluster.install();
  expect(dump().length).toBeGreaterThan(before.length + 8);
  expect(await cluster.server("uninstall", "--dry-run")).toMatchObject({ code: 0 });
  expect(dump().length).toBeGreaterThan(before.length + 8);
  // As the servers' leader makes it.
  const lease = { name: "keyway-controller", namespace: "keyway-system" };
  cluster.api.put({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: lease });
  // What Amalgam8's clients have said.
  const document = { name: "keyway-document-1", namespace: "keyway-system", labels: { "keyway.dev/document": "true" } };
  cluster.api.put({ apiVersion: "v1", kind: "ConfigMap", metadata: document });
  expect(await cluster.server("uninstall")).toMatchObject({ code: 0 });
  expect(dump()).toEqual(before);
  expect(await cluster.server("uninstall")).toMatchObject({ code: 1, err: expect.stringMatching(/no route server/) });
});

test("the rights for overrides are in the namespaces that the setting names, as long as it does", async () => {
  const cluster = await startCluster();
  const before = cluster.api.store.all().length;
  const rights = () =>
    cluster.api.store
      .all()
      .filter(({ metadata }) => metadata.name === "keyway-overrides")
      .map(({ kind, metadata }) => `${kind} ${metadata.namespace}`)
      .sort();
  expect(await cluster.install("--set", "overrides=demo, shop", "--set", "amalgam8=0.0.0.0:8080")).toMatchObject({
    code: 0,
  });
  expect(cluster.find("Role", "keyway-amalgam8", "rbac.authorization.k8s.io/v1", "keyway-system")).toBeDefined();
  expect(rights()).toEqual(["Role demo", "Role shop", "RoleBinding demo", "RoleBinding shop"]);
  const binding = cluster.find("RoleBinding", "keyway-overrides", "rbac.authorization.k8s.io/v1", "demo");
  expect(binding).toMatchObject({ subjects: [{ name: "keyway-server", namespace: "keyway-system" }] });
  const upgrade = await cluster.server("upgrade", "--set", "overrides=shop", "--no-wait");
  expect([upgrade.code, upgrade.err]).toEqual([0, expect.stringContaining("Role demo/keyway-overrides deleted")]);
  expect(rights()).toEqual(["Role shop", "RoleBinding shop"]);
  expect(await cluster.server("uninstall")).toMatchObject({ code: 0 });
  expect(cluster.api.store.all()).toHaveLength(before);
});

test("what people have made is not deleted with the custom resources unless they say so", async () => {
  const cluster = await startCluster();
  await cluster.install();
  const route = { apiVersion: "keyway.dev/v1alpha1", kind: "Route", metadata: { name: "alice", namespace: "demo" } };
  cluster.api.put({ ...route, spec: { service: "reviews", key: "pr-42", to: "t" } });
  const refused = await cluster.server("uninstall");
  expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/Route demo\/alice/) });
  expect(cluster.deployment()).toBeDefined();
  expect(await cluster.server("uninstall", "--with-resources")).toMatchObject({ code: 0 });
  expect(cluster.api.find(route)).toBeUndefined();
  expect(cluster.deployment()).toBeUndefined();
});

test("the namespace stays while somebody else lives in it, and a second server keeps the custom resources", async () => {
  const cluster = await startCluster();
  await cluster.install();
  await cluster.install("-n", "other");
  cluster.api.put({ apiVersion: "v1", kind: "Secret", metadata: { name: "theirs", namespace: "keyway-system" } });
  const { code, err } = await cluster.server("uninstall");
  expect(code).toBe(0);
  expect(err).toMatch(/stays: the custom resources: the server in namespace other uses them/);
  expect(err).toMatch(/stays: namespace keyway-system: Secret keyway-system\/theirs is in it, too/);
  expect(cluster.find("CustomResourceDefinition", "routes.keyway.dev", "apiextensions.k8s.io/v1")).toBeDefined();
  expect(cluster.find("Namespace", "keyway-system", "v1")).toBeDefined();
  expect(cluster.find("Deployment", "keyway-server", "apps/v1", "other")).toBeDefined();
});

test("custom resources that were there before outlive the server", async () => {
  const cluster = await startCluster();
  const crds = parseAllDocuments((await runCli(["render", "crds"])).out).map((one) => one.toJS());
  cluster.api.put(...crds);
  const route = { apiVersion: "keyway.dev/v1alpha1", kind: "Route", metadata: { name: "alice", namespace: "demo" } };
  cluster.api.put({ ...route, spec: { service: "reviews", key: "pr-42", to: "t" } });
  expect(await cluster.install()).toMatchObject({ code: 0 });
  expect(await cluster.server("uninstall")).toMatchObject({ code: 0 });
  for (const one of [...crds, route]) expect(cluster.api.find(one)).toBeDefined();
});

test("a server that Helm looks after is left to Helm", async () => {
  const cluster = await startCluster();
  await cluster.install();
  const there = cluster.deployment() as Stored;
  const labels = { ...there.metadata.labels, "app.kubernetes.io/managed-by": "Helm" };
  const annotations = { "meta.helm.sh/release-name": "shop" };
  cluster.api.put({ ...there, metadata: { ...there.metadata, labels, annotations } });
  const before = cluster.writes().length;
  for (const command of [["upgrade", "--replicas", "3"], ["uninstall"], ["install", "--image", IMAGE]]) {
    const { code, err } = await cluster.server(...command);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/part of a Helm release[\s\S]*release shop/) });
  }
  expect(cluster.writes().length).toBe(before);
  expect((await cluster.server("status", "-o", "json")).out).toContain(IMAGE);
});

test.each([
  [["install"], /which image\? Give --image/],
  [["install", "--image", "a", "--replicas", "0"], /expected a number from 1 to 99/],
  [["install", "--image", "a", "--set", "listen=0.0.0.0:1"], /listen is decided by the installation/],
  [["install", "--image", "a", "--set", "nothing=1"], /"nothing" is no setting/],
  [["install", "--image", "a", "--set", "amalgam8"], /"amalgam8" is not SETTING=VALUE/],
  [["install", "--image", "a", "--set", "logLevel=loud"], /logLevel: expected debug, info, warn, error, silent/],
  [["install", "--image", "a", "--set", "max-body=1"], /maxBody: expected a size from 1Ki to 512Mi/],
  [["install", "--image", "a", "--set", "amalgam8=8080"], /amalgam8: expected HOST:PORT/],
  [["install", "--image", "a", "--anonymous", "admin"], /"admin" is none of read, write, proxy/],
])("%j is wrong usage", async (args, message) => {
  const { code, err } = await (await startCluster()).server(...args);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(message) });
});
