import { expect, onTestFinished, test } from "vitest";
import { EtcdStore } from "../../server/store/etcd/store.ts";
import { follow, route } from "../store/contract.ts";
import { startCluster } from "./cluster.ts";

test("no acknowledged write is lost when the leader of three members is killed, and writes go on", async () => {
  const cluster = await startCluster(3);
  onTestFinished(() => cluster.stop());
  const open = () => new EtcdStore({ endpoints: cluster.urls, retryMs: 50 });
  const { commit, table } = await follow(open);
  const other = await follow(open);
  const acknowledged = new Set<string>();
  let refused = 0;
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let at = 0; at < 150; at++) {
      const id = `w${writer}-${at}`;
      await commit({ set: [route(id)] }).then(
        () => acknowledged.add(id),
        () => refused++,
      );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  await expect.poll(() => acknowledged.size, { timeout: 20_000 }).toBeGreaterThan(100);
  const leads = await Promise.all(cluster.members.map((member) => member.leads()));
  const leader = cluster.members[leads.indexOf(true)];
  expect(leader).toBeDefined();
  await leader?.kill();
  const before = acknowledged.size;
  await expect.poll(() => acknowledged.size, { timeout: 20_000 }).toBeGreaterThan(before + 50);
  await Promise.all(writers);
  expect(acknowledged.size + refused).toBe(600);
  const there = await follow(open);
  expect([...acknowledged].filter((id) => !there.table.has(id))).toEqual([]);
  await expect.poll(() => table.size).toBe(there.table.size);
  await expect.poll(() => other.table.size).toBe(there.table.size);
});
