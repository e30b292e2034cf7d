// What becomes of the table, and of writes, when the API server refuses, is away, or forgets.
import { expect, test } from "vitest";
import { Unavailable, Undecided, Unfit } from "../../server/store/store.ts";
import { admissionRefusal, cutAnswer, cutConnection, expired, noSuchPath, unavailable } from "../double/faults.ts";
import { follow, outageContract, route } from "./contract.ts";
import { makeDeaf, opener, resource, startServer } from "./kubernetes-bed.ts";

outageContract(async () => {
  const api = await startServer();
  const cut = () => {
    api.faults.add(/./, cutConnection, Number.POSITIVE_INFINITY);
    api.cut();
  };
  return { open: await opener(api), cut, mend: () => api.faults.clear() };
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
    .poll(() => contents().map(({ id, to }) => [id, to]))
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
