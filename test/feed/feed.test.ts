import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { StoredRoute } from "../../routes/model/live-route.ts";
import type { Condition } from "../../routes/model/model.ts";
import { decodePage, type Page } from "../../routes/table/page.ts";
import { BucketPool } from "../../routes/table/pool.ts";
import type { Answer, Feed, FeedOptions } from "../../server/feed/feed.ts";
import { namingFor } from "../../server/feed/naming.ts";
import { ScopedTable } from "../../server/feed/scoped-table.ts";
import { checkAsync } from "../host/property.ts";
import { expected, feedOf, held, keyRoute, keyRoutes, type Own, poll, Routes, settle } from "./bed.ts";
import { ReferenceClient } from "./reference-client.ts";

function bed(routes: readonly Own[], options?: FeedOptions): { routes: Routes; feed: Feed } {
  const own = new Routes(routes);
  const feed = feedOf(own, options);
  onTestFinished(() => feed.close());
  return { routes: own, feed };
}

async function clientOf(feed: Feed, scope = ""): Promise<ReferenceClient> {
  const client = new ReferenceClient(scope);
  await settle(feed, client);
  return client;
}

function pageOf(answer: Answer): Page {
  const page = decodePage(answer.body);
  if (answer.status !== 200 || page instanceof Error) throw new Error(new TextDecoder().decode(answer.body));
  return page;
}

const errorOf = (answer: Answer) => JSON.parse(new TextDecoder().decode(answer.body)).error;

/** What the promise has come to, without waiting for it. */
async function stateOf(promise: Promise<unknown>): Promise<"waiting" | "done"> {
  for (let i = 0; i < 5; i++) await turn();
  return Promise.race([promise.then(() => "done" as const), Promise.resolve("waiting" as const)]);
}

afterEach(() => void vi.useRealTimers());
const fakeTimers = () => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });

describe("a poll with nothing new", () => {
  test("is held until its time is over, and then says in 64 bytes that the table is the same", async () => {
    const { feed } = bed([keyRoute("a"), { id: "r", service: "reviews", split: [{ to: "b", weight: 1 }] }]);
    const client = await clientOf(feed);
    fakeTimers();
    const answer = feed.poll(client.query(20));
    await vi.advanceTimersByTimeAsync(19_999);
    expect(await stateOf(answer)).toBe("waiting");
    await vi.advanceTimersByTimeAsync(1);
    const page = pageOf(await answer);
    expect(page).toMatchObject({
      isLast: true,
      isReset: false,
      from: 1,
      revision: 1,
      buckets: 1,
      routes: 2,
      records: [],
    });
    expect((await answer).body.length).toBe(64);
    expect(page.digest).toEqual(client.table.digest);
  });

  test("is held, too, while the server has had no write yet, and the first is told at once", async () => {
    const routes = new Routes([], { revision: 0 });
    const feed = feedOf(routes);
    onTestFinished(() => feed.close());
    const client = await clientOf(feed);
    expect(client.revision).toBe(0);
    const answer = feed.poll(client.query(20));
    expect(await stateOf(answer)).toBe("waiting");
    routes.change([keyRoute("a")]);
    client.apply((await answer).body);
    expect(client.lookUp("a")).toEqual(["to-a"]);
  });

  test("is answered at once where the proxy does not say what it has", async () => {
    const { feed } = bed([keyRoute("a")]);
    const query = (await clientOf(feed)).query(20);
    query.delete("digest");
    expect(pageOf(await feed.poll(query))).toMatchObject({ isLast: true, records: [] });
  });

  test("ends with its signal", async () => {
    const { feed } = bed([keyRoute("a")]);
    const client = await clientOf(feed);
    const gone = new AbortController();
    const answer = feed.poll(client.query(20), gone.signal);
    await stateOf(answer);
    expect(feed.waiting).toBe(1);
    gone.abort(new Error("the client went away"));
    await expect(answer).rejects.toThrow("the client went away");
    await expect(feed.poll(client.query(20), gone.signal)).rejects.toThrow("the client went away");
    expect(feed.waiting).toBe(0);
  });

  test("is answered at once when the server ends, as are those that come later", async () => {
    const { feed } = bed([keyRoute("a")]);
    const client = await clientOf(feed);
    const answer = feed.poll(client.query(20));
    await stateOf(answer);
    feed.close();
    expect(pageOf(await answer)).toMatchObject({ isLast: true, records: [] });
    expect(pageOf(await feed.poll(client.query(20)))).toMatchObject({ isLast: true, records: [] });
  });
});

/** Lets the server give its answers, in the turns of some milliseconds. */
async function turns(milliseconds: number): Promise<void> {
  for (let i = 0; i < milliseconds; i++) {
    await turn();
    await vi.advanceTimersByTimeAsync(1);
  }
}

describe("a change", () => {
  test("is told to all who wait, in the same bytes, with the one bucket that it has changed", async () => {
    const { feed, routes } = bed(keyRoutes(1000));
    const clients = [await clientOf(feed), await clientOf(feed), await clientOf(feed)];
    const answers = clients.map((client) => feed.poll(client.query(20)));
    await stateOf(answers[0] as Promise<unknown>);
    routes.change([keyRoute("k7", "elsewhere")]);
    const [first, ...others] = await Promise.all(answers);
    for (const other of others) expect(other.body).toBe(first?.body);
    expect(pageOf(first as Answer).records).toHaveLength(1);
    for (const client of clients) {
      client.apply((first as Answer).body as Uint8Array);
      expect(client.lookUp("k7")).toEqual(["elsewhere"]);
      expect(client.isConsistent).toBe(true);
    }
  });

  test("that is not one of the scope's, or not one for proxies, wakes nobody", async () => {
    const { feed, routes } = bed([keyRoute("a")]);
    const client = await clientOf(feed, "demo/reviews");
    const answer = feed.poll(client.query(20));
    routes.change([{ id: "b", service: "ratings", key: "b", to: "x" }]);
    routes.change([{ ...keyRoute("a"), owner: "ann", labels: { team: "shop" } }]);
    expect(await stateOf(answer)).toBe("waiting");
    routes.change([{ id: "b", service: "reviews.demo", key: "b", to: "x" }]);
    client.apply((await answer).body);
    expect(client.lookUp("b")).toEqual(["x"]);
    expect(client.revision).toBe(4);
  });

  test("is told at once, and those that follow are gathered the longer, the more wait", async () => {
    const { feed, routes } = bed(keyRoutes(100));
    const client = await clientOf(feed);
    fakeTimers();
    const wait = () => Array.from({ length: 400 }, () => feed.poll(client.query(20)));
    const answers = wait();
    await stateOf(answers[0] as Promise<unknown>);
    const begun = performance.now();
    routes.change([keyRoute("k1", "one")]);
    await turns(50);
    const [first] = await Promise.all(answers);
    client.apply((first as Answer).body);

    const more = wait();
    await stateOf(more[0] as Promise<unknown>);
    routes.change([keyRoute("k1", "two")]);
    // Who is in the middle of more than fits into a page is no exception.
    const behind = client.query();
    behind.delete("digest");
    more.push(feed.poll(behind));
    routes.change([keyRoute("k2", "two")]);
    await vi.advanceTimersByTimeAsync(begun + 99 - performance.now());
    expect(await stateOf(Promise.race(more))).toBe("waiting");
    await turns(50);
    const pages = new Set((await Promise.all(more)).map(({ body }) => body));
    expect(pages.size).toBe(1);
    expect(pageOf(await (more[0] as Promise<Answer>)).revision).toBe(4);
  });

  test("of many routes is taken over in turns, and asked for meanwhile it is told as a whole", async () => {
    const { feed, routes } = bed([keyRoute("a")]);
    const client = await clientOf(feed);
    const held = feed.poll(client.query(20));
    await stateOf(held);
    routes.change(keyRoutes(20_000));
    routes.change([keyRoute("k3", "later")], ["id-a"]);
    const asked = feed.poll(client.query(20));
    const pages = [pageOf(await held), pageOf(await asked)];
    for (const { revision, routes: count } of pages)
      expect({ revision, count }).toEqual({ revision: 3, count: 20_000 });
    await settle(feed, client);
    expect(client.lookUp("k3")).toEqual(["later"]);
    expect(client.lookUp("a")).toEqual([]);
  });

  test("while a table is made for the first time is in it", async () => {
    const { feed, routes } = bed(keyRoutes(20_000));
    const first = poll(feed, new ReferenceClient());
    for (let i = 0; i < 30; i++) {
      routes.change(
        [keyRoute(`k${i * 600}`, "moved"), { ...keyRoute(`new${i}`), id: `id-k${i * 600 + 1}` }],
        [`id-k${i * 600 + 2}`],
      );
      await turn();
    }
    await first;
    const client = await clientOf(feed);
    const { buckets: _, ...rest } = held(client);
    expect(rest).toMatchObject({ digest: expected(routes.all.values()).digest });
  });
});

describe("what a proxy has", () => {
  test("from another history is up to date when the digest is the same, else it begins anew", async () => {
    const one = bed(keyRoutes(100));
    const client = await clientOf(one.feed);
    const restored = new Routes(keyRoutes(100), { history: 8n, revision: 50 });
    const other = feedOf(restored);
    onTestFinished(() => other.close());
    const same = pageOf(await other.poll(client.query()));
    expect(same).toMatchObject({ isReset: false, isLast: true, records: [], revision: 50 });
    restored.change([keyRoute("k1", "elsewhere")]);
    expect(pageOf(await other.poll(client.query()))).toMatchObject({ isReset: true, records: [] });
    await settle(other, client);
    expect(client.lookUp("k1")).toEqual(["elsewhere"]);
    expect(other.counts.resets).toBe(2);
  });

  test("is not what its digest says: it begins anew", async () => {
    const { feed } = bed(keyRoutes(100));
    const query = (await clientOf(feed)).query();
    query.set("digest", "0123456789abcdef");
    expect(pageOf(await feed.poll(query)).isReset).toBe(true);
  });

  test("is newer than what the server has: it waits a moment for its store", async () => {
    const { feed, routes } = bed(keyRoutes(100));
    const client = await clientOf(feed);
    const query = client.query();
    query.set("revision", "2");
    query.set("digest", "0123456789abcdef");
    query.delete("digest");
    const answer = feed.poll(query);
    expect(await stateOf(answer)).toBe("waiting");
    routes.change([keyRoute("k1", "elsewhere")]);
    expect(pageOf(await answer)).toMatchObject({ isReset: false, revision: 2 });
    query.set("revision", "99");
    expect(pageOf(await feed.poll(query)).isReset).toBe(true);
  });
});

describe("services that the server knows", () => {
  test("change what routes lead to, without a change of routes", async () => {
    let port = 80;
    const find = (name: string, namespace: string) => ({ name, namespace, ports: [{ port, name: "http" }] });
    const { feed, routes } = bed([{ id: "a", service: "reviews:http", key: "k", to: "x" }], { services: { find } });
    const client = await clientOf(feed, "outbound:demo");
    expect(client.lookUp("k")).toEqual(["outbound|80||x.demo.svc.cluster.local"]);
    const answer = feed.poll(client.query(20));
    await stateOf(answer);
    port = 9080;
    routes.changeService({ name: "reviews", namespace: "demo", isOfPorts: true });
    client.apply((await answer).body);
    expect(client.isConsistent).toBe(true);
    expect(client.resets).toBe(0);
    expect(client.lookUp("k")).toEqual(["outbound|9080||x.demo.svc.cluster.local"]);
  });

  test("change many routes, and proxies are told of what has changed", async () => {
    let port = 80;
    const find = (name: string, namespace: string) => ({ name, namespace, ports: [{ port, name: "http" }] });
    const { feed, routes } = bed(
      keyRoutes(3000).map((route) => ({ ...route, service: "reviews:http" })),
      { services: { find } },
    );
    const client = await clientOf(feed, "outbound:demo");
    port = 9080;
    routes.changeService({ name: "reviews", namespace: "demo", isOfPorts: true });
    await settle(feed, client);
    expect(client.resets).toBe(0);
    expect(client.lookUp("k1")).toEqual(["outbound|9080||to-k1.demo.svc.cluster.local"]);
  });
});

describe("readiness of targets", () => {
  /** Services of one port, ready but for those whose names are in `down`. */
  function directory() {
    const down = new Set<string>();
    let asked = 0;
    const find = (name: string, namespace: string) => ({ name, namespace, ports: [{ port: 80 }] });
    const isReady = (name: string, namespace: string) => {
      asked++;
      return !down.has(`${namespace}/${name}`);
    };
    return { down, services: { find, isReady }, asked: () => asked };
  }

  async function followed(routes: Parameters<typeof bed>[0], scope = "outbound:demo") {
    const { down, services, asked } = directory();
    const { feed, routes: source } = bed(routes, { services });
    const client = await clientOf(feed, scope);
    const flip = async (id: string, isReady: boolean) => {
      const [namespace = "", name = ""] = id.split("/");
      if (isReady) down.delete(id);
      else down.add(id);
      source.changeService({ namespace, name, isOfPorts: false });
      await settle(feed, client);
      expect(client.isConsistent).toBe(true);
    };
    return { feed, client, flip, asked, source };
  }

  test("a route whose target has no ready pod leaves the tables and comes back, and no other is touched", async () => {
    const { client, flip, asked } = await followed([
      { id: "a", service: "reviews", key: "k", to: "x" },
      { id: "b", service: "reviews.shop", key: "k", to: "x" },
      { id: "c", from: "outbound|80||a.demo.svc.cluster.local", key: "k", to: "outbound|80||x.demo.svc.cluster.local" },
      { id: "d", service: "reviews", key: "l", to: "x.demo:80", missing: "fail" },
      { id: "e", service: "reviews", key: "m", to: { service: "y", subset: "v2" } },
      ...keyRoutes(50),
    ]);
    const all = client.lookUp("k");
    expect(all).toHaveLength(3);
    const before = asked();
    await flip("demo/x", false);
    expect(asked() - before).toBeLessThanOrEqual(4);
    expect(client.lookUp("k")).toEqual(["outbound|80||x.shop.svc.cluster.local"]);
    expect(client.lookUp("l")).toHaveLength(1);
    await flip("demo/x", true);
    expect(client.lookUp("k")).toEqual(all);
    await flip("demo/y", false);
    expect([client.lookUp("m"), client.lookUp("k1")].map(({ length }) => length)).toEqual([0, 1]);
    expect(client.resets).toBe(0);
  });

  test("in tables of one service, too, and for a route that is set while its target is not ready", async () => {
    for (const scope of ["demo/reviews", "inbound:demo/reviews:80=8080"]) {
      const { client, flip, feed, source } = await followed([], scope);
      await flip("demo/x", false);
      source.change([{ id: "a", service: "reviews.demo", key: "k", to: "x" }]);
      await settle(feed, client);
      expect(client.lookUp("k")).toEqual([]);
      await flip("demo/x", true);
      expect(client.lookUp("k")).toHaveLength(1);
      source.change([], ["a"]);
      await flip("demo/x", false);
      expect(client.lookUp("k")).toEqual([]);
    }
  });

  test("a target is looked at by the port that it has in the table, and one that is none is left out where clusters are Istio's", async () => {
    const ports = [{ port: 80 }, { port: 90 }];
    const services = {
      find: (name: string, namespace: string) => (name === "gone" ? undefined : { name, namespace, ports }),
      isReady: (name: string, _: string, port?: number | string) => name !== "gone" && port !== 90,
    };
    const routes = [
      { id: "a", service: "reviews", key: "both", to: "x" },
      { id: "b", service: "reviews:80", key: "other", to: "x:90" },
      { id: "c", service: "reviews:80", key: "gone", to: "gone" },
      { id: "d", service: "reviews:80", key: "elsewhere", to: "api.example.com:443" },
    ];
    const { feed } = bed(routes, { services });
    const istio = await clientOf(feed, "outbound:demo");
    expect(istio.lookUp("both")).toEqual(["outbound|80||x.demo.svc.cluster.local"]);
    expect(["other", "gone", "elsewhere"].map((key) => istio.lookUp(key).length)).toEqual([0, 0, 1]);
    const plain = await clientOf(feed, "demo/reviews");
    expect(["both", "other", "gone"].map((key) => plain.lookUp(key).length)).toEqual([1, 0, 1]);
  });

  test("once what there is not is known, every route is looked at", async () => {
    let isKnown = false;
    const services = {
      find: (name: string, namespace: string) => ({ name, namespace, ports: [{ port: 80 }] }),
      isReady: (name: string) => (isKnown ? name !== "gone" : undefined),
    };
    const { feed, routes } = bed([{ id: "a", service: "reviews", key: "k", to: "gone" }], { services });
    const client = await clientOf(feed, "outbound:demo");
    expect(client.lookUp("k")).toHaveLength(1);
    isKnown = true;
    routes.changeService({ namespace: "*", name: "*", isOfPorts: false });
    await settle(feed, client);
    expect(client.lookUp("k")).toEqual([]);
  });

  test("of a split the share that is not ready goes to the baseline", async () => {
    const { feed, flip } = await followed([
      {
        id: "s",
        service: "reviews",
        split: [
          { to: "x", weight: 10 },
          { to: "y", weight: 20 },
        ],
      },
    ]);
    const targets = () => {
      const query = new ReferenceClient("outbound:demo").query();
      return feed.poll(query).then(({ body }) =>
        [
          ...Buffer.from(body)
            .toString("latin1")
            .matchAll(/80\|\|([xy])\./g),
        ].map(([, to]) => to),
      );
    };
    expect(await targets()).toEqual(["x", "y"]);
    await flip("demo/x", false);
    expect(await targets()).toEqual(["y"]);
    await flip("demo/y", false);
    expect(await targets()).toEqual([]);
    await flip("demo/x", true);
    expect(await targets()).toEqual(["x"]);
  });
});

describe("the pages of a sweep", () => {
  /** The bytes of all pages of a table of so many routes, each of which has some 80 bytes. */
  async function pagesOf(count: number): Promise<number[]> {
    const { feed } = bed(Array.from({ length: count }, (_, i) => keyRoute(`k${i}`, "to".repeat(32))));
    const client = new ReferenceClient("");
    const sizes: number[] = [];
    while (!client.isConsistent) {
      const { body } = await feed.poll(client.query());
      client.apply(body);
      if (body.length > 64) sizes.push(body.length);
    }
    expect(client.table.count).toBe(Math.ceil(count / 24));
    return sizes;
  }

  test("are one of up to 128 KiB where that is enough, so that the table is in force at once", async () => {
    const [only, ...others] = await pagesOf(1400);
    expect(only).toBeGreaterThan(100_000);
    expect(others).toEqual([]);
  });

  test("are of at most 32 KiB where there are several, as a proxy's requests wait while it takes one", async () => {
    const sizes = await pagesOf(2400);
    expect(Math.max(...sizes)).toBeLessThan(33_000);
    expect(sizes.length).toBeLessThan(10);
  });
});

describe("limits", () => {
  test.each([
    ["scope=demo", "scope"],
    ["layout=1", "layout: this server makes layout"],
    ["revision=-1", "revision: expected a whole number"],
    ["revision=1e3", "revision: expected a whole number"],
    ["next=99999999999999999", "next: expected a whole number"],
    ["wait=x", "wait: expected a whole number"],
    ["history=xyz", "history: expected 1 to 16 hexadecimal digits"],
    ["digest=12345678901234567", "digest: expected 1 to 16 hexadecimal digits"],
  ])("a query with %s is refused", async (text, message) => {
    const { feed } = bed([]);
    const answer = await feed.poll(new URLSearchParams(text));
    expect(answer).toMatchObject({ status: 400, type: "application/json" });
    expect(errorOf(answer)).toMatchObject({
      code: "invalid_query",
      message: expect.stringContaining(message),
      details: [],
    });
    expect(feed.counts.refused).toBe(1);
  });

  test("of polls that wait, and of scopes", async () => {
    const { feed } = bed([], { maxPolls: 1, maxTables: 1 });
    const client = await clientOf(feed);
    const waits = feed.poll(client.query(20));
    const full = await feed.poll(client.query(20));
    expect(full).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
    expect(errorOf(full).code).toBe("too_many_polls");
    expect(errorOf(await feed.poll(new ReferenceClient("outbound:a").query())).code).toBe("too_many_scopes");
    feed.close();
    await waits;
  });

  test("of an answer: what proxies would refuse is not sent, and it is said why", async () => {
    const to = "x".repeat(1000);
    const routes = Array.from({ length: 1100 }, (_, i): Own => ({ id: `id${i}`, service: `s${i}`, key: "one", to }));
    const { feed } = bed(routes);
    const client = new ReferenceClient();
    await poll(feed, client);
    const answer = await feed.poll(client.query());
    expect(answer.status).toBe(503);
    expect(errorOf(answer)).toMatchObject({
      code: "table_too_large",
      message: expect.stringMatching(
        /^scope "": the routes of one key have \d+ bytes together, and proxies take no more than 1048576$/,
      ),
    });
  });

  test("of time: a table that nobody asks for is not held", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
    const { feed, routes } = bed([keyRoute("a")], { idle: 1000 });
    const client = await clientOf(feed, "demo/reviews");
    expect(feed.tables).toEqual([{ scope: "demo/reviews", routes: 1, buckets: 1, waiting: 0 }]);
    vi.advanceTimersByTime(2000);
    expect(feed.tables).toEqual([]);
    routes.change([keyRoute("b")]);
    await settle(feed, client);
    expect(client.lookUp("b")).toEqual(["to-b"]);
  });
});

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
  const answers = await Promise.all(clients.map((client) => feed.poll(client.query())));
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
