// The Services of a cluster, and which of them are ready.
import { expect, test } from "vitest";
import { LAYOUT } from "../../routes/model/feed.ts";
import { WatchedServices } from "../../server/store/kubernetes/services.ts";
import { sent, startServer as serveRoutes } from "../api/serve.ts";
import { connect, fileWith } from "../cluster/connect.ts";
import type { ApiServer } from "../double/api-server.ts";
import { noSuchPath } from "../double/faults.ts";
import { kubeconfig } from "../double/kubeconfig.ts";
import { namespace, resource, service, slice, startServer } from "./kubernetes-bed.ts";

async function watchServices(api: ApiServer, more: object = {}) {
  const told: string[] = [];
  const failed = (what: string) => told.push(`no ${what}`);
  const services = new WatchedServices(await connect(api), { failed, settleMs: 0, ...more });
  await services.start();
  services.onChange = (changes) =>
    told.push(...changes.map(({ name, isOfPorts }) => `${isOfPorts ? "ports" : "readiness"} of ${name}`));
  return { services, told };
}

test("services are known by their ports, and only a change of these is told", async () => {
  const api = await startServer();
  api.put(service("reviews"));
  const { services, told } = await watchServices(api);
  expect(services.find("reviews", namespace)?.ports).toEqual([{ port: 9080, name: "http", targetPort: 8080 }]);
  api.put({ ...service("reviews"), metadata: { ...service("reviews").metadata, labels: { a: "b" } } });
  api.put(service("ratings", { ports: [{ port: 9081 }] }));
  await expect.poll(() => services.find("ratings", namespace)?.ports[0]?.port).toBe(9081);
  api.delete(service("reviews"));
  await expect.poll(() => services.find("reviews", namespace)).toBeUndefined();
  expect(told).toEqual(["ports of ratings", "ports of reviews"]);
});

test("a service is ready as long as an endpoint of it is, port by port, and only a flip is told", async () => {
  const api = await startServer();
  const ports = [
    { port: 80, name: "http" },
    { port: 90, name: "admin" },
  ];
  api.put(service("a", { ports }), service("b"), slice("a", [true, false]));
  const { services, told } = await watchServices(api);
  const ready = (name: string, port?: number | string) => services.isReady(name, namespace, port);
  expect([
    ready("a"),
    ready("a", 80),
    ready("a", "http"),
    ready("a", 90),
    ready("a", 70),
    ready("b"),
    ready("c"),
  ]).toEqual([true, true, true, false, false, false, false]);
  api.put(slice("a", [true, true]));
  await expect.poll(() => services.endpoints("a", namespace)).toBe(2);
  expect(told).toEqual([]);
  api.put(slice("a", [false, false]), slice("b", [undefined]));
  await expect.poll(() => [ready("a"), ready("b")]).toEqual([false, true]);
  expect(told).toEqual(["readiness of a", "readiness of b"]);
  api.put(slice("b", [true], { metadata: { ...slice("b", []).metadata, name: "b-6" }, addressType: "IPv6" }));
  api.delete(slice("b", []));
  await expect.poll(() => api.find(slice("b", []))).toBeUndefined();
  await expect.poll(() => services.endpoints("b", namespace)).toBe(1);
  api.delete({ ...slice("b", []), metadata: { name: "b-6", namespace } });
  await expect.poll(() => ready("b")).toBe(false);
});

test("a port is ready some time after it has got an endpoint, when proxies know it, and not ready at once", async () => {
  const api = await startServer();
  const ports = [
    { port: 80, name: "http" },
    { port: 90, name: "admin" },
  ];
  api.put(service("a", { ports }), slice("a", [true]));
  const settleMs = 300;
  const { services, told } = await watchServices(api, { settleMs });
  const ready = () => [80, 90].map((port) => services.isReady("a", namespace, port));
  const put = async (endpoints: boolean[], names = ["http"]) => {
    const at = performance.now();
    api.put(slice("a", endpoints, { ports: names.map((name) => ({ name, port: 8080 })) }));
    await expect.poll(() => services.endpoints("a", namespace), { interval: 5 }).toBe(endpoints.length);
    return at;
  };
  const settled = async (since: number, ports: boolean[]) => {
    await expect.poll(ready, { interval: 5 }).toEqual(ports);
    expect(performance.now() - since).toBeGreaterThanOrEqual(settleMs - 5);
  };
  await settled(await put([true, true], ["http", "admin"]), [true, true]);
  await put([]);
  expect(ready()).toEqual([false, false]);
  await put([true]);
  await put([]);
  const since = await put([true]);
  expect(ready()).toEqual([false, false]);
  await settled(since, [true, false]);
  expect(told).toEqual(["readiness of a", "readiness of a", "readiness of a"]);
});

test("what has its endpoints elsewhere is not judged, nor is anything before the endpoints are known", async () => {
  const api = await startServer();
  api.put(slice("other", [true]));
  api.put(service("external", { type: "ExternalName", externalName: "x.example.com" }));
  api.put(service("headless", { selector: {}, clusterIP: "None" }), service("bare", { selector: {} }), service("a"));
  const missing = /endpointslices/;
  api.faults.add(missing, noSuchPath, 3);
  const { services, told } = await watchServices(api);
  const all = () => ["external", "headless", "bare", "a"].map((name) => services.isReady(name, namespace));
  expect(all()).toEqual([undefined, undefined, undefined, undefined]);
  await expect.poll(all).toEqual([undefined, undefined, undefined, false]);
  expect(told).toEqual(["no EndpointSlices", "readiness of *"]);
  api.put(slice("bare", [false]));
  await expect.poll(all).toEqual([undefined, undefined, false, false]);
  const off = await watchServices(api, { withReadiness: false });
  expect(off.services.isReady("a", namespace)).toBeUndefined();
});

test("a server with its routes in Kubernetes serves them, lets in by Kubernetes' rights, and knows ports by the Services", async () => {
  const api = await startServer();
  api.put({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "reviews", namespace },
    spec: { ports: [{ port: 9080 }] },
  });
  api.tokens.set("secret", "ci");
  for (const right of ["get routes", "create routes"]) api.grants.add(`ci: ${right}`);
  const env = { KUBECONFIG: await fileWith(kubeconfig(api)) };
  const { ask } = await serveRoutes({ store: "kubernetes", anonymous: "proxy" }, undefined, env);
  const put = (headers: Record<string, string>) =>
    ask("/v1/routes/pr-42", sent("PUT", { service: "reviews", key: "pr-42", to: "reviews-pr-42" }, headers));
  expect((await put({})).status).toBe(401);
  expect((await put({ authorization: "Bearer forged" })).status).toBe(401);
  expect((await put({ authorization: "Bearer secret" })).status).toBe(201);
  expect(api.find(resource("pr-42", {}))?.spec).toEqual({ service: "reviews", key: "pr-42", to: "reviews-pr-42" });
  expect((await ask("/readyz")).status).toBe(200);
  const table = await ask(`/v1/table?scope=outbound:demo&layout=${LAYOUT}&revision=0&next=0`);
  expect(table.status).toBe(200);
  const hasTarget = async () => {
    const { body } = await ask(`/v1/table?scope=outbound:demo&layout=${LAYOUT}&revision=0&next=0`);
    return String(body).includes("reviews-pr-42");
  };
  expect(await hasTarget()).toBe(true);
  api.put(slice("reviews", [true]));
  await expect.poll(hasTarget).toBe(false);
  api.put(service("reviews-pr-42"), slice("reviews-pr-42", [true]));
  await expect.poll(hasTarget).toBe(true);
  const explain = {
    method: "GET",
    path: "/",
    headers: [["x-routing-key", "pr-42"]],
    from: "outbound|9080||reviews.demo.svc.cluster.local",
  };
  const outcome = async () =>
    (await ask("/v1/explain", sent("POST", explain, { authorization: "Bearer secret" }))).body as { outcome: string };
  expect(await outcome()).toMatchObject({ outcome: "routed" });
  api.delete(service("reviews-pr-42"));
  await expect.poll(hasTarget).toBe(false);
  expect(await outcome()).not.toMatchObject({ outcome: "routed" });
});
