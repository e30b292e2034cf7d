// Copies of workloads on a real API server, made with the rendered rights alone.
import type { V1Deployment, V1Service } from "@kubernetes/client-node";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { ClusterForks } from "../../controller/forks/forks.ts";
import { serverManifests } from "../../installer/manifests/rights.ts";
import type { ForkEntry, SandboxResource } from "../../routes/model/sandbox.ts";
import { Cluster } from "../../shared/cluster/cluster.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import { runCli } from "../cli/run.ts";
import { service, workload } from "../forks/objects.ts";
import type { Resource } from "./bed/api.ts";
import { mesh } from "./bed/shared.ts";
import { until } from "./bed/until.ts";
import { applyDefinitions, connect as connectAsAdmin } from "./definitions.ts";

const namespace = "forks";
const REVIEWS = {
  workload: "Deployment/reviews",
  containers: [{ name: "app", image: "registry.example/reviews:pr-42" }],
};

let admin: Cluster;
let kubeconfig: string;

const here = (object: object) =>
  ({ ...object, metadata: { ...(object as KubeObject).metadata, namespace } }) as unknown as Resource;
const ref = (apiVersion: string, kind: string, name: string) => ({ apiVersion, kind, metadata: { name, namespace } });
const deployment = (name: string) => admin.get<KubeObject & V1Deployment>(ref("apps/v1", "Deployment", name) as never);
const serviceNamed = (name: string) => admin.get<KubeObject & V1Service>(ref("v1", "Service", name) as never);

async function connect(file: string, fieldManager = "keyway-controller"): Promise<Cluster> {
  const ended = new AbortController();
  onTestFinished(() => ended.abort());
  return Cluster.connect({ kubeconfig: file }, {}, { signal: ended.signal, fieldManager, rightsHint: "ask" });
}

async function startForks(file = kubeconfig) {
  const cluster = await connect(file);
  const failures: string[] = [];
  const forks = new ClusterForks({ cluster, failed: (why) => failures.push(why), graceMs: 100 });
  return { cluster, forks, failures };
}

/** A Sandbox that the API server has, with these forks. */
async function sandboxOf(name: string, forks: ForkEntry[]): Promise<SandboxResource> {
  const { apiVersion, kind, metadata } = ref("keyway.dev/v1alpha1", "Sandbox", name);
  await mesh.apply({ apiVersion, kind, metadata, spec: { forks } });
  const found = await admin.get<SandboxResource>({ apiVersion, kind, metadata });
  if (found === undefined) throw new Error(`there is no Sandbox ${name}`);
  return found;
}

beforeAll(async () => {
  admin = await connectAsAdmin("bed");
  await applyDefinitions();
  kubeconfig = await mesh.kubeconfigFor(namespace, "controller");
  const subject = { kind: "ServiceAccount", name: "controller", namespace } as const;
  await mesh.apply(...(serverManifests(namespace, subject) as unknown as Resource[]));
  await mesh.apply(here(workload("Deployment", "reviews")), here(service("reviews", { app: "reviews" })));
});

test("a preview that the command creates has its copy, which a second look leaves as it is, and goes with all it brought", async () => {
  const place = ["-n", namespace, "--kubeconfig", mesh.kubeconfig];
  const image = "registry.example/reviews:pr-42";
  const create = [
    "sandbox",
    "create",
    "pr-42",
    "--fork",
    "Deployment/reviews",
    "--image",
    image,
    "--ttl",
    "2h",
    ...place,
  ];
  expect(await runCli(create)).toMatchObject({ code: 0, out: expect.stringMatching(/^created /m) });
  expect(await runCli(create)).toMatchObject({ code: 0, out: expect.stringMatching(/^unchanged /m) });
  const sandbox = await admin.get<SandboxResource>(ref("keyway.dev/v1alpha1", "Sandbox", "pr-42"));
  if (sandbox === undefined) throw new Error("there is no Sandbox");
  const { forks, failures } = await startForks();
  const told: string[] = [];
  forks.onChange = (...name) => told.push(name.join("/"));
  expect(await forks.reconcile(sandbox)).toEqual([
    {
      workload: "Deployment/reviews",
      fork: "reviews-pr-42",
      service: "reviews-pr-42",
      ready: false,
      reason: "Starting",
      message: expect.any(String),
    },
  ]);
  const copy = await deployment("reviews-pr-42");
  expect(copy?.spec?.template.spec?.containers[0]?.image).toBe(image);
  const own = await serviceNamed("reviews-pr-42");
  expect(own?.spec).toMatchObject({
    type: "ClusterIP",
    clusterIP: expect.stringMatching(/\d/),
    selector: copy?.spec?.selector.matchLabels,
  });
  const [status] = await forks.reconcile(sandbox);
  expect(status).not.toHaveProperty("baselineChanged");
  expect((await deployment("reviews-pr-42"))?.metadata?.resourceVersion).toBe(copy?.metadata?.resourceVersion);

  await mesh.apply({ ...ref("apps/v1", "Deployment", "reviews-pr-42"), spec: { replicas: 5 } } as unknown as Resource);
  await expect.poll(() => told).toContain(`${namespace}/pr-42`);
  await forks.reconcile(sandbox);
  expect((await deployment("reviews-pr-42"))?.spec?.replicas).toBe(1);

  await forks.remove(sandbox);
  expect([await deployment("reviews-pr-42"), await serviceNamed("reviews-pr-42")]).toEqual([undefined, undefined]);
  expect(await deployment("reviews")).toBeDefined();
  expect((await runCli(["sandbox", "delete", "pr-42", "--wait", ...place])).code).toBe(0);
  expect(failures).toEqual([]);
});

test("a copy follows its workload by choice, and one that the Sandbox asks for no more goes", async () => {
  const { forks } = await startForks();
  const follows = await sandboxOf("follows", [{ ...REVIEWS, follow: true }]);
  const stays = await sandboxOf("stays", [REVIEWS]);
  for (const one of [follows, stays]) await forks.reconcile(one);
  const env = [{ name: "NEW", value: "1" }];
  const containers = [
    {
      name: "app",
      image: "registry.example/reviews:2.0",
      env,
      ports: [{ containerPort: 9080, name: "http", protocol: "TCP" }],
    },
  ];
  await mesh.apply(here(workload("Deployment", "reviews", {}, { containers })));
  const [followed] = await forks.reconcile(follows);
  const [stayed] = await forks.reconcile(stays);
  expect([followed?.baselineChanged, stayed?.baselineChanged]).toEqual([undefined, true]);
  const envOf = async (name: string) => (await deployment(name))?.spec?.template.spec?.containers[0]?.env;
  expect([await envOf("reviews-follows"), await envOf("reviews-stays")]).toEqual([env, undefined]);
  await forks.reconcile({ ...follows, spec: { forks: [] } });
  await expect.poll(() => deployment("reviews-follows")).toBeUndefined();
  await forks.remove(stays);
});

test("what is somebody else's is left alone, also where it takes the name of a copy that was looked at", async () => {
  const { cluster, forks } = await startForks();
  const sandbox = await sandboxOf("taken", [REVIEWS]);
  const foreign = here(service("reviews-taken", { app: "handmade" }));
  await mesh.apply(foreign);
  expect(await forks.reconcile(sandbox)).toMatchObject([{ ready: false, reason: "NameTaken" }]);
  await forks.remove(sandbox);
  expect((await serviceNamed("reviews-taken"))?.spec?.selector).toEqual({ app: "handmade" });
  const uid = "00000000-0000-0000-0000-000000000000";
  const other = { ...ref("v1", "Service", "reviews-taken"), metadata: { name: "reviews-taken", namespace, uid } };
  const change = { ...other, spec: { selector: { app: "mine" } } } as KubeObject;
  const refused = await Promise.allSettled([cluster.apply(change, { force: true }), cluster.remove(other)]);
  expect(refused.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect((await serviceNamed("reviews-taken"))?.spec?.selector).toEqual({ app: "handmade" });
  await mesh.delete(foreign);
});

test("a policy that refuses, a kind that is not there and missing rights are reasons", async () => {
  const { forks } = await startForks();
  const policy = (kind: string, spec: object) => ({
    apiVersion: "admissionregistration.k8s.io/v1",
    kind,
    metadata: { name: "no-copies" },
    spec,
  });
  const rules = [{ apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["deployments"] }];
  const expression = "object.metadata.name != 'reviews-refused'";
  const refusing = [
    policy("ValidatingAdmissionPolicy", {
      matchConstraints: { resourceRules: rules },
      validations: [{ expression, message: "no copies on Fridays" }],
    }),
    policy("ValidatingAdmissionPolicyBinding", { policyName: "no-copies", validationActions: ["Deny"] }),
  ];
  await mesh.apply(...(refusing as unknown as Resource[]));
  onTestFinished(() => mesh.delete(...(refusing as unknown as Resource[])));
  await until("the policy to hold", async () => {
    const refused = here({ ...workload("Deployment", "reviews-refused") });
    return admin.apply(refused as KubeObject, { dryRun: true }).then(
      () => false,
      () => true,
    );
  });
  expect(await forks.reconcile(await sandboxOf("refused", [REVIEWS]))).toMatchObject([
    { ready: false, reason: "Refused", message: expect.stringContaining("no copies on Fridays") },
  ]);
  expect(await forks.reconcile(await sandboxOf("argo", [{ workload: "Rollout/ratings" }]))).toMatchObject([
    { ready: false, reason: "KindNotFound" },
  ]);
  const nobody = await startForks(await mesh.kubeconfigFor(namespace, "nobody"));
  expect(await nobody.forks.reconcile(await sandboxOf("none", [REVIEWS]))).toMatchObject([
    { ready: false, reason: "Forbidden", message: expect.stringContaining("ask") },
  ]);
});
