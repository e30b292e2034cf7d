import { expect, test } from "vitest";
import { WatchedServices } from "../../server/store/kubernetes/services.ts";
import { KubernetesStore } from "../../server/store/kubernetes/store.ts";
import { Conflict, Unavailable } from "../../server/store/store.ts";
import { connect, server } from "../cluster/connect.ts";
import type { ApiServer } from "../double/api-server.ts";
import { unavailable } from "../double/faults.ts";
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
