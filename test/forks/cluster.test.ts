// Copies in a cluster: made, kept as they should be, and taken away.
import { describe, expect, test } from "vitest";
import { TEMPLATE_ANNOTATION } from "../../controller/forks/names.ts";
import { admissionRefusal, broken, namespaceTerminating, noRights, noSuchPath } from "../double/faults.ts";
import { REVIEWS, sandboxOf, startForks } from "./bed.ts";
import { service, workload } from "./objects.ts";

const RUNNING = { replicas: 1, updatedReplicas: 1, availableReplicas: 1 };

describe("made", () => {
  test("a Deployment and a Service that are the Sandbox's own", async () => {
    const { forks, deployment, service, podOf } = await startForks();
    expect(await forks.reconcile(sandboxOf([REVIEWS]))).toEqual([
      {
        workload: "Deployment/reviews",
        fork: "reviews-pr-42",
        service: "reviews-pr-42",
        ready: false,
        reason: "Starting",
        message: "0 of 1 pods are ready with what the Sandbox asks for",
      },
    ]);
    expect(podOf("reviews-pr-42")?.containers[0]?.image).toBe("registry.example/reviews:pr-42");
    for (const object of [deployment("reviews-pr-42"), service("reviews-pr-42")]) {
      expect(object?.metadata?.ownerReferences).toMatchObject([
        { kind: "Sandbox", name: "pr-42", uid: "uid-of-pr-42" },
      ]);
    }
    expect(deployment("reviews-pr-42")?.metadata).toHaveProperty(
      "managedFields.0",
      expect.objectContaining({ manager: "tester", operation: "Apply" }),
    );
  });

  test("a second time nothing is written", async () => {
    const { api, forks } = await startForks();
    await forks.reconcile(sandboxOf([REVIEWS]));
    const { version } = api.store;
    await forks.reconcile(sandboxOf([REVIEWS]));
    expect(api.store.version).toBe(version);
  });

  test("ready once its pods run what is asked for and its Service has them", async () => {
    let hasEndpoints: boolean | undefined = false;
    const { forks, roll } = await startForks({ isReady: () => hasEndpoints });
    const state = async () => {
      const [{ ready, reason } = { ready: undefined, reason: undefined }] = await forks.reconcile(sandboxOf([REVIEWS]));
      return ready || reason;
    };
    expect(await state()).toBe("Starting");
    roll("reviews-pr-42", RUNNING);
    expect(await state()).toBe("Starting");
    hasEndpoints = true;
    expect(await state()).toBe(true);
    roll("reviews-pr-42", { ...RUNNING, replicas: 2 });
    expect(await state()).toBe("Starting");
    // Where nobody looks at endpoints the Deployment is believed.
    hasEndpoints = undefined;
    roll("reviews-pr-42", RUNNING);
    expect(await state()).toBe(true);
  });

  test("what its pods wait for is told", async () => {
    const { forks, put, roll } = await startForks();
    await forks.reconcile(sandboxOf([REVIEWS]));
    const labels = { "keyway.dev/sandbox": "pr-42", "keyway.dev/fork": "reviews-pr-42" };
    const waiting = { reason: "ImagePullBackOff", message: "no such image" };
    put({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "reviews-pr-42-x", namespace: "demo", labels },
      status: { containerStatuses: [{ name: "app", state: { waiting } }] },
    });
    expect(await forks.reconcile(sandboxOf([REVIEWS]))).toMatchObject([
      { ready: false, reason: "ImagePullBackOff", message: "container app of pod reviews-pr-42-x: no such image" },
    ]);
    const message = `pods "reviews-pr-42-x" is forbidden: exceeded quota: small`;
    roll("reviews-pr-42", { conditions: [{ type: "ReplicaFailure", status: "True", message }] });
    expect(await forks.reconcile(sandboxOf([REVIEWS]))).toMatchObject([
      { ready: false, reason: "PodsRefused", message: expect.stringContaining("raise the ResourceQuota") },
    ]);
  });

  test("what could not be taken over is told of one that is ready", async () => {
    const { forks, put, roll } = await startForks();
    put(service("reviews", { app: "reviews" }, { ports: [{ port: 80, nodePort: 30080 }] }));
    await forks.reconcile(sandboxOf([REVIEWS]));
    roll("reviews-pr-42", RUNNING);
    expect(await forks.reconcile(sandboxOf([REVIEWS]))).toMatchObject([
      { ready: true, message: expect.stringContaining("nodePort 30080") },
    ]);
  });
});

describe("kept", () => {
  const changed = (image: string) =>
    workload("Deployment", "reviews", {}, { containers: [{ name: "app", image, env: [{ name: "NEW", value: "1" }] }] });

  test("a copy stays as its workload was, and tells that it has changed", async () => {
    const { forks, put, podOf, deployment } = await startForks();
    await forks.reconcile(sandboxOf([REVIEWS]));
    expect(deployment("reviews-pr-42")?.metadata?.annotations).toHaveProperty([TEMPLATE_ANNOTATION]);
    put(changed("registry.example/reviews:2.0"));
    expect(await forks.reconcile(sandboxOf([REVIEWS]))).toMatchObject([{ baselineChanged: true }]);
    expect(podOf("reviews-pr-42")?.containers[0]).not.toHaveProperty("env");
    const other = { ...REVIEWS, containers: [{ name: "app", image: "registry.example/reviews:pr-42b" }] };
    expect(await forks.reconcile(sandboxOf([other]))).toMatchObject([{ baselineChanged: true }]);
    expect(podOf("reviews-pr-42")?.containers[0]).toMatchObject({
      image: "registry.example/reviews:pr-42b",
      ports: [{ name: "http" }],
    });
  });

  test("one that follows changes with it", async () => {
    const { forks, put, podOf, deployment } = await startForks();
    const follows = sandboxOf([{ ...REVIEWS, follow: true }]);
    await forks.reconcile(follows);
    expect(deployment("reviews-pr-42")?.metadata?.annotations).not.toHaveProperty([TEMPLATE_ANNOTATION]);
    put(changed("registry.example/reviews:2.0"));
    const [status] = await forks.reconcile(follows);
    expect(status).not.toHaveProperty("baselineChanged");
    expect(podOf("reviews-pr-42")?.containers[0]).toMatchObject({
      image: "registry.example/reviews:pr-42",
      env: [{ name: "NEW" }],
    });
  });

  test("one that begins to follow takes the workload as it is now, and one that ends stays there", async () => {
    const { forks, put, podOf } = await startForks();
    await forks.reconcile(sandboxOf([REVIEWS]));
    put(changed("registry.example/reviews:2.0"));
    await forks.reconcile(sandboxOf([{ ...REVIEWS, follow: true }]));
    expect(podOf("reviews-pr-42")?.containers[0]).toHaveProperty("env");
    const [status] = await forks.reconcile(sandboxOf([REVIEWS]));
    expect(status).not.toHaveProperty("baselineChanged");
    expect(podOf("reviews-pr-42")?.containers[0]).toHaveProperty("env");
  });

  test("what somebody writes into a copy is taken back, and one that somebody deletes is made again", async () => {
    const { api, forks, podOf, deployment } = await startForks();
    await forks.reconcile(sandboxOf([REVIEWS]));
    api.edit("kubectl", {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "reviews-pr-42", namespace: "demo" },
      spec: { replicas: 5 },
    });
    expect(deployment("reviews-pr-42")?.spec?.replicas).toBe(5);
    await forks.reconcile(sandboxOf([REVIEWS]));
    expect(deployment("reviews-pr-42")?.spec?.replicas).toBe(1);
    api.delete({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "reviews-pr-42", namespace: "demo" } });
    await forks.reconcile(sandboxOf([REVIEWS]));
    expect(podOf("reviews-pr-42")).toBeDefined();
  });

  test("a Service that comes later does not select the copy, and gets one of its own", async () => {
    const { forks, put, deployment, service: find } = await startForks();
    await forks.reconcile(sandboxOf([REVIEWS]));
    const labels = () => deployment("reviews-pr-42")?.spec?.template.metadata?.labels;
    put(
      workload("Deployment", "reviews", {
        template: {
          metadata: { labels: { app: "reviews", version: "v1", tier: "back" } },
          spec: { containers: [{ name: "app" }] },
        },
      }),
    );
    await forks.reconcile(sandboxOf([{ ...REVIEWS, follow: true }]));
    expect(labels()).toHaveProperty("tier", "back");
    put(service("tier", { tier: "back" }));
    await forks.reconcile(sandboxOf([REVIEWS]));
    expect(labels()).not.toHaveProperty("tier");
    expect(find("tier-pr-42")?.metadata?.annotations).toHaveProperty(["keyway.dev/baseline"], "tier");
  });
});

describe("taken away", () => {
  test("after a while, when the Sandbox asks for it no more", async () => {
    const { forks, deployment, service } = await startForks({ graceMs: 300 });
    await forks.reconcile(sandboxOf([REVIEWS]));
    expect(await forks.reconcile(sandboxOf([]))).toEqual([]);
    expect(service("reviews-pr-42")).toBeDefined();
    await expect.poll(() => [deployment("reviews-pr-42"), service("reviews-pr-42")]).toEqual([undefined, undefined]);
  });

  test("but not when it asks for it again meanwhile", async () => {
    const { forks, service } = await startForks({ graceMs: 100 });
    await forks.reconcile(sandboxOf([REVIEWS]));
    await forks.reconcile(sandboxOf([]));
    await forks.reconcile(sandboxOf([REVIEWS]));
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(service("reviews-pr-42")).toBeDefined();
  });

  test("a deletion that fails is told, and tried again", async () => {
    const { api, forks, failures, service } = await startForks();
    await forks.reconcile(sandboxOf([REVIEWS]));
    api.faults.add(/^DELETE .*services\/reviews-pr-42/, admissionRefusal("denied the request: not now"));
    await forks.reconcile(sandboxOf([]));
    await expect.poll(() => service("reviews-pr-42")).toBeUndefined();
    expect(failures).toEqual([expect.stringContaining("not now")]);
  });

  test("at once and as a whole with the Sandbox, and nothing of anybody else's", async () => {
    const { forks, put, deployment, service: find } = await startForks();
    await forks.reconcile(sandboxOf([REVIEWS]));
    const labels = { "keyway.dev/sandbox": "pr-42" };
    put({ ...workload("Deployment", "handmade"), metadata: { name: "handmade", namespace: "demo", labels } });
    await forks.remove(sandboxOf([REVIEWS]));
    expect([deployment("reviews-pr-42"), find("reviews-pr-42")]).toEqual([undefined, undefined]);
    expect([deployment("handmade"), deployment("reviews"), find("reviews")]).not.toContain(undefined);
    await forks.remove(sandboxOf([REVIEWS]));
  });

  test("one whose workload can't be copied any more stays", async () => {
    const { api, forks, service } = await startForks();
    await forks.reconcile(sandboxOf([REVIEWS]));
    api.delete({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "reviews", namespace: "demo" } });
    expect(await forks.reconcile(sandboxOf([REVIEWS]))).toMatchObject([{ ready: false, reason: "WorkloadNotFound" }]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(service("reviews-pr-42")).toBeDefined();
  });
});

describe("somebody else's object of that name is told and left alone", () => {
  const foreign = {
    Deployment: workload("Deployment", "reviews-pr-42"),
    Service: service("reviews-pr-42", { app: "handmade" }),
    "Service of an earlier Sandbox of that name": {
      ...service("reviews-pr-42", { app: "old" }),
      metadata: {
        name: "reviews-pr-42",
        namespace: "demo",
        labels: { "keyway.dev/sandbox": "pr-42" },
        ownerReferences: [{ apiVersion: "keyway.dev/v1alpha1", kind: "Sandbox", name: "pr-42", uid: "older" }],
      },
    },
  };
  test.each(Object.entries(foreign))("%s", async (_, object) => {
    const { api, forks, put, deployment, service } = await startForks();
    put(object);
    const ref = object as Parameters<typeof api.find>[0];
    const before = structuredClone(api.find(ref));
    expect(await forks.reconcile(sandboxOf([REVIEWS]))).toMatchObject([
      {
        ready: false,
        reason: "NameTaken",
        message: expect.stringContaining(`${object.kind} demo/reviews-pr-42 exists, and is not of Sandbox pr-42`),
      },
    ]);
    // A copy that is refused is not half there.
    expect([deployment("reviews-pr-42"), service("reviews-pr-42")].filter(Boolean)).toEqual([before]);
    await forks.remove(sandboxOf([REVIEWS]));
    expect(api.find(ref)).toEqual(before);
  });

  test("nor what somebody makes at the same moment", async () => {
    const { api, forks, deployment } = await startForks();
    api.faults.add(/^PATCH .*deployments\/reviews-pr-42/, (_, response) => {
      api.edit("kubectl", { ...workload("Deployment", "reviews-pr-42"), spec: { replicas: 3 } } as never);
      response.writeHead(503).end("{}");
    });
    expect(await forks.reconcile(sandboxOf([REVIEWS]))).toMatchObject([{ ready: false, reason: "NameTaken" }]);
    expect(deployment("reviews-pr-42")?.spec?.replicas).toBe(3);
  });

  test("two workloads behind one Service can't both have its requests", async () => {
    const { forks, put } = await startForks();
    put(
      workload("Deployment", "reviews-v2", {
        template: { metadata: { labels: { app: "reviews" } }, spec: { containers: [{ name: "app" }] } },
        selector: { matchLabels: { app: "reviews" } },
      }),
    );
    expect(await forks.reconcile(sandboxOf([REVIEWS, { workload: "Deployment/reviews-v2" }]))).toMatchObject([
      { fork: "reviews-pr-42" },
      {
        ready: false,
        reason: "NameTaken",
        message: expect.stringContaining(
          "Deployment/reviews and of Deployment/reviews-v2 would share Service demo/reviews-pr-42",
        ),
      },
    ]);
  });
});

describe("what stands in the way is a reason and what to do", () => {
  const right = `deployments.apps "reviews-pr-42" is forbidden: User "keyway" cannot patch resource "deployments" in API group "apps" in the namespace "demo"`;
  const quota = `deployments.apps "reviews-pr-42" is forbidden: exceeded quota: small, requested: count/deployments.apps=1, used: 5, limited: 5`;
  test.each([
    ["missing rights", noRights(right), "Forbidden", "no permission to patch Deployment demo/reviews-pr-42"],
    ["a quota", noRights(quota), "QuotaExceeded", "raise the ResourceQuota"],
    [
      "a webhook",
      admissionRefusal(`admission webhook "images" denied the request: unsigned`, 403),
      "Refused",
      "unsigned; do what it asks for",
    ],
    [
      "a namespace that goes away",
      namespaceTerminating("deployments", "reviews-pr-42", "demo"),
      "NamespaceTerminating",
      "wait until the namespace is gone",
    ],
  ])("%s", async (_, fault, reason, message) => {
    const { api, forks } = await startForks();
    api.faults.add(/^PATCH .*deployments\/reviews-pr-42/, fault);
    expect(await forks.reconcile(sandboxOf([REVIEWS]))).toMatchObject([
      { ready: false, reason, message: expect.stringContaining(message) },
    ]);
    expect(await forks.reconcile(sandboxOf([REVIEWS]))).toMatchObject([{ reason: "Starting" }]);
  });

  test("rights to look around are missing", async () => {
    const { api, forks } = await startForks();
    api.faults.add(
      /^GET .*demo\/services/,
      noRights(`services is forbidden: User "keyway" cannot list resource "services" in API group ""`),
    );
    expect(await forks.reconcile(sandboxOf([REVIEWS]))).toMatchObject([
      { reason: "Forbidden", message: expect.stringContaining("list Services in demo") },
    ]);
  });

  test("pods that may not be read only leave less to say", async () => {
    const { api, forks } = await startForks();
    api.faults.add(
      /^GET .*demo\/pods/,
      noRights(`pods is forbidden: User "keyway" cannot list resource "pods" in API group ""`),
    );
    expect(await forks.reconcile(sandboxOf([REVIEWS]))).toMatchObject([{ reason: "Starting" }]);
  });

  test.each([
    ["Deployment/revews", "WorkloadNotFound", "there is no Deployment/revews in namespace demo; did you mean reviews?"],
    ["StatefulSet/db", "WorkloadNotFound", "there is no StatefulSet/db in namespace demo; name one that is there"],
    [
      "DaemonSet/agent",
      "Invalid",
      "DaemonSet/agent can't be copied: name a workload as KIND/NAME, where KIND is one of Deployment, StatefulSet, Rollout",
    ],
  ])("%s", async (name, reason, message) => {
    const { forks } = await startForks();
    expect(await forks.reconcile(sandboxOf([{ workload: name }]))).toEqual([
      { workload: name, ready: false, reason, message },
    ]);
  });

  test("a container that is not there", async () => {
    const { forks } = await startForks();
    const fork = { ...REVIEWS, containers: [{ name: "apps" }] };
    expect(await forks.reconcile(sandboxOf([fork]))).toMatchObject([
      { reason: "Invalid", message: "containers[0].name: the pod template has no container apps; did you mean app?" },
    ]);
  });

  test("Argo's resources that are not there, until they are", async () => {
    const { api, forks, put } = await startForks();
    put(workload("Rollout", "ratings"));
    api.faults.add(/^GET \/apis\/argoproj\.io\/v1alpha1$/, noSuchPath, 1000);
    const rollout = sandboxOf([{ workload: "Rollout/ratings" }]);
    expect(await forks.reconcile(rollout)).toMatchObject([
      {
        ready: false,
        reason: "KindNotFound",
        message: expect.stringContaining("the cluster has no kind Rollout of argoproj.io/v1alpha1"),
      },
    ]);
    api.faults.clear();
    expect(await forks.reconcile(rollout)).toMatchObject([{ fork: "ratings-pr-42" }]);
  });

  test("an API server that can't answer is for whoever asks to try again", async () => {
    const { api, forks } = await startForks();
    api.faults.add(/^GET .*deployments\/reviews\b/, broken);
    await expect(forks.reconcile(sandboxOf([REVIEWS]))).rejects.toThrow(/the API server can't get Deployment/);
  });
});

test("a Rollout that takes its pods from a Deployment is a copy of those", async () => {
  const { forks, put, podOf } = await startForks();
  const workloadRef = { apiVersion: "apps/v1", kind: "Deployment", name: "reviews" };
  put({ ...workload("Rollout", "rolled"), spec: { workloadRef } });
  expect(await forks.reconcile(sandboxOf([{ workload: "Rollout/rolled" }]))).toMatchObject([
    { fork: "rolled-pr-42", service: "reviews-pr-42" },
  ]);
  expect(podOf("rolled-pr-42")?.containers[0]?.image).toBe("registry.example/reviews:1.0");
  put({ ...workload("Rollout", "odd"), spec: { workloadRef: { ...workloadRef, kind: "PodTemplate" } } });
  expect(await forks.reconcile(sandboxOf([{ workload: "Rollout/odd" }]))).toMatchObject([
    { reason: "Invalid", message: expect.stringContaining("a PodTemplate") },
  ]);
});
