// Routes as resources of a cluster.
import { expect, test } from "vitest";
import type { KubeObject } from "../../shared/cluster/object.ts";
import { connect } from "../cluster/connect.ts";
import { expired, unavailable } from "../double/faults.ts";
import { follow, route, storeContract } from "./contract.ts";
import { documentsContract } from "./documents-contract.ts";
import { namespace, opener, resource, startServer } from "./kubernetes-bed.ts";

// Each resource is written, and so told, by itself.
storeContract(async () => opener(await startServer()), { tellsWhole: false });

documentsContract(async () => opener(await startServer()));

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
  api.faults.add(/routes\?watch=1/, unavailable, Number.POSITIVE_INFINITY);
  // The start waits for the Sandboxes, so that the watch has failed by then.
  const watches = () => api.requests.filter((one) => one.includes("routes?watch=1")).length;
  api.faults.add(/sandboxes\?limit/, (_, response) => {
    const timer = setInterval(() => {
      if (watches() < 2) return;
      clearInterval(timer);
      response.destroy();
    }, 10);
  });
  const { contents } = await follow(await opener(api));
  api.faults.clear();
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
