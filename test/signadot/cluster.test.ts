// Rules out of Route resources, Services and workloads, as they come and go.
import { expect, test } from "vitest";
import { ask, startServer, temporaryFolder } from "../api/serve.ts";
import { fileWith, server } from "../cluster/connect.ts";
import type { ApiServer } from "../double/api-server.ts";
import { noRights, noSuchPath, unavailable } from "../double/faults.ts";
import { kubeconfig } from "../double/kubeconfig.ts";
import { addressesOf } from "./address.ts";
import { RoutesClient } from "./client.ts";

const PATH = "/api/v1/workloads/routing-rules";
const namespace = "demo";
const service = (name: string, targetPort: number | string = "web", labels: Record<string, string> = {}) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace, labels },
  spec: { selector: { app: name }, ports: [{ port: 80, name: "http", targetPort }] },
});
const deployment = (name: string, containerPort = 9080) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "app", ports: [{ name: "web", containerPort }] }] },
    },
  },
});
const route = (key: string) => ({
  apiVersion: "keyway.dev/v1alpha1",
  kind: "Route",
  metadata: { name: key, namespace, labels: { "app.kubernetes.io/managed-by": "keyway" } },
  spec: { service: "reviews", key, to: `reviews-${key}` },
});
const rule = (key: string, { port = 9080, sandbox = key } = {}) => ({
  routingKey: key,
  baseline: { kind: "Deployment", namespace, name: "reviews" },
  destinationSandbox: { name: sandbox },
  mappings: [{ workloadPort: port, destinations: [{ host: `reviews-${key}.demo.svc`, port: 80 }] }],
});

async function clusterWith(...objects: Parameters<ApiServer["put"]>): Promise<ApiServer> {
  const api = await server();
  api.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }, ...objects);
  return api;
}

const serveOn = async (api: ApiServer) =>
  startServer({ store: "kubernetes", signadotGrpc: "127.0.0.1:0", signadotRest: "127.0.0.1:0" }, temporaryFolder(), {
    KUBECONFIG: await fileWith(kubeconfig(api)),
  });

test("a server that is to serve Signadot's clients is ready once it does", async () => {
  const api = await clusterWith(route("pr-1"), service("reviews"), service("reviews-pr-1"), deployment("reviews"));
  api.faults.add(/deployments\?/, unavailable, Number.POSITIVE_INFINITY);
  const served = await serveOn(api);
  const { status, body } = await served.ask("/readyz");
  expect([status, body.error.message]).toEqual([503, expect.stringContaining("are read for Signadot's clients")]);
  expect(addressesOf(served).grpc).toBe("");
  api.faults.clear();
  await expect.poll(async () => (await served.ask("/readyz")).status).toBe(200);
  await expect.poll(() => addressesOf(served).grpc).not.toBe("");
});

test("rules follow the routes, the Services and the workloads", async () => {
  const api = await clusterWith(route("pr-1"), service("reviews"), service("reviews-pr-1"), deployment("reviews"));
  const served = await serveOn(api);
  await expect.poll(() => addressesOf(served).grpc).not.toBe("");
  const watch = new RoutesClient(addressesOf(served).grpc).watch();
  await expect.poll(() => watch.synced).toBe(true);
  expect(watch.operations).toEqual([{ op: "ADD", route: rule("pr-1") }, { op: "SYNCED" }]);
  const told = async (...operations: object[]) => {
    await expect.poll(() => watch.operations.length).toBeGreaterThanOrEqual(operations.length);
    expect(watch.operations).toEqual(operations);
    watch.operations.length = 0;
  };
  watch.operations.length = 0;

  api.put(deployment("reviews", 9090));
  await told({ op: "REPLACE", route: rule("pr-1", { port: 9090 }) });
  api.put(service("reviews-pr-1", 80, { "keyway.dev/sandbox": "sb" }));
  await told(
    { op: "REMOVE", route: rule("pr-1", { port: 9090 }) },
    { op: "ADD", route: rule("pr-1", { port: 9090, sandbox: "sb" }) },
  );
  api.put(route("pr-2"), service("reviews-pr-2"));
  await told({ op: "ADD", route: rule("pr-2", { port: 9090 }) });
  api.delete(service("reviews-pr-1"));
  await told({ op: "REMOVE", route: rule("pr-1", { port: 9090, sandbox: "sb" }) });
  api.delete(deployment("reviews"));
  await told({ op: "REMOVE", route: rule("pr-2", { port: 9090 }) });
  api.put(deployment("reviews"));
  await told({ op: "ADD", route: rule("pr-2") });
});

test.each([
  ["the API server is away", unavailable],
  ["nobody may list them", noRights("deployments.apps is forbidden")],
])("until the workloads have been read REST says so and nobody listens for gRPC: %s", async (_, fault) => {
  const api = await clusterWith(route("pr-1"), service("reviews"), service("reviews-pr-1"), deployment("reviews"));
  api.faults.add(/GET .*\/deployments/, fault, Number.POSITIVE_INFINITY);
  const served = await serveOn(api);
  const { rest } = addressesOf(served);
  const { status, headers, body } = await ask(`${rest}${PATH}`);
  expect([status, headers.get("content-type")]).toEqual([503, "text/plain; charset=utf-8"]);
  expect(body).toMatch(/not loaded yet/);
  await expect.poll(() => served.log.join(""), { timeout: 20_000 }).toMatch(/may be out of date/);
  expect(addressesOf(served).grpc).toBe("");
  expect((await served.ask("/healthz")).status).toBe(200);
  api.faults.clear();
  await expect.poll(() => addressesOf(served).grpc).not.toBe("");
  expect(await new RoutesClient(addressesOf(served).grpc).get()).toEqual([rule("pr-1")]);
  expect((await ask(`${rest}${PATH}`)).body).toEqual({ routingRules: [rule("pr-1")] });
});

test("a cluster without Argo's Rollouts is no reason to wait, nor to complain", async () => {
  const api = await clusterWith(route("pr-1"), service("reviews"), service("reviews-pr-1"), deployment("reviews"));
  api.faults.add(/argoproj/, noSuchPath, Number.POSITIVE_INFINITY);
  const served = await serveOn(api);
  await expect.poll(() => addressesOf(served).grpc).not.toBe("");
  expect(await new RoutesClient(addressesOf(served).grpc).get()).toEqual([rule("pr-1")]);
  expect(served.log.join("")).not.toMatch(/out of date/);
});
