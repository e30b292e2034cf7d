import { expect, test } from "vitest";
import { LAYOUT } from "../../routes/model/feed.ts";
import { WatchedServices } from "../../server/store/kubernetes/services.ts";
import { KubernetesStore } from "../../server/store/kubernetes/store.ts";
import { type Store, Unavailable, Undecided, Unfit } from "../../server/store/store.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import { sent, startServer as serveRoutes } from "../api/serve.ts";
import { connect, fileWith, server } from "../cluster/connect.ts";
import type { ApiServer } from "../double/api-server.ts";
import { admissionRefusal, cutAnswer, cutConnection, expired, noSuchPath, unavailable } from "../double/faults.ts";
import { kubeconfig } from "../double/kubeconfig.ts";
import { follow, outageContract, route, storeContract } from "./contract.ts";
import { documentsContract } from "./documents-contract.ts";

const namespace = "demo";

async function startServer(): Promise<ApiServer> {
  const api = await server();
  api.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, uid: "a-namespace" } });
  return api;
}

async function opener(api: ApiServer, invalid: (name: string, why: string) => void = () => {}, limits: object = {}) {
  const cluster = await connect(api);
  return () => new KubernetesStore({ cluster, namespace, invalid, retryMs: 50, ...limits });
}

const resource = (name: string, spec: object) => ({
  apiVersion: "keyway.dev/v1alpha1",
  kind: "Route",
  metadata: { name, namespace },
  spec,
});

/** The store's watch stays, and says nothing any more. */
async function makeDeaf(api: ApiServer, store: Store) {
  const watches = () => api.requests.filter((one) => one.includes("routes?watch=1")).length;
  const before = watches();
  api.faults.add(/routes\?watch=1/, (_, response) => response.writeHead(200).flushHeaders());
  api.cut();
  await expect.poll(watches).toBeGreaterThan(before);
  await expect.poll(() => store.trouble()).toBeUndefined();
}

// Each resource is written, and so told, by itself.
storeContract(async () => opener(await startServer()), { tellsWhole: false });

documentsContract(async () => opener(await startServer()));

outageContract(async () => {
  const api = await startServer();
  const cut = () => {
    api.faults.add(/./, cutConnection, Number.POSITIVE_INFINITY);
    api.cut();
  };
  return { open: await opener(api), cut, mend: () => api.faults.clear() };
});

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

test("a server starts with what it has read, where its first watch fails, and goes on watching", async () => {
  const api = await startServer();
  api.put(resource("a", { service: "reviews", key: "a", to: "t" }));
  api.faults.add(/routes\?watch=1/, unavailable, 2);
  // Something else is answered later, so that the watch has failed by then.
  api.faults.add(/sandboxes\?limit/, (_request, response) => void setTimeout(() => response.destroy(), 100));
  const { contents } = await follow(await opener(api));
  expect(contents().map(({ id }) => id)).toEqual(["a"]);
  api.put(resource("b", { service: "reviews", key: "b", to: "t" }));
  await expect.poll(() => contents().map(({ id }) => id)).toEqual(["a", "b"]);
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
});

test("what the cluster will not have is refused as unfit, with its reason, and nothing of it is kept", async () => {
  const api = await startServer();
  const { commit, contents } = await follow(await opener(api));
  await expect(commit({ set: [route("No")] })).rejects.toThrow(Unfit);
  for (const code of [422, 403] as const) {
    api.faults.add(/^POST .*routes/, admissionRefusal("ValidatingAdmissionPolicy 'p' denied the request: no", code));
    await expect(commit({ set: [route("a")] })).rejects.toThrow(Unfit);
  }
  api.faults.add(/^POST .*dryRun=All/, admissionRefusal("metadata.labels: Invalid value"));
  await expect(commit({ set: [route("a"), route("b")] })).rejects.toThrow(/Invalid value/);
  api.faults.add(/^DELETE .*dryRun=All/, admissionRefusal("a denied the request: keep it", 403));
  await commit({ set: [route("old")] });
  const writes = () => api.requests.filter((one) => /^(POST|PUT|DELETE)/.test(one) && !one.includes("dryRun")).length;
  const before = writes();
  await expect(commit({ set: [route("a")], delete: ["old"] })).rejects.toThrow(/keep it/);
  expect(writes()).toBe(before);
  expect(contents().map(({ id }) => id)).toEqual(["old"]);
});

test("a write whose answer is lost is taken back", async () => {
  const api = await startServer();
  const { commit, contents } = await follow(await opener(api));
  await commit({ set: [route("a")] });
  const spec = { service: "reviews", key: "b", to: "t" };
  api.faults.add(
    /^POST .*routes\?fieldManager=\w+$/,
    cutAnswer(() => api.put(resource("b", spec))),
  );
  await expect(commit({ set: [route("a", { to: "u" }), route("b")] })).rejects.toThrow(Unavailable);
  expect(api.find(resource("b", {}))).toBeUndefined();
  await expect.poll(() => contents().map(({ id, to }) => [id, to])).toEqual([["a", "t"]]);
});

test("what can't be taken back is named", async () => {
  const api = await startServer();
  const { commit } = await follow(await opener(api, () => {}, { takeBackMs: 100 }));
  await commit({ set: [route("a"), route("b")] });
  api.faults.add(/^PUT .*routes\/b\?fieldManager=\w+$/, unavailable, 10);
  api.faults.add(/^PUT .*routes\/a\?fieldManager=\w+$/, (_, response) => {
    api.faults.clear();
    api.put(resource("a", { service: "reviews", key: "a", to: "u" }));
    api.faults.add(/^PUT .*routes\//, unavailable, 1000);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(api.find(resource("a", {}))));
  });
  await expect(commit({ set: [route("a", { to: "u" }), route("b", { to: "u" })] })).rejects.toThrow(
    /may be written all the same: .*\ba\b/,
  );
});

test("a write that is not told in time says that it is written", async () => {
  const api = await startServer();
  const { store, commit, contents } = await follow(await opener(api, () => {}, { toldMs: 100, retryMs: 5 }));
  await makeDeaf(api, store);
  await expect(commit({ set: [route("a")] })).rejects.toThrow(Undecided);
  expect(api.find(resource("a", {}))).toBeDefined();
  api.cut();
  await expect.poll(() => contents().map(({ id }) => id)).toEqual(["a"]);
});

test("where nothing changes the table's revision is the one that was told", async () => {
  const api = await startServer();
  const { commit, loaded } = await follow(await opener(api));
  api.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "another" } });
  const lists = () => api.requests.filter((one) => /^GET .*routes\?limit/.test(one)).length;
  api.faults.add(/routes\?watch=1/, expired);
  api.cut();
  await expect.poll(lists).toBe(2);
  expect((await commit({ delete: ["nobody"] })).revision).toBe(loaded.revision);
});

test.for(["by a write", "by the watch", "by a new list", "by a watch that ends in silence"])(
  "an API server restored from an older backup is noticed %s, and nothing more is written",
  async (way) => {
    const api = await startServer();
    const { store, commit, changes } = await follow(await opener(api));
    for (const to of ["t", "u", "v"]) await commit({ set: [route("a", { to })] });
    const told = changes.length;
    if (way === "by a write") await makeDeaf(api, store);
    api.store.rewind(900);
    if (way === "by the watch") api.put(resource("b", { service: "reviews", key: "b", to: "t" }));
    if (way === "by a new list") api.faults.add(/routes\?watch=1/, expired);
    if (way === "by a watch that ends in silence")
      api.faults.add(/routes\?watch=1/, (_, response) => response.writeHead(200).end());
    if (way === "by a new list" || way.endsWith("silence")) api.cut();
    if (way === "by a write") await expect(commit({ set: [route("c")] })).rejects.toThrow(/older/);
    await expect.poll(() => store.trouble()?.message).toMatch(/older/);
    await expect(commit({ set: [route("d")] })).rejects.toThrow(/older/);
    expect(api.find(resource("d", {}))).toBeUndefined();
    expect(changes.length).toBe(told);
  },
);

test("a cluster without the kind Route is told with the way to bring it", async () => {
  const api = await startServer();
  api.faults.add(/^GET \/apis\/keyway\.dev\/v1alpha1$/, noSuchPath, 10);
  const store = (await opener(api))();
  const started = store.start(() => {}, new AbortController().signal);
  await expect(started).rejects.toMatchObject({ next: expect.stringContaining("keyway render crds") });
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
  api.faults.add(/routes\?watch=1/, unavailable, 1000);
  api.cut();
  const theirs = resource("a", { service: "reviews", key: "a", to: "theirs" });
  api.put(theirs);
  setTimeout(() => api.faults.clear(), 300);
  const { set } = await commit({ set: [route("a")] });
  expect(api.find(theirs)?.spec).toEqual({ service: "reviews", key: "a", to: "t" });
  expect(set).toEqual([{ revision: Number(api.find(theirs)?.metadata.resourceVersion), created: false }]);
});

test("a status that is written is no new revision, for those who see it happen and those who come later", async () => {
  const api = await startServer();
  const open = await opener(api);
  const { commit, changes, table, store } = await follow(open);
  const { revision } = await commit({ set: [route("a")] });
  const cluster = await connect(api);
  const ref = { apiVersion: "keyway.dev/v1alpha1", kind: "Route", metadata: { name: "a", namespace } };
  const { generation } = api.find(ref)?.metadata ?? {};
  await cluster.apply({ ...ref, status: { observedGeneration: generation, revision } } as KubeObject, {
    subresource: "status",
  });
  const { changes: later, ...second } = await follow(open);
  expect([second.table.get("a")?.revision, later]).toEqual([revision, []]);
  // Only what is told after the status says that nothing was told of it.
  await commit({ set: [route("b")] });
  expect(changes.flatMap(({ set }) => set.map(({ id }) => id))).toEqual(["a", "b"]);
  expect(table.get("a")?.revision).toBe(revision);
  const again = await commit({ set: [route("a")] });
  expect(again.set).toEqual([{ revision, created: false }]);
  const labelled = await commit({ set: [route("a", { labels: { team: "b" } })] });
  expect(labelled.set[0]?.revision).toBeGreaterThan(revision);
  expect(store.trouble()).toBeUndefined();
});

const service = (name: string, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec: { selector: { app: name }, ports: [{ port: 9080, name: "http", targetPort: 8080 }], ...spec },
});

/** The endpoints of a service, ready or not. */
const slice = (of: string, ready: (boolean | undefined)[], more: object = {}) => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: `${of}-1`, namespace, labels: { "kubernetes.io/service-name": of } },
  addressType: "IPv4",
  ports: [{ name: "http", port: 8080 }],
  endpoints: ready.map((one) => ({ addresses: ["10.0.0.1"], conditions: one === undefined ? {} : { ready: one } })),
  ...more,
});

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
    await expect.poll(ready, { interval: 5, timeout: 5000 }).toEqual(ports);
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
  await expect.poll(hasTarget, { timeout: 5000 }).toBe(true);
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

const sandbox = (name: string, spec: object, inNamespace = "shop", more: object = {}) => ({
  apiVersion: "keyway.dev/v1alpha1",
  kind: "Sandbox",
  metadata: { name, namespace: inNamespace, uid: `uid-of-${name}`, ...more },
  spec,
});

const elsewhere = (name: string, spec: object, inNamespace = "shop") => ({
  ...resource(name, spec),
  metadata: { name, namespace: inNamespace },
});

test("Routes of other namespaces are routes, with their namespace in the id and in their services", async () => {
  const api = await startServer();
  api.put(elsewhere("x", { service: "reviews:9080", key: "x", to: "reviews-x" }));
  api.put(resource("x", { service: "reviews", key: "y", to: "t" }));
  const { commit, contents } = await follow(await opener(api));
  const named = () => contents().map(({ id, service, to }) => [id, service, to]);
  expect(named()).toEqual([
    ["shop/x", "reviews.shop:9080", "reviews-x.shop"],
    ["x", "reviews", "t"],
  ]);
  const { set } = await commit({ set: [route("shop/y", { key: "z", to: "u" })] });
  expect(api.find(elsewhere("y", {}))?.spec).toEqual({ service: "reviews.shop", key: "z", to: "u.shop" });
  expect((await commit({ set: [route("shop/y", { key: "z", to: "u" })] })).set).toEqual([
    { ...set[0], created: false },
  ]);
  await commit({ delete: ["shop/x", "shop/y"] });
  expect(named()).toEqual([["x", "reviews", "t"]]);
  await expect(commit({ set: [route("demo/x")] })).rejects.toThrow(/write x alone/);
  api.faults.add(/^POST .*namespaces\/nowhere/, (_, response) => {
    const status = { kind: "Status", message: 'namespaces "nowhere" not found', reason: "NotFound" };
    response.writeHead(404).end(JSON.stringify(status));
  });
  await expect(commit({ set: [route("nowhere/x")] })).rejects.toThrow(/create the namespace/);
});

test("Sandboxes and their forks are routes as long as they are there, and no write may name them", async () => {
  const api = await startServer();
  api.put(
    sandbox("pr-42", {
      routes: [{ service: "reviews", to: "reviews-pr-42" }],
      forks: [{ workload: "Deployment/details" }],
    }),
  );
  const { store, commit, contents, changes } = await follow(await opener(api));
  const named = () => contents().map(({ id, service, key, to, owner }) => [id, service, key, to, owner]);
  const own = ["sandboxes/shop/pr-42/0000", "reviews.shop", "pr-42", "reviews-pr-42.shop", "Sandbox shop/pr-42"];
  expect(named()).toEqual([own]);
  api.put({
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: "details-pr-42",
      namespace: "shop",
      labels: { "keyway.dev/sandbox": "pr-42" },
      annotations: { "keyway.dev/baseline": "details" },
      ownerReferences: [{ apiVersion: "keyway.dev/v1alpha1", kind: "Sandbox", name: "pr-42", uid: "uid-of-pr-42" }],
    } as object as { name: string },
  });
  const fork = ["sandboxes/shop/pr-42/0001", "details.shop", "pr-42", "details-pr-42.shop", "Sandbox shop/pr-42"];
  await expect.poll(named).toEqual([own, fork]);
  const id = "sandboxes/shop/pr-42/0000";
  for (const write of [
    { set: [route(id)] },
    { delete: [id] },
    { set: [route("a")], require: [{ id, present: true as const }] },
  ]) {
    await expect(commit(write)).rejects.toThrow(/Sandbox shop\/pr-42.*kubectl edit sandbox pr-42 -n shop/);
  }
  expect([store.isManaged?.(id), store.isManaged?.("sandboxes/x"), store.isManaged?.("a")]).toEqual([
    true,
    false,
    false,
  ]);
  // A Route for the same requests wins as long as it is there.
  await commit({ set: [route("shop/mine", { key: "pr-42", to: "mine" })] });
  await expect.poll(() => named().map(([name]) => name)).toEqual([fork[0], "shop/mine"]);
  expect(changes.at(-1)).toMatchObject({ set: [{ id: "shop/mine" }], delete: [id] });
  await commit({ delete: ["shop/mine"] });
  await expect.poll(named).toEqual([own, fork]);
  api.delete(sandbox("pr-42", {}));
  await expect.poll(named).toEqual([]);
});

test("in a cluster that does not know Sandboxes the Routes are in force, and it is told once what to do", async () => {
  const api = await startServer();
  const told: string[] = [];
  const without = { withoutSandboxes: (why: string) => told.push(why) };
  api.faults.add(/sandboxes/, noSuchPath, 3);
  const { commit, contents, store } = await follow(await opener(api, () => {}, without));
  await commit({ set: [route("a")] });
  api.put(sandbox("pr-42", { routes: [{ service: "reviews", to: "t" }] }));
  expect(told).toEqual([expect.stringContaining("keyway render crds")]);
  expect(store.trouble()).toBeUndefined();
  // Once the kind is there the Sandboxes are found without a new start.
  await expect.poll(() => contents().map(({ id }) => id)).toEqual(["a", "sandboxes/shop/pr-42/0000"]);
});

test("what one transaction writes is told as one change, whatever else happens meanwhile", async () => {
  const api = await startServer();
  const [mine, other] = [await opener(api), await opener(api)];
  const [a, b] = [await follow(mine), await follow(other)];
  const many = Array.from({ length: 40 }, (_, at) => route(`r-${at}`));
  const putting = setInterval(() => api.put(resource("theirs", { service: "x", key: "x", to: `t-${Date.now()}` })), 5);
  await a.commit({ set: many });
  clearInterval(putting);
  const whole = (changes: typeof a.changes) => changes.filter(({ set }) => set.some(({ id }) => id !== "theirs"));
  expect(whole(a.changes).map(({ set }) => set.length)).toEqual([40]);
  expect(a.changes.length).toBeGreaterThan(1);
  await expect
    .poll(() => b.contents().filter(({ id }) => id !== "theirs"))
    .toEqual(a.contents().filter(({ id }) => id !== "theirs"));
  await a.commit({ set: [route("r-1", { to: "u" })], delete: ["r-2", "r-3"] });
  expect(a.changes.at(-1)).toMatchObject({ set: [{ id: "r-1" }], delete: expect.arrayContaining(["r-2", "r-3"]) });
});

test("a transaction of many routes writes several at one time", async () => {
  const api = await startServer();
  const { commit } = await follow(await opener(api));
  let [now, most] = [0, 0];
  api.faults.add(
    /^POST .*dryRun/,
    (_, response) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now--;
        response.writeHead(201).end("{}");
      }, 20);
    },
    Number.POSITIVE_INFINITY,
  );
  await commit({ set: Array.from({ length: 60 }, (_, at) => route(`r-${at}`)) });
  expect(most).toBe(16);
});
