import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdStore } from "../../server/store/etcd/store.ts";
import { Unavailable } from "../../server/store/store.ts";
import { follow, outageContract, route, storeContract } from "../store/contract.ts";
import { documentsContract } from "../store/documents-contract.ts";
import { type Cluster, startCluster } from "./cluster.ts";

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster(1);
});
afterAll(() => cluster.stop());

async function ask(path: string, body: object): Promise<{ header: { revision: string } }> {
  const response = await fetch(`${cluster.urls[0]}${path}`, { method: "POST", body: JSON.stringify(body) });
  return (await response.json()) as { header: { revision: string } };
}

async function emptied() {
  await ask("/v3/kv/deleterange", { key: btoa("\0"), range_end: btoa("\0") });
  return () => new EtcdStore({ endpoints: cluster.urls, retryMs: 50 });
}

storeContract(emptied);
documentsContract(emptied);

outageContract(async () => ({
  open: await emptied(),
  cut: async () => await cluster.members[0]?.kill(),
  mend: async () => await cluster.members[0]?.start(),
}));

test("a server that has missed what etcd has forgotten since finds out what differs", async () => {
  const open = await emptied();
  const one = await follow(open);
  await one.commit({ set: [route("a"), route("b")] });
  const other = await follow(open);
  // The other one's watch breaks while etcd is away.
  await cluster.members[0]?.kill();
  await expect(one.commit({ set: [route("c")] })).rejects.toThrow(Unavailable);
  expect(one.contents().map(({ id }) => id)).toEqual(["a", "b"]);
  await cluster.members[0]?.start();
  await ask("/v3/kv/put", { key: btoa("/keyway/routes/d"), value: btoa(JSON.stringify(route("d"))) });
  const { header } = await ask("/v3/kv/deleterange", { key: btoa("/keyway/routes/a") });
  await ask("/v3/kv/compaction", { revision: header.revision, physical: true });
  const ids = (contents: { id: string }[]) => contents.map(({ id }) => id);
  await expect.poll(() => ids(other.contents())).toEqual(["b", "d"]);
  await expect.poll(() => other.store.trouble()).toBeUndefined();
  await one.commit({ set: [route("c")] });
  await expect.poll(() => ids(other.contents())).toEqual(["b", "c", "d"]);
});

test("a large transaction whose server is gone before it has settled is settled by the next one that writes", async () => {
  const open = await emptied();
  const parts = [
    { set: [route("a"), route("b")], delete: ["old"] },
    { set: [route("c")], delete: [] },
  ];
  const first = await follow(open);
  await first.commit({ set: [route("old"), route("a", { to: "before" })] });
  await first.store.close();
  for (const [at, part] of parts.entries()) {
    await ask("/v3/kv/put", { key: btoa(`/keyway/staged/x/${at}`), value: btoa(JSON.stringify(part)) });
  }
  const { header } = await ask("/v3/kv/put", {
    key: btoa("/keyway/head"),
    value: btoa('{"transaction":"x","parts":2}'),
  });
  const revision = Number(header.revision);
  const second = await follow(open);
  expect(second.contents().map(({ id, to, revision: own }) => [id, to, own])).toEqual([
    ["a", "t", revision],
    ["b", "t", revision],
    ["c", "t", revision],
  ]);
  await second.commit({ set: [route("d")], require: [{ id: "a", revision }] });
  await second.store.close();
  const third = await follow(open);
  expect(third.contents()).toEqual(second.contents());
});
