// Copies of workloads, as manifests.
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { type Copy, makeFork } from "../../controller/forks/make.ts";
import { toYaml } from "../../installer/cli/output.ts";
import type { ForkEntry } from "../../routes/model/sandbox.ts";
import { sandbox, service, workload } from "./objects.ts";

const folder = new URL("../golden/forks/", import.meta.url);

function copied(order: Parameters<typeof makeFork>[0]): Copy {
  const made = makeFork(order);
  if (Array.isArray(made)) throw new Error(made.map(({ message }) => message).join("; "));
  return made;
}

/** A copy of a Deployment named reviews, behind a Service of this name. */
function reviews(
  more: Record<string, unknown> = {},
  fork: Partial<ForkEntry> = {},
  pod = {},
  services = [service("reviews", { app: "reviews" })],
) {
  return makeFork({
    workload: workload("Deployment", "reviews", more, pod),
    fork: { workload: "Deployment/reviews", ...fork },
    sandbox,
    services,
  });
}

describe("golden", () => {
  const cases: Record<string, ForkEntry> = {
    deployment: {
      workload: "Deployment/reviews",
      replicas: 2,
      containers: [
        {
          name: "app",
          image: "registry.example/reviews:pr-42",
          env: [
            { name: "LEVEL", value: "debug" },
            { name: "PREVIEW", value: "yes" },
          ],
          args: ["--fast"],
          command: ["/reviews"],
          resources: { limits: { memory: "256Mi" } },
        },
        { name: "migrate", image: "registry.example/migrate:pr-42" },
      ],
    },
    statefulset: {
      workload: "StatefulSet/ledger",
      containers: [{ name: "app", image: "registry.example/ledger:pr-42" }],
    },
    rollout: { workload: "Rollout/ratings" },
  };
  test.each(Object.entries(cases))("a copy of a %s", async (name, fork) => {
    const text = await readFile(new URL(`${name}.yaml`, folder), "utf8");
    const [source, ...services] = parseAllDocuments(text).map((document) => document.toJS());
    const { workload, services: own, remarks } = copied({ workload: source, fork, sandbox, services });
    const lines = remarks.map((remark) => `# ${remark}\n`).join("");
    const manifests = [workload, ...own].map((one) => toYaml(one)).join("---\n");
    await expect(`${lines}${manifests}`).toMatchFileSnapshot(new URL(`${name}.copy.yaml`, folder).pathname);
  });
});

describe("containers", () => {
  const [only] = workload("Deployment", "reviews").spec?.template?.spec?.containers ?? [];
  const env = [
    { name: "A", value: "1" },
    { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
  ];
  const before = { containers: [{ ...only, env, args: ["--slow"] }] };
  const containerOf = (change: object) =>
    (reviews({}, { containers: [{ name: "app", ...change }] }, before) as Copy).workload.spec?.template.spec
      ?.containers[0];

  test.each([
    ["an image alone", { image: "i:2" }, { image: "i:2", env, args: ["--slow"] }],
    [
      "a variable that is there keeps its place",
      { env: [{ name: "A", value: "2" }] },
      { env: [{ name: "A", value: "2" }, env[1]] },
    ],
    [
      "a secret's variable becomes a plain one",
      { env: [{ name: "B", value: "b" }] },
      { env: [env[0], { name: "B", value: "b" }] },
    ],
    ["a new variable comes last", { env: [{ name: "C", value: "" }] }, { env: [...env, { name: "C", value: "" }] }],
    ["arguments take the place of all that were there", { args: ["--fast"] }, { args: ["--fast"] }],
    ["no arguments at all", { args: [] }, { args: [] }],
    ["a command leaves the arguments", { command: ["/a"] }, { command: ["/a"], args: ["--slow"] }],
    ["resources", { resources: { limits: { cpu: "1" } } }, { resources: { limits: { cpu: "1" } } }],
  ])("%s", (_, change, expected) => {
    expect(containerOf(change)).toMatchObject(expected);
    expect(containerOf(change)?.name).toBe("app");
  });

  test("of two variables of one name the last is the one that counts", () => {
    const twice = { containers: [{ ...only, env: [{ name: "A", value: "1" }, env[1], { name: "A", value: "2" }] }] };
    const made = reviews({}, {}, twice) as Copy;
    expect(made.workload.spec?.template.spec?.containers[0]?.env).toEqual([{ name: "A", value: "2" }, env[1]]);
  });

  test.each([
    [[{ name: "ap" }], "the pod template has no container ap; did you mean app?"],
    [[{ name: "sidecar" }], "the pod template has no container sidecar; it has app"],
    [[{ name: "app" }, { name: "app" }], "container app is named twice"],
  ])("%j is refused", (containers, message) => {
    const path = ["containers", containers.length - 1, "name"];
    expect(reviews({}, { containers })).toEqual([{ path, message }]);
  });
});

describe("what can't be copied is told", () => {
  const port = {
    containers: [{ name: "app", image: "i", ports: [{ containerPort: 80, hostPort: 8080, hostIP: "10.0.0.1" }] }],
  };
  const claim = (more = {}) => ({ name: "data", persistentVolumeClaim: { claimName: "data-1", ...more } });
  const mount = (readOnly?: boolean) => [
    { name: "app", image: "i", volumeMounts: [{ name: "data", mountPath: "/d", ...(readOnly && { readOnly }) }] },
  ];
  const podOf = (made: ReturnType<typeof reviews>) => (made as Copy).workload.spec?.template.spec;

  test("hostPort", () => {
    const made = reviews({}, {}, port);
    expect(podOf(made)?.containers[0]?.ports).toEqual([{ containerPort: 80 }]);
    expect((made as Copy).remarks).toEqual(["hostPort 8080 of container app: a node has it once"]);
  });
  test("hostNetwork", () => {
    const made = reviews({}, {}, { hostNetwork: true });
    expect(podOf(made)).not.toHaveProperty("hostNetwork");
    expect((made as Copy).remarks).toEqual([expect.stringContaining("hostNetwork")]);
  });
  test("a claim that is written to", () => {
    const made = reviews({}, {}, { containers: mount(), volumes: [claim()] });
    expect(podOf(made)?.volumes).toEqual([{ name: "data", emptyDir: {} }]);
    expect((made as Copy).remarks).toEqual([expect.stringContaining("persistentVolumeClaim data-1")]);
  });
  test.each([
    ["by its mounts", mount(true), claim()],
    ["by itself", mount(), claim({ readOnly: true })],
  ])("but not a claim that is only read, %s", (_, containers, volume) => {
    const made = reviews({}, {}, { containers, volumes: [volume] });
    expect([podOf(made)?.volumes, (made as Copy).remarks]).toEqual([[volume], []]);
  });
  test("nodePort, and no outside at all", () => {
    const ports = [{ port: 80, nodePort: 30080 }];
    const made = reviews({}, {}, {}, [
      service("reviews", { app: "reviews" }, { type: "LoadBalancer", ports, clusterIP: "10.0.0.7" }),
    ]) as Copy;
    expect(made.services[0]?.spec).toEqual({
      type: "ClusterIP",
      ports: [{ port: 80 }],
      selector: made.workload.spec?.selector.matchLabels,
    });
    expect(made.remarks).toEqual(["nodePort 30080 of Service reviews: its copy is reached inside the cluster alone"]);
  });
  test("a workload without a Service", () => {
    const made = reviews({}, {}, {}, [
      service("other", { app: "other" }),
      service("outside", {}),
      service("far", { app: "reviews" }, { type: "ExternalName" }),
    ]) as Copy;
    expect([made.services, made.remarks]).toEqual([
      [],
      [expect.stringContaining("no Service selects the pods of Deployment/reviews")],
    ]);
  });
});

test("rules that keep the baseline's pods apart do not keep the copy from finding a place; others hold", () => {
  const term = (app: string) => ({ topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app } } });
  const spread = (app: string) => ({ ...term(app), maxSkew: 1, whenUnsatisfiable: "DoNotSchedule" });
  const made = reviews(
    {},
    {},
    {
      affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term("reviews"), term("db")] } },
      topologySpreadConstraints: [spread("reviews")],
    },
  ) as Copy;
  const { affinity, topologySpreadConstraints } = made.workload.spec?.template.spec ?? {};
  expect(affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution).toEqual([term("db")]);
  expect(topologySpreadConstraints).toBeUndefined();
});

describe("refused as a whole", () => {
  const template = (labels: Record<string, string>) => ({
    metadata: { labels },
    spec: { containers: [{ name: "app" }] },
  });
  test.each([
    [
      "a copy of a copy",
      { template: template({ app: "reviews", "keyway.dev/sandbox": "pr-1" }) },
      "is itself a copy, of Sandbox pr-1",
    ],
    ["a Rollout's reference that nobody followed", { template: undefined }, "has no pod template of its own"],
    [
      "a selector that everything fits which lacks a label",
      { selector: { matchExpressions: [{ key: "tier", operator: "NotIn", values: ["db"] }] } },
      "Deployment/reviews would take the copy's pods for its own, as it selects by tier alone",
    ],
  ])("%s", (_, more, message) => {
    expect(reviews(more)).toEqual([{ path: ["workload"], message: expect.stringContaining(message) }]);
  });
  test("a Service that selects by what a copy can't be without", () => {
    const labels = { app: "reviews", version: "v1", "sidecar.istio.io/inject": "true" };
    const meshed = service("meshed", { "sidecar.istio.io/inject": "true" });
    expect(reviews({ template: template(labels) }, {}, {}, [meshed])).toEqual([
      { path: ["workload"], message: expect.stringContaining("Service meshed would take the copy's pods") },
    ]);
  });
});

test("a Rollout's Services select by labels that its controller gives", () => {
  const services = [
    service("stable", { app: "ratings", "rollouts-pod-template-hash": "abc" }),
    service("canary", { app: "ratings", role: "canary" }),
    service("wrong", { app: "ratings", role: "other" }),
  ];
  const rollout = workload("Rollout", "ratings", {
    strategy: { canary: { canaryMetadata: { labels: { role: "canary" } } } },
  });
  const made = copied({ workload: rollout, fork: { workload: "Rollout/ratings" }, sandbox, services });
  expect(made.services.map(({ metadata }) => metadata?.name)).toEqual(["stable-pr-42", "canary-pr-42"]);
});

test("a Service of one pod of a StatefulSet is a baseline, too", () => {
  const only = (pod: string) => service(pod, { "statefulset.kubernetes.io/pod-name": pod });
  const made = copied({
    workload: workload("StatefulSet", "db"),
    fork: { workload: "StatefulSet/db" },
    sandbox,
    services: [only("db-0"), only("db-x-0"), only("other-0")],
  });
  expect(made.services.map(({ metadata }) => metadata?.name)).toEqual(["db-0-pr-42"]);
});

test.each([
  ["pr-42", /^reviews-pr-42$/],
  ["pr.42", /^reviews-pr-42-[0-9a-v]{10}$/],
  ["x".repeat(60), /^reviews-x+-[0-9a-v]{10}$/],
])("names of a copy in Sandbox %s", (name, expected) => {
  const made = copied({
    workload: workload("Deployment", "reviews"),
    fork: { workload: "Deployment/reviews" },
    sandbox: { ...sandbox, name },
    services: [service("reviews", { app: "reviews" })],
  });
  for (const { metadata } of [made.workload, ...made.services]) {
    expect(metadata?.name).toMatch(expected);
    expect(metadata?.name?.length).toBeLessThanOrEqual(63);
  }
});
