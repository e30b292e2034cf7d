import { expect, test } from "vitest";
import type { WatchAnswer } from "../../server/store/etcd/answers.ts";
import { EtcdFollower } from "../../server/store/etcd/follower.ts";
import type { Gateway } from "../../server/store/etcd/gateway.ts";
import { type EtcdReader, NO_HEAD } from "../../server/store/etcd/reader.ts";
import { base64 } from "../../server/store/etcd/records.ts";
import { route } from "./contract.ts";

test("an answer of the watch with many revisions takes time for its events, not for each pair of them", async () => {
  const count = 40_000;
  const events = Array.from({ length: count }, (_, n) => {
    const id = `r-${n % 1000}`;
    return {
      kv: {
        key: base64(`/keyway/routes/${id}`),
        value: base64(JSON.stringify(route(id))),
        mod_revision: String(n + 2),
      },
    };
  });
  const ending = new AbortController();
  async function* stream(): AsyncGenerator<WatchAnswer> {
    yield { events };
    ending.abort();
  }
  const follower = new EtcdFollower({
    gateway: { stream } as unknown as Gateway,
    reader: { all: async () => ({ revision: 1, head: NO_HEAD, routes: [] }) } as unknown as EtcdReader,
    documents: { take: () => {}, reload: async () => {} },
    ...{ signal: ending.signal, where: "etcd", silentMs: 1000, retryMs: 1 },
  });
  const begun = performance.now();
  await follower.start();
  const revisions: number[] = [];
  follower.followed.handOver(({ revision }) => void revisions.push(revision));
  await follower.ended();
  await expect.poll(() => revisions.length).toBe(count);
  expect(revisions.every((revision, n) => revision === n + 2)).toBe(true);
  expect(performance.now() - begun).toBeLessThan(5000);
});
