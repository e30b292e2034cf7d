// Routes of other namespaces, and those that Sandboxes are made into.
import { expect, test } from "vitest";
import { noSuchPath } from "../double/faults.ts";
import { follow, route } from "./contract.ts";
import { opener, resource, startServer } from "./kubernetes-bed.ts";

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

test("the Route of a version of pods is written by nobody else, and one of that name without the label is any other", async () => {
  const api = await startServer();
  const made = resource("overrides-reviews-v2", { service: "reviews", key: "v2", to: "reviews-v2" });
  api.put({ ...made, metadata: { ...made.metadata, labels: { "keyway.dev/overrides": "reviews" } } });
  const { commit, contents } = await follow(await opener(api));
  for (const write of [{ set: [route(made.metadata.name)] }, { delete: [made.metadata.name] }]) {
    await expect(commit(write)).rejects.toThrow(/is made from the versions of the pods of Service reviews, .*version/);
  }
  await commit({ set: [route("overrides-ratings-v2")] });
  expect(contents().map(({ id }) => id)).toEqual(["overrides-ratings-v2", "overrides-reviews-v2"]);
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
