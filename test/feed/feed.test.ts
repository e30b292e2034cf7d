// The tables of all scopes, kept up with the routes.
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { StoredRoute } from "../../routes/model/live-route.ts";
import type { Condition } from "../../routes/model/model.ts";
import { decodePage } from "../../routes/table/page.ts";
import { BucketPool } from "../../routes/table/pool.ts";
import { namingFor } from "../../server/feed/naming.ts";
import { ScopedTable } from "../../server/feed/scoped-table.ts";
import { checkAsync } from "../property.ts";
import { ask, clientOf, feedOf, held, keyRoutes, Routes, settle } from "./bed.ts";
import { ReferenceClient } from "./reference-client.ts";

const SCOPES = [
  "",
  "demo/reviews",
  "shop/ratings",
  "outbound:demo",
  "outbound:shop",
  "inbound:demo/reviews:80=8080,demo/reviews:90=9090",
  "inbound:shop/ratings:80=80",
];
const named = fc.record({
  id: fc.nat(15).map((i) => `id-${i}`),
  key: fc.nat(60).map((i) => `k${i}`),
  service: fc.constantFrom(
    "reviews",
    "reviews:80",
    "reviews.demo:90",
    "ratings.shop",
    "ratings.shop.svc:80",
    "*",
    "api.example.com:443",
  ),
  to: fc.constantFrom("a", "b:80", "c.demo:90"),
});
const clustered = fc.record({
  id: fc.nat(15).map((i) => `id-${i}`),
  when: fc.constant<Condition[]>([{ cookie: "user", exact: "a" }]),
  from: fc.constantFrom("*", "reviews", "inbound|8080||", "outbound|80||reviews.demo.svc.cluster.local"),
  to: fc.constantFrom("a", "b"),
});
const change = fc.tuple(
  fc.uniqueArray(fc.oneof(named, clustered), { maxLength: 5, selector: ({ id }) => id }),
  fc.array(
    fc.nat(15).map((i) => `id-${i}`),
    { maxLength: 3 },
  ),
);

test("each scope's table is after any changes what it would be if it were made now", async () => {
  await checkAsync(
    [fc.array(change, { maxLength: 12 }), fc.array(change, { maxLength: 12 })],
    async (before, after) => {
      const routes = new Routes();
      const apply = (all: typeof before) => {
        for (const [set, gone] of all)
          routes.change(
            set,
            gone.filter((id) => set.every((one) => one.id !== id)),
          );
      };
      apply(before);
      const feed = feedOf(routes);
      const clients = await Promise.all(SCOPES.map((scope) => clientOf(feed, scope)));
      apply(after);
      const anew = feedOf(routes);
      for (const client of clients) {
        await settle(feed, client);
        expect(client.resets).toBe(0);
        expect(held(client), client.scope).toEqual(held(await clientOf(anew, client.scope)));
      }
      feed.close();
      anew.close();
    },
    60,
  );
});

test("a change of many routes comes to each table as its part of it, and no table says before that it has it", async () => {
  const routes = new Routes(keyRoutes(10));
  const feed = feedOf(routes);
  const scopes = ["", "demo/reviews", "demo/ratings", "inbound:demo/reviews:9080=8080"];
  const clients = scopes.map((scope) => new ReferenceClient(scope));
  for (const client of clients) await settle(feed, client);
  const service = (at: number) => ["reviews.demo:9080", "ratings.demo:9080", "other.demo:9080", "*"][at % 4] ?? "*";
  const many = Array.from({ length: 9000 }, (_, at) => ({
    id: `m-${at}`,
    service: service(at),
    key: `m-${at}`,
    to: "t",
  }));
  routes.change(many, ["id-k0"]);
  await routes.state.reached(2);
  routes.change([{ id: "m-1", service: "reviews.demo:9080", key: "m-1", to: "later" }], ["m-4"]);
  const answers = await Promise.all(clients.map((client) => ask(feed, client.query())));
  for (const [at, answer] of answers.entries()) {
    const page = decodePage(answer.body);
    if (page instanceof Error) throw page;
    expect([scopes[at], page.revision]).toEqual([scopes[at], 3]);
    clients[at]?.apply(answer.body);
  }
  for (const client of clients) await settle(feed, client);
  const [all, reviews, ratings, inbound] = clients;
  expect([all, reviews, ratings, inbound].map((client) => client?.lookUp("m-1"))).toEqual([
    ["later"],
    ["later"],
    [],
    ["later"].map(() => "outbound|9080||later.demo.svc.cluster.local"),
  ]);
  expect([all, reviews, ratings].map((client) => client?.lookUp("m-5"))).toEqual([["t"], [], ["t"]]);
  expect([all, reviews, ratings].map((client) => client?.lookUp("m-3"))).toEqual([["t"], ["t"], ["t"]]);
  expect(all?.lookUp("m-4")).toEqual([]);
  const [fresh] = await Promise.all([
    (async () => {
      const other = new ReferenceClient("demo/reviews");
      await settle(feedOf(routes), other);
      return other;
    })(),
  ]);
  expect(held(reviews as ReferenceClient)).toEqual(held(fresh));
  feed.close();
});

test("the deletion of many routes is read in turns, between which others are answered", async () => {
  const routes = new Routes(keyRoutes(30_000));
  let read = 0;
  class Counted extends Array<StoredRoute> {
    override *[Symbol.iterator](): ArrayIterator<StoredRoute> {
      for (let at = 0; at < this.length; at++, read++) yield this[at] as StoredRoute;
    }
  }
  const gone = Counted.from(routes.state.routes());
  read = 0;
  let most = 0;
  const table = new ScopedTable(
    routes.state,
    namingFor({ kind: "plain" }, { domain: "cluster.local" }),
    [{}],
    new BucketPool(),
    () => {},
  );
  await table.settled();
  table.apply({ revision: 2, set: [], delete: gone });
  while (!table.isSettled) {
    const before = read;
    await turn();
    most = Math.max(most, read - before);
  }
  expect(read).toBe(30_000);
  expect(most).toBeLessThanOrEqual(2000);
  expect(table.content.routes).toBe(0);
});
