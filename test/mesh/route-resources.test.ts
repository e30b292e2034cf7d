// Routes as custom resources of a real API server.
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Role } from "../../server/auth/authenticator.ts";
import { KubernetesTokens } from "../../server/auth/kubernetes.ts";
import { KubernetesStore } from "../../server/store/kubernetes/store.ts";
import { TooLarge } from "../../server/store/store.ts";
import { type KubeObject, refOf } from "../../shared/cluster/object.ts";
import { follow, route, storeContract } from "../store/contract.ts";
import { ADMIN_TOKEN } from "./bed/api.ts";
import { mesh } from "./bed/shared.ts";
import { applyDefinitions, connect } from "./definitions.ts";

let namespaces = 0;

/** A store follows the Routes of all namespaces, so none may be left of the test before. */
async function deleteRoutes(): Promise<void> {
  const cluster = await connect("keyway-server");
  const left = await cluster.list<KubeObject>("keyway.dev/v1alpha1", "Route");
  await Promise.all(left.map((one) => cluster.remove(refOf(one))));
}

afterAll(deleteRoutes);

async function emptyNamespace() {
  await deleteRoutes();
  const namespace = `routes-${++namespaces}`;
  await mesh.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  const ended = new AbortController();
  onTestFinished(() => ended.abort());
  const cluster = await connect("keyway-server", ended.signal);
  return { namespace, open: () => new KubernetesStore({ cluster, namespace, retryMs: 100 }) };
}

const resource = (namespace: string, name: string, spec: object) => ({
  apiVersion: "keyway.dev/v1alpha1",
  kind: "Route",
  metadata: { name, namespace },
  spec,
});

beforeAll(applyDefinitions);

storeContract(async () => (await emptyNamespace()).open, { tellsWhole: false });

test("2,000 routes in one transaction are told as one change where they were written, and 100,000 are refused at once", async () => {
  const { namespace, open } = await emptyNamespace();
  const [{ commit, changes }, other] = [await follow(open), await follow(open)];
  const routes = (count: number) => Array.from({ length: count }, (_, n) => route(`r-${n}`));
  const begun = performance.now();
  await expect(commit({ set: routes(100_000) })).rejects.toThrow(TooLarge);
  expect(performance.now() - begun).toBeLessThan(10_000);
  const cluster = await connect("keyway-server");
  expect(await cluster.list<KubeObject>("keyway.dev/v1alpha1", "Route", { namespace })).toEqual([]);
  await commit({ set: routes(2000) });
  expect(changes.map(({ set }) => set.length)).toEqual([2000]);
  await expect.poll(() => other.table.size).toBe(2000);
  await commit({
    set: [route("r-0", { to: "u" })],
    delete: routes(2000)
      .slice(1)
      .map(({ id }) => id),
  });
  await expect.poll(() => other.contents().map(({ id, to }) => [id, to])).toEqual([["r-0", "u"]]);
});

test("what somebody applies is a route, and what can be none is refused with the reason", async () => {
  const { namespace, open } = await emptyNamespace();
  const { contents } = await follow(open);
  await mesh.apply(
    resource(namespace, "alice", { service: "reviews", when: [{ cookie: "user", exact: "alice" }], to: "t" }),
  );
  await expect.poll(() => contents().map(({ id, to }) => [id, to])).toEqual([["alice", "t"]]);
  const both = resource(namespace, "both", { service: "reviews", key: "a", to: "t", split: [{ to: "u", weight: 5 }] });
  await expect(mesh.apply(both)).rejects.toThrow(/must validate one and only one schema/);
  const condition = resource(namespace, "none", {
    service: "reviews",
    when: [{ cookie: "a", header: "b", exact: "c" }],
    to: "t",
  });
  await expect(mesh.apply(condition)).rejects.toThrow(/exactly one of header, cookie, query and request/);
  await mesh.delete(resource(namespace, "alice", {}));
  await expect.poll(() => contents()).toEqual([]);
});

test("the table serves on while the API server restarts, and goes on by itself", async () => {
  const { namespace, open } = await emptyNamespace();
  const { commit, contents, store } = await follow(open);
  await commit({ set: [route("a")] });
  await mesh.restartApiServer();
  expect(contents().map(({ id }) => id)).toEqual(["a"]);
  await mesh.apply(resource(namespace, "b", { service: "reviews", key: "b", to: "t" }));
  await expect.poll(() => contents().map(({ id }) => id)).toEqual(["a", "b"]);
  await expect.poll(() => store.trouble()).toBeUndefined();
  await commit({ set: [route("c")], delete: ["a"] });
  expect(contents().map(({ id }) => id)).toEqual(["b", "c"]);
});

test("the API server says whose a token is and what they may do", async () => {
  const ended = new AbortController();
  onTestFinished(() => ended.abort());
  const tokens = new KubernetesTokens(await connect("keyway-server", ended.signal), "default", []);
  onTestFinished(() => tokens.close());
  const principal = await tokens.authenticate(ADMIN_TOKEN);
  expect(["read", "write", "proxy"].map((role) => principal?.may(role as Role))).toEqual([true, true, true]);
  expect(await tokens.authenticate("forged")).toBeUndefined();
});
