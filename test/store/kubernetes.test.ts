import { expect, test } from "vitest";
import { WatchedServices } from "../../server/store/kubernetes/services.ts";
import { KubernetesStore } from "../../server/store/kubernetes/store.ts";
import { Conflict, Unavailable } from "../../server/store/store.ts";
import { sent, startServer as serveRoutes } from "../api/serve.ts";
import { connect, fileWith, server } from "../cluster/connect.ts";
import type { ApiServer } from "../double/api-server.ts";
import { unavailable } from "../double/faults.ts";
import { kubeconfig } from "../double/kubeconfig.ts";
import { follow, route, storeContract } from "./contract.ts";

const namespace = "demo";

async function startServer(): Promise<ApiServer> {
  const api = await server();
  api.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, uid: "a-namespace" } });
  return api;
}

async function opener(api: ApiServer, invalid: (name: string, why: string) => void = () => {}) {
  const cluster = await connect(api);
  return () => new KubernetesStore({ cluster, namespace, invalid, retryMs: 50 });
}

const resource = (name: string, spec: object) => ({
  apiVersion: "keyway.dev/v1alpha1",
  kind: "Route",
  metadata: { name, namespace },
  spec,
});

// Each resource is written, and so told, by itself.
storeContract(async () => opener(await startServer()), { tellsWhole: false });

test("a Route that somebody applies is a route, and one that is none is told and does no harm", async () => {
  const api = await startServer();
  const told: string[] = [];
  api.put(resource("alice", { service: "reviews", key: "alice", to: "reviews-alice" }));
  api.put(resource("wrong", { service: "reviews", key: "no key", to: "reviews-alice" }));
  const { contents, changes } = await follow(await opener(api, (name, why) => told.push(`${name}: ${why}`)));
  expect(contents().map(({ id, key }) => [id, key])).toEqual([["alice", "alice"]]);
  expect(told).toEqual([expect.stringMatching(/^wrong: spec\.key: /)]);
  api.put(resource("bob", { service: "reviews", key: "bob", to: "reviews-bob" }));
  api.put(resource("alice", { service: "reviews" }));
  api.put(resource("wrong", { service: { cluster: "a" }, key: "right", to: { cluster: "b" } }));
  await expect
    .poll(() => contents().map(({ id, from }) => [id, from]))
    .toEqual([
      ["bob", undefined],
      ["wrong", "a"],
    ]);
  expect(changes.at(-2)?.delete).toEqual(["alice"]);
});

test("what others keep in a resource's metadata stays", async () => {
  const api = await startServer();
  const before = resource("a", { service: "reviews", key: "a", to: "t", expires: "2100-01-01T00:00:00Z" });
  const metadata = { ...before.metadata, annotations: { theirs: "1" }, labels: { team: "x" } };
  api.put({ ...before, metadata });
  const { commit, contents } = await follow(await opener(api));
  expect(contents()[0]?.labels).toEqual({ team: "x" });
  await commit({ set: [route("a", { to: "u", owner: "ci" })] });
  const after = api.find(before);
  expect(after?.spec).toEqual({ service: "reviews", key: "a", to: "u" });
  expect(after?.metadata.annotations).toEqual({ theirs: "1", "keyway.dev/owner": "ci" });
});

test("of several resources all are written or none", async () => {
  const api = await startServer();
  const { commit, contents } = await follow(await opener(api));
  await commit({ set: [route("a"), route("b")] });
  api.faults.add(/^PUT .*routes\/b\?fieldManager=\w+$/, unavailable, 10);
  await expect(commit({ set: [route("a", { to: "u" }), route("b", { to: "u" })], delete: [] })).rejects.toThrow(
    Unavailable,
  );
  api.faults.clear();
  await expect
    .poll(() => contents().map(({ id, to }) => [id, to]))
    .toEqual([
      ["a", "t"],
      ["b", "t"],
    ]);
  await expect(commit({ set: [route("no/name")] })).rejects.toThrow(Conflict);
});

test("the table serves on while the API server is away, and what happened then is read anew", async () => {
  const api = await startServer();
  const { store, commit, contents } = await follow(await opener(api));
  await commit({ set: [route("a"), route("b")] });
  api.faults.add(/routes/, unavailable, 1000);
  api.cut();
  await expect.poll(() => store.trouble()).toBeInstanceOf(Unavailable);
  expect(contents().map(({ id }) => id)).toEqual(["a", "b"]);
  api.delete(resource("a", {}));
  // More events than a watch can be resumed over: 410.
  for (let at = 0; at < 150; at++) api.put(resource("c", { service: "reviews", key: "c", to: `t-${at}` }));
  api.faults.clear();
  await expect
    .poll(() => contents().map(({ id, to }) => [id, to]), { timeout: 5000 })
    .toEqual([
      ["b", "t"],
      ["c", "t-149"],
    ]);
  await expect.poll(() => store.trouble()).toBeUndefined();
});

test("what is written again is not taken for what is there by a server that is behind", async () => {
  const api = await startServer();
  const { commit } = await follow(await opener(api));
  await commit({ set: [route("a")] });
  api.faults.add(/watch=1/, unavailable, 1000);
  api.cut();
  const theirs = resource("a", { service: "reviews", key: "a", to: "theirs" });
  api.put(theirs);
  setTimeout(() => api.faults.clear(), 300);
  const { set } = await commit({ set: [route("a")] });
  expect(api.find(theirs)?.spec).toEqual({ service: "reviews", key: "a", to: "t" });
  expect(set).toEqual([{ revision: Number(api.find(theirs)?.metadata.resourceVersion), created: false }]);
});

test("services are known by their ports, as they come and go", async () => {
  const api = await startServer();
  const service = (name: string, port: number) => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: { ports: [{ port, name: "http", targetPort: 8080 }] },
  });
  api.put(service("reviews", 9080));
  const failures: string[] = [];
  const services = new WatchedServices(await connect(api), (why) => failures.push(why));
  let changes = 0;
  await services.start();
  services.onChange = () => changes++;
  expect(services.find("reviews", namespace)?.ports).toEqual([{ port: 9080, name: "http", targetPort: 8080 }]);
  api.put(service("ratings", 9081));
  await expect.poll(() => services.find("ratings", namespace)?.ports[0]?.port).toBe(9081);
  api.delete(service("reviews", 9080));
  await expect.poll(() => services.find("reviews", namespace)).toBeUndefined();
  await expect.poll(() => changes).toBeGreaterThan(0);
  expect(failures).toEqual([]);
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
  const table = await ask("/v1/table?scope=outbound:demo&layout=2&revision=0&next=0");
  expect(table.status).toBe(200);
  expect(String(table.body)).toContain("outbound|9080||reviews-pr-42.demo.svc.cluster.local");
});
