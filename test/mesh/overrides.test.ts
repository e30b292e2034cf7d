// Versions of pods as routes on the mesh: `x-override: reviews:v2` works as soon as a pod of v2 is ready, without any configuration of routes, and no request fails while
// versions come and go.
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Resource } from "./bed/api.ts";
import type { Deployments } from "./bed/deployments.ts";
import { destinationOf, namespaceObject, virtualServiceObject } from "./bed/objects.ts";
import type { Pod } from "./bed/pod.ts";
import { mesh } from "./bed/shared.ts";
import { until } from "./bed/until.ts";
import { keyway, publishModule, quiet } from "./keyway.ts";
import { Ledger } from "./ledger.ts";
import { followServers, installServers, SERVER_NAMESPACE, workloadObjects } from "./previews.ts";

const NAMESPACE = "versions";
const OVERRIDE = { "x-override": "reviews:v2, ratings:v1" };
const GONE_MS = 2000;
/** Somebody else's: one version has a subset, another one has none, and the rest goes where the VirtualService says. */
const THEIRS: Resource[] = [
  {
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: { name: "ratings", namespace: NAMESPACE },
    spec: { host: "ratings", subsets: [{ name: "one", labels: { version: "v1" } }] },
  },
  virtualServiceObject(NAMESPACE, {
    name: "ratings",
    host: "ratings",
    gateways: ["mesh"],
    http: [{ route: [destinationOf(NAMESPACE, "ratings")] }],
  }),
];

let versions: Deployments;
let caller: Pod;

beforeAll(async () => {
  await mesh.api.apply(...[NAMESPACE, SERVER_NAMESPACE].map(namespaceObject));
  versions = mesh.manage(NAMESPACE);
  const version = (service: string, name: string, replicas = 1) =>
    workloadObjects(NAMESPACE, `${service}-${name}`, { replicas, service, labels: { app: service, version: name } });
  await mesh.apply(
    ...workloadObjects(NAMESPACE, "caller", { service: false }),
    ...version("reviews", "v1"),
    ...version("ratings", "v1"),
    ...version("ratings", "v3"),
    ...THEIRS,
  );
  await mesh.apply(...version("reviews", "v2", 0));
  await until("the pods", () =>
    ["caller", "reviews-v1", "ratings-v1", "ratings-v3"].every((name) => versions.pods(name).length === 1),
  );
  caller = versions.pods("caller")[0] as Pod;
  await quiet([caller]);
  await installServers(mesh, "--set", `overrides=${NAMESPACE}`);
  const file = join(await mkdtemp(join(tmpdir(), "keyway-test-")), "routes.yaml");
  await writeFile(file, "keys: [overrides]\nroutes: []\n");
  const module = await publishModule();
  await followServers(mesh, { namespace: NAMESPACE, module }, "--mode", "outbound", "-l", "app=caller", "-f", file);
});

afterAll(async () => {
  await keyway("uninstall", "-n", NAMESPACE, "--include-edited", "--no-wait");
  await keyway("server", "uninstall", "-n", SERVER_NAMESPACE, "--with-resources");
});

const appOf = async (host: string, headers = {}) => (await caller.request({ host: `${host}:9080`, headers })).app;
const scale = (name: string, replicas: number) =>
  mesh.api.change({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: NAMESPACE },
    spec: { replicas },
  });

test("a version can be asked for once its pod is ready, nobody else meets it, and it goes without a failed request", async () => {
  await until("the default to be in force", async () => {
    const { headers } = await caller.request({ host: "reviews:9080" });
    return headers["x-keyway-served"] !== undefined;
  });
  const load = (headers: Record<string, string>) =>
    mesh.load([{ from: caller, host: "reviews:9080", headers }], { rate: 75, seconds: 200 });
  const loads = { plain: await load({}), v2: await load(OVERRIDE) };
  const ledger = new Ledger("reviews-v1");
  const took: number[] = [];
  for (let round = 0; round < 2; round++) {
    const isThere = ledger.leads("v2", "reviews-v2");
    await scale("reviews-v2", 1);
    await until("the pod", () => versions.pods("reviews-v2").length === 1);
    const ready = performance.now();
    await until("v2", async () => (await appOf("reviews", OVERRIDE)) === "reviews-v2", 60, 20);
    took.push(Math.round(performance.now() - ready));
    await sleep(300);
    isThere();
    await sleep(1000);
    const isGone = ledger.leads("v2");
    await scale("reviews-v2", 0);
    await until("the pod to be gone", () => versions.pods("reviews-v2").length === 0);
    await sleep(GONE_MS);
    isGone();
  }
  expect(Math.max(...took)).toBeLessThan(5000);
  for (const [key, one] of Object.entries(loads)) {
    const { sent, failed, failures } = await one.stop();
    expect({ failed, failures }, key).toEqual({ failed: 0, failures: [] });
    expect(ledger.strays(sent.map((request) => ({ ...request, key })))).toEqual({});
  }
});

test("what others have made for a service stays as it is, is used, and is told", async () => {
  expect(await appOf("ratings", OVERRIDE)).toBe("ratings-v1");
  for (const object of THEIRS) {
    const { kind, metadata } = object;
    const path = `/apis/networking.istio.io/v1/namespaces/${NAMESPACE}/${kind?.toLowerCase()}s/${metadata?.name}`;
    expect(await mesh.api.get(path)).toMatchObject({ metadata: { generation: 1 }, spec: object.spec });
  }
  const { items } = (await mesh.api.get(`/apis/events.k8s.io/v1/namespaces/${NAMESPACE}/events`)) as {
    items: { note: string }[];
  };
  const notes = items.map(({ note }) => note);
  expect(notes).toContainEqual(expect.stringMatching(/DestinationRule ratings is somebody else's.*version: v3/));
  expect(notes).toContainEqual(expect.stringContaining("VirtualService ratings"));
});
