import { expect, test } from "vitest";
import { connect, plugin, pod, server } from "./connect.ts";

test("an object that is not there, or whose kind is not, is undefined", async () => {
  const cluster = await connect(await server());
  expect(await cluster.get(plugin)).toBeUndefined();
  expect(await cluster.get({ ...plugin, apiVersion: "unknown.example.com/v1" })).toBeUndefined();
});

test("a list has the objects of all pages, with their kinds", async () => {
  const api = await server();
  for (let number = 0; number < 501; number++) api.put(pod(`pod-${String(number).padStart(3, "0")}`));
  api.put(pod("other", { app: "ratings" }));
  const cluster = await connect(api);
  const listed = await cluster.list("v1", "Pod", { namespace: "demo", labelSelector: "app=reviews" });
  expect(listed).toHaveLength(501);
  expect(listed[500]).toMatchObject({ apiVersion: "v1", kind: "Pod", metadata: { name: "pod-500" } });
  expect(await cluster.list("v1", "Pod")).toHaveLength(502);
});

test("an applied object is there under the client's field manager, and a dry run leaves none", async () => {
  const api = await server();
  const cluster = await connect(api);
  const dry = await cluster.apply({ ...plugin, spec: { priority: 1 } }, { dryRun: true });
  expect(dry).toMatchObject({ spec: { priority: 1 } });
  expect(api.find(plugin)).toBeUndefined();
  await cluster.apply({ ...plugin, spec: { priority: 1 } });
  expect(api.find(plugin)).toMatchObject({
    spec: { priority: 1 },
    metadata: { managedFields: [{ manager: "tester" }] },
  });
});

test("a field that somebody else has taken is refused, and taken back by force", async () => {
  const api = await server();
  const cluster = await connect(api);
  await cluster.apply({ ...plugin, spec: { priority: 1 } });
  api.edit("kubectl-edit", { ...plugin, spec: { priority: 5 } });
  const refused = await cluster.apply({ ...plugin, spec: { priority: 2 } }).catch((thrown: unknown) => thrown);
  expect(refused).toMatchObject({ code: 409, isFieldConflict: true, isStale: false });
  await cluster.apply({ ...plugin, spec: { priority: 2 } }, { force: true });
  expect(api.find(plugin)).toMatchObject({ spec: { priority: 2 } });
});

test("of two writers that saw the same version the second is told", async () => {
  const api = await server();
  const [first, second] = [await connect(api), await connect(api)];
  await first.apply({ ...plugin, spec: { priority: 1 } });
  const seen = await second.get(plugin);
  const resourceVersion = seen?.metadata?.resourceVersion;
  const bound = (priority: number) => ({
    ...plugin,
    metadata: { ...plugin.metadata, resourceVersion },
    spec: { priority },
  });
  await first.apply(bound(2));
  const refused = await second.apply(bound(3)).catch((thrown: unknown) => thrown);
  expect(refused).toMatchObject({ code: 409, isStale: true, isFieldConflict: false });
  expect(api.find(plugin)).toMatchObject({ spec: { priority: 2 } });
});

test("deletes the version that was looked at and no other", async () => {
  const api = await server();
  const cluster = await connect(api);
  const { metadata } = await cluster.apply({ ...plugin, spec: { priority: 1 } });
  const { resourceVersion } = metadata as { resourceVersion?: string };
  await cluster.apply({ ...plugin, spec: { priority: 2 } });
  await expect(cluster.remove(plugin, resourceVersion)).rejects.toMatchObject({ isStale: true });
  expect(await cluster.remove(plugin, undefined, true)).toBe(true);
  expect(api.find(plugin)).toBeDefined();
  expect(await cluster.remove(plugin)).toBe(true);
  expect(await cluster.remove(plugin)).toBe(false);
});

test("asks for the version, for resources, for rights and through services", async () => {
  const api = await server();
  api.may = ({ verb, subresource }) => verb === "get" && subresource === "portforward";
  api.services.set("istio-system/istiod:15014/version", "1.29.1-abc-Clean");
  const cluster = await connect(api);
  expect(await cluster.serverVersion()).toBe("v1.36.3");
  expect((await cluster.resources("extensions.istio.io", "v1alpha1")).map(({ name }) => name)).toEqual(["wasmplugins"]);
  expect(await cluster.resources("nobody.example.com", "v1")).toEqual([]);
  const right = { verb: "get", group: "", resource: "pods/portforward", namespace: "demo" };
  expect([await cluster.may(right), await cluster.may({ ...right, verb: "create" })]).toEqual([true, false]);
  expect(await cluster.readService("istio-system", "istiod", 15014, "version")).toBe("1.29.1-abc-Clean");
});

test("the resources of a group are those that it has now", async () => {
  const api = await server();
  const cluster = await connect(api);
  const some = { kind: "APIResourceList", apiVersion: "v1", resources: [] };
  api.faults.add(/^GET \/apis\/extensions\.istio\.io\/v1alpha1$/, (_, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(some));
  });
  expect(await cluster.resources("extensions.istio.io", "v1alpha1")).toEqual([]);
  expect(await cluster.resources("extensions.istio.io", "v1alpha1")).toHaveLength(1);
});

test("a name is one part of a path, whatever is in it", async () => {
  const api = await server();
  const cluster = await connect(api);
  api.put(pod("secret"));
  expect(await cluster.list("v1", "Pod", { namespace: "other/../demo" })).toEqual([]);
  expect(api.requests.at(-1)).toContain("/namespaces/other%2F..%2Fdemo/pods");
  expect(await cluster.get({ ...pod("x"), metadata: { name: "../pods/secret", namespace: "demo" } })).toBeUndefined();
});

test("what an API group offers is asked once for all of a cluster's clients, and again for a kind that it does not have", async () => {
  const api = await server();
  const cluster = await connect(api);
  const asked = () => api.requests.filter((request) => request === "GET /api/v1").length;
  await cluster.list("v1", "Pod");
  await cluster.withSignal(new AbortController().signal).list("v1", "Service");
  expect(asked()).toBe(1);
  await expect(cluster.list("v1", "Nothing")).rejects.toThrow("the cluster has no Nothing of v1");
  await expect(cluster.list("v1", "Nothing")).rejects.toThrow("the cluster has no Nothing of v1");
  expect(asked()).toBe(2);
});
