// The route server on Kubernetes, from its start to its end.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { serve } from "../../server/main.ts";
import { readSettings } from "../../server/settings.ts";
import type { Io } from "../../shared/io.ts";
import { Poller } from "../api/poller.ts";
import { reviews, sent } from "../api/serve.ts";
import { fileWith, server } from "../cluster/connect.ts";
import type { ApiServer } from "../double/api-server.ts";
import { neverAnswer } from "../double/faults.ts";
import { kubeconfig } from "../double/kubeconfig.ts";
import { startChild } from "./child.ts";

const route = {
  apiVersion: "keyway.dev/v1alpha1",
  kind: "Route",
  metadata: { name: "web", namespace: "demo", uid: "a-route", generation: 1 },
};
const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "demo", uid: "a-namespace" } };

/** Waits until it listens; rejects with what it says when it ends before. */
async function serveOn(api: ApiServer, flags: string[] = []) {
  const before = `export KUBECONFIG=${await fileWith(kubeconfig(api))}`;
  return startChild("", { before, flags: ["--store", "kubernetes", ...flags] });
}

test("a route is a resource, and one that can be none is answered with 400 and the reason", async () => {
  const api = await server();
  api.put(namespace);
  api.tokens.set("secret", "ci");
  api.grants.add("ci: create routes");
  const { ask, stop } = await serveOn(api);
  const put = (id: string) =>
    ask(`/v1/routes/${id}`, sent("PUT", { ...reviews, key: id }, { authorization: "Bearer secret" }));
  expect((await put("pr-42")).status).toBe(201);
  const ref = { apiVersion: "keyway.dev/v1alpha1", kind: "Route", metadata: { name: "pr-42", namespace: "demo" } };
  expect(api.find(ref)?.spec).toMatchObject({ key: "pr-42" });
  const { status, body } = await put("PR_42");
  expect([status, body.error.code, body.error.message]).toEqual([400, "invalid", expect.stringContaining("PR_42")]);
  expect(await stop("SIGTERM")).toEqual({ code: 0, signal: null });
});

test("of twins that others have applied the first may be changed, and a further one may not be", async () => {
  const api = await server();
  const spec = { service: "reviews", key: "k", to: "x" };
  const twin = (name: string) => ({ ...route, metadata: { ...route.metadata, name }, spec });
  api.put(namespace, twin("a"), twin("b"));
  api.tokens.set("secret", "ci");
  api.grants.add("ci: update routes");
  api.grants.add("ci: create routes");
  const { ask, stop } = await serveOn(api);
  const put = async (id: string, more: object) =>
    (await ask(`/v1/routes/${id}`, sent("PUT", { ...spec, ...more }, { authorization: "Bearer secret" }))).status;
  expect(await put("a", { to: "y" })).toBe(200);
  expect(await put("b", { to: "y" })).toBe(409);
  expect(await put("0", {})).toBe(409);
  expect(await put("b", { key: "other" })).toBe(200);
  await stop("SIGTERM");
});

test("a write that hangs keeps the server from its end for no longer than it may", async () => {
  const api = await server();
  api.put(namespace);
  api.tokens.set("secret", "ci");
  api.grants.add("ci: create routes");
  const { ask, stop } = await serveOn(api, ["--grace", "1"]);
  api.faults.add(/^POST .*\/routes\?/, neverAnswer, 10);
  const writing = ask("/v1/routes/a", sent("PUT", reviews, { authorization: "Bearer secret" })).catch(() => {});
  await expect.poll(() => api.requests.some((one) => /^POST .*\/routes\?/.test(one))).toBe(true);
  const start = performance.now();
  expect(await stop("SIGTERM")).toEqual({ code: 0, signal: null });
  expect(performance.now() - start).toBeLessThan(5000);
  await writing;
});

const sandbox = {
  apiVersion: "keyway.dev/v1alpha1",
  kind: "Sandbox",
  metadata: { name: "pr-42", namespace: "demo", uid: "a-sandbox", generation: 1 },
  spec: { routes: [{ service: "reviews", to: "nowhere" }] },
};
const lease = {
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "keyway-controller", namespace: "demo" },
};

test("the server tells what became of Sandboxes while it leads, and gives its lease back at its end", async () => {
  const api = await server();
  api.put(namespace, sandbox);
  const { stop } = await serveOn(api);
  const reasons = () => {
    const { conditions = [] } = (api.find(sandbox)?.status ?? {}) as { conditions?: { reason: string }[] };
    return conditions.map(({ reason }) => reason);
  };
  await expect.poll(reasons).toEqual(["Accepted", "ServiceNotFound", "NoRoutes"]);
  expect(await stop("SIGTERM")).toEqual({ code: 0, signal: null });
  expect(api.find(lease)?.spec).toMatchObject({ holderIdentity: "" });
});

test("names that are no Services are clusters to a proxy without a mesh, and mistakes to one of a mesh", async () => {
  const api = await server();
  api.put(namespace);
  const own = { ...route, spec: { service: "web:80", key: "k", to: "web-b:80" } };
  api.put(own);
  const { url, stop } = await serveOn(api, ["--anonymous", "proxy"]);
  const resolved = () => {
    const { conditions = [] } = (api.find(own)?.status ?? {}) as { conditions?: { type: string; reason: string }[] };
    return conditions.find(({ type }) => type === "Resolved")?.reason;
  };
  const follow = async (scope: string) => {
    const poller = new Poller(url, scope);
    await poller.settle();
    poller.follow();
  };
  await follow("outbound:demo");
  await expect.poll(resolved).toBe("ServiceNotFound");
  await follow("");
  await expect.poll(resolved, { timeout: 30_000 }).toBe("Resolved");
  await stop("SIGTERM");
}, 60_000);

test("one that is told not to leads never", async () => {
  const api = await server();
  api.put(namespace, sandbox);
  const { stop } = await serveOn(api, ["--controller", "false"]);
  await sleep(1000);
  expect([api.find(lease), api.find(sandbox)?.status]).toEqual([undefined, undefined]);
  await stop("SIGTERM");
});

test("a start that fails says why and ends", async () => {
  await expect(serveOn(await server())).rejects.toThrow("there is no namespace demo");
});

test.for([/services/, /namespaces\/demo$/, /routes\?/])("Ctrl-C ends a start that waits for %s", async (waiting) => {
  const api = await server();
  api.put(namespace);
  api.faults.add(waiting, neverAnswer, 10);
  const stop = new AbortController();
  const nowhere = { write: () => true };
  const env = { KUBECONFIG: await fileWith(kubeconfig(api)) };
  const io: Io = { out: nowhere, err: nowhere, in: [], env, signal: stop.signal };
  const settings = await readSettings({ listen: "127.0.0.1:0", store: "kubernetes" }, io);
  const ended = serve(settings, io, () => {}).catch(() => "ended");
  await expect.poll(() => api.requests.some((one) => waiting.test(one))).toBe(true);
  stop.abort();
  expect(await Promise.race([ended, sleep(2000, "still waits")])).toBe("ended");
});
