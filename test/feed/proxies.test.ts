// How far a change has come, by what proxies ask.
import { afterEach, expect, test, vi } from "vitest";
import type { Feed, ProxyFilter } from "../../server/feed/feed.ts";
import type { Follower as Elsewhere } from "../../server/feed/followers.ts";
import { parseScope, type Scope } from "../../server/feed/scope.ts";
import { ask, feedOf, keyRoute, keyRoutes, Routes } from "./bed.ts";
import { ReferenceClient } from "./reference-client.ts";

afterEach(() => void vi.useRealTimers());

/** A proxy that polls over a connection of its own. */
class Follower {
  readonly client: ReferenceClient;
  readonly #left = new AbortController();
  readonly #feed: Feed;
  readonly address: string;

  constructor(feed: Feed, address: string, scope = "") {
    this.#feed = feed;
    this.address = address;
    this.client = new ReferenceClient(scope);
  }

  /** One poll that is answered at once, applied. */
  async poll(): Promise<void> {
    const answer = await ask(this.#feed, this.client.query(), undefined, this.address);
    if (answer.status !== 200) throw new Error(new TextDecoder().decode(answer.body));
    this.client.apply(answer.body);
  }

  /** Polls until its table is whole, and says so with one more poll. */
  async settle(): Promise<void> {
    do await this.poll();
    while (!this.client.isConsistent || !this.client.isServing);
    await this.poll();
  }

  /** Asks and waits for a change. */
  hold(): Promise<void> {
    const answer = ask(this.#feed, this.client.query(20), this.#left.signal, this.address);
    return answer.then(({ body }) => this.client.apply(body));
  }

  close(): void {
    this.#left.abort();
    this.#feed.left(this.address);
  }
}

const numbers = (feed: Feed, revision?: number, filter?: ProxyFilter) => {
  const { proxies, inForce } = feed.inForce(revision, filter);
  return [inForce, proxies];
};

test("nobody follows a table at first, and who asks for the first time has nothing in force", async () => {
  const feed = feedOf(new Routes(keyRoutes(3)));
  expect(feed.inForce()).toEqual({ revision: 1, proxies: 0, inForce: 0, scopes: [] });
  const proxy = new Follower(feed, "10.0.0.1:1");
  await proxy.poll();
  expect(feed.inForce()).toEqual({
    revision: 1,
    proxies: 1,
    inForce: 0,
    scopes: [{ scope: "", proxies: 1, inForce: 0, behind: ["10.0.0.1:1"] }],
  });
  await proxy.settle();
  expect(numbers(feed)).toEqual([1, 1]);
  feed.close();
});

test("a change is in force once the proxy asks with it, and what was before stays in force", async () => {
  const routes = new Routes(keyRoutes(3));
  const feed = feedOf(routes);
  const [one, other] = [new Follower(feed, "a:1"), new Follower(feed, "b:1")];
  await Promise.all([one.settle(), other.settle()]);
  const held = one.hold();
  routes.change([keyRoute("new")]);
  expect([numbers(feed), numbers(feed, 1)]).toEqual([
    [0, 2],
    [2, 2],
  ]);
  await held;
  // It has been told, and has not said yet that it has it.
  expect(numbers(feed)).toEqual([0, 2]);
  await one.poll();
  expect(feed.inForce()).toMatchObject({ inForce: 1, scopes: [{ behind: ["b:1"] }] });
  await other.settle();
  expect(numbers(feed)).toEqual([2, 2]);
  feed.close();
});

test("a proxy whose table a change does not concern has it in force at once", async () => {
  const routes = new Routes([{ id: "a", service: "reviews.demo", key: "k", to: "b" }]);
  const feed = feedOf(routes);
  const [all, reviews, ratings] = [
    new Follower(feed, "a:1"),
    new Follower(feed, "b:1", "demo/reviews"),
    new Follower(feed, "c:1", "demo/ratings"),
  ];
  for (const proxy of [all, reviews, ratings]) await proxy.settle();
  routes.change([{ id: "b", service: "ratings.demo", key: "k", to: "b" }]);
  expect(feed.inForce().scopes).toEqual([
    { scope: "", proxies: 1, inForce: 0, behind: ["a:1"] },
    { scope: "demo/ratings", proxies: 1, inForce: 0, behind: ["c:1"] },
    { scope: "demo/reviews", proxies: 1, inForce: 1, behind: [] },
  ]);
  feed.close();
});

test("proxies are counted by scope, service and route", async () => {
  const routes = new Routes([{ id: "a", service: "reviews.demo:9080", key: "k", to: "b" }]);
  const feed = feedOf(routes);
  const scopes = ["", "demo/reviews", "demo/ratings", "outbound:demo", "inbound:demo/reviews:9080=8080"];
  for (const [at, scope] of scopes.entries()) await new Follower(feed, `a:${at}`, scope).settle();
  const scopesOf = (filter: ProxyFilter) => feed.inForce(undefined, filter).scopes.map(({ scope }) => scope);
  const concerned = ["", "demo/reviews", "inbound:demo/reviews:9080=8080", "outbound:demo"];
  expect(scopesOf({ service: "reviews.demo" })).toEqual(concerned);
  expect(scopesOf({ service: "reviews:1" })).toEqual(concerned);
  expect(scopesOf({ service: "reviews.shop" })).toEqual(["", "outbound:demo"]);
  expect(scopesOf({ service: "*" })).toHaveLength(5);
  const [route] = routes.state.routes();
  expect(scopesOf({ routes: route ? [route] : [] })).toEqual(concerned);
  expect(scopesOf({ routes: [] })).toEqual([]);
  expect(scopesOf({ scope: parseScope("*") as Scope })).toEqual([""]);
  expect(scopesOf({ scope: parseScope("outbound:demo") as Scope, service: "reviews" })).toEqual(["outbound:demo"]);
  feed.close();
});

test("a proxy counts while it waits, for half a minute after its last poll, and until its connection is closed", async () => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout", "Date"] });
  const feed = feedOf(new Routes(keyRoutes(3)));
  const [one, other] = [new Follower(feed, "a:1"), new Follower(feed, "b:1")];
  await one.settle();
  await other.settle();
  const left = one.hold().catch(() => {});
  await vi.advanceTimersByTimeAsync(19_000);
  expect(numbers(feed)).toEqual([2, 2]);
  one.close();
  await left;
  expect(numbers(feed)).toEqual([1, 1]);
  await vi.advanceTimersByTimeAsync(10_900);
  expect(numbers(feed)).toEqual([1, 1]);
  await vi.advanceTimersByTimeAsync(200);
  expect(numbers(feed)).toEqual([0, 0]);
  await other.poll();
  expect(numbers(feed)).toEqual([1, 1]);
  feed.close();
});

test("a connection that goes over to another scope is one proxy still", async () => {
  const feed = feedOf(new Routes(keyRoutes(3)));
  await new Follower(feed, "a:1").settle();
  await new Follower(feed, "a:1", "outbound:demo").settle();
  expect(feed.inForce().scopes).toMatchObject([{ scope: "outbound:demo", proxies: 1 }]);
  feed.close();
});

test("a revision that this server has yet to reach is in force where a proxy has it from another one", async () => {
  const [ours, theirs] = [new Routes(keyRoutes(3)), new Routes(keyRoutes(3))];
  theirs.change([keyRoute("new")]);
  const [feed, ahead] = [feedOf(ours), feedOf(theirs)];
  const [one, other] = [new Follower(ahead, "a:1"), new Follower(feed, "b:1")];
  await one.settle();
  await other.settle();
  expect(numbers(feed, 2)).toEqual([0, 1]);
  const asked = ask(feed, one.client.query(), undefined, "a:1");
  expect(numbers(feed, 2)).toEqual([1, 2]);
  feed.close();
  ahead.close();
  await asked;
});

test("another table than the one of its revision is in force nowhere", async () => {
  const routes = new Routes(keyRoutes(3));
  const feed = feedOf(routes);
  const proxy = new Follower(feed, "a:1");
  await proxy.settle();
  for (const [name, value] of [
    ["digest", "1234"],
    ["history", "99"],
    ["digest", ""],
  ] as const) {
    const query = proxy.client.query();
    query.set(name, value);
    // A history that is not known with the very digest of the table is the same table.
    await ask(feed, query, undefined, "a:1");
    expect(numbers(feed), name).toEqual(name === "history" ? [1, 1] : [0, 1]);
  }
  routes.change([keyRoute("new")]);
  expect(numbers(feed)).toEqual([0, 1]);
  feed.close();
});

/** Asks as a client does, by an address, and applies the answer. */
async function pollBy(feed: Feed, client: ReferenceClient, address: string): Promise<void> {
  const answer = await ask(feed, client.query(), undefined, address);
  client.apply(answer.body);
}

test("a proxy that takes turns with two connections, as Envoy does, is one proxy, through changes, resets and large tables", async () => {
  const routes = new Routes(keyRoutes(3));
  const feed = feedOf(routes, { pageBytes: 4096 });
  const client = new ReferenceClient();
  let turn = 0;
  const next = () => pollBy(feed, client, `a:${turn++ % 2}`);
  const settle = async () => {
    do await next();
    while (!client.isConsistent || !client.isServing);
    await next();
  };
  await settle();
  for (let round = 0; round < 4; round++) {
    expect(numbers(feed)).toEqual([1, 1]);
    routes.change([keyRoute(`new-${round}`)]);
    expect(numbers(feed)).toEqual([0, 1]);
    await settle();
  }
  routes.change(keyRoutes(900, "many"));
  await settle();
  expect(client.pages).toBeGreaterThan(10);
  expect(numbers(feed)).toEqual([1, 1]);
  // A question that the server can't place leads to a reset, after which the proxy begins anew.
  const lost = client.query();
  lost.set("digest", "1234");
  const reset = await ask(feed, lost, undefined, `a:${turn++ % 2}`);
  client.apply(reset.body);
  expect(client.resets).toBe(1);
  await settle();
  expect(numbers(feed)).toEqual([1, 1]);
  feed.close();
});

test("proxies of one host that share its connections are as many as they are, and one that asks no more stays behind", async () => {
  const routes = new Routes(keyRoutes(3));
  const feed = feedOf(routes);
  const clients = Array.from({ length: 5 }, () => new ReferenceClient());
  const settled = async (client: ReferenceClient, address: string) => {
    do await pollBy(feed, client, address);
    while (!client.isConsistent || !client.isServing);
  };
  for (const [at, client] of clients.entries()) await settled(client, `a:${at}`);
  // Each waits on a connection, and after a change asks again on one that another one had, or that is new.
  const hold = (address: string, client: ReferenceClient) =>
    ask(feed, client.query(20), undefined, address).then(({ body }) => client.apply(body));
  for (let round = 0; round < 6; round++) {
    const held = clients.map((client, at) => hold(`a:${(at * 3 + round) % 7}`, client));
    await new Promise((resolve) => setImmediate(resolve));
    expect(numbers(feed)).toEqual([5, 5]);
    routes.change([keyRoute(`round-${round}`)]);
    expect(numbers(feed)).toEqual([0, 5]);
    await Promise.all(held);
  }
  for (const [at, client] of clients.slice(1).entries()) await pollBy(feed, client, `a:${at + 10}`);
  expect(numbers(feed)).toEqual([4, 5]);
  feed.close();
});

test("two tables of one Envoy that swap their connections are two, each with its own", async () => {
  const routes = new Routes(keyRoutes(3));
  const feed = feedOf(routes);
  const [all, outbound] = [new ReferenceClient(), new ReferenceClient("outbound:demo")];
  for (let polls = 0; polls < 3; polls++) await pollBy(feed, all, "a:1");
  for (let polls = 0; polls < 3; polls++) await pollBy(feed, outbound, "a:2");
  const scopes = () => feed.inForce().scopes.map(({ scope, proxies, inForce }) => [scope, inForce, proxies]);
  expect(scopes()).toEqual([
    ["", 1, 1],
    ["outbound:demo", 1, 1],
  ]);
  await pollBy(feed, outbound, "a:1");
  await pollBy(feed, all, "a:3");
  expect(scopes()).toEqual([
    ["", 1, 1],
    ["outbound:demo", 1, 1],
  ]);
  feed.close();
});

/** A proxy of another server, which has this table. */
const elsewhere = (client: ReferenceClient, more: Partial<Elsewhere> = {}): Elsewhere => ({
  address: "10.0.0.9:1",
  scope: client.scope,
  digest: client.query().get("digest") ?? undefined,
  cameAt: performance.now() - 60_000,
  answeredAt: undefined,
  ...more,
});

test("proxies of other servers are counted by their tables, however those servers count revisions", async () => {
  const routes = new Routes(keyRoutes(3));
  const feed = feedOf(routes);
  const own = new Follower(feed, "10.0.0.1:1");
  await own.settle();
  const before = elsewhere(own.client);
  routes.change([keyRoute("7")]);
  await own.settle();
  const after = elsewhere(own.client, { address: "10.0.0.8:1" });
  const loading = elsewhere(own.client, { address: "10.0.0.7:1", digest: undefined });
  const count = async (others: Elsewhere[], revision?: number) => {
    const { inForce, proxies } = await feed.inForceAt([others], revision);
    return [inForce, proxies];
  };
  expect(await count([])).toEqual([1, 1]);
  expect(await count([before])).toEqual([1, 2]);
  expect(await count([before], 1)).toEqual([2, 2]);
  expect(await count([after])).toEqual([2, 2]);
  expect(await count([after], 1)).toEqual([2, 2]);
  expect(await count([after, before, loading])).toEqual([2, 4]);
  expect(await count([after], 1000)).toEqual([0, 2]);
});

test("a scope that only another server is asked for is compiled to compare with", async () => {
  const routes = new Routes([{ ...keyRoute("1"), service: "reviews.demo:9080" }]);
  const other = feedOf(routes);
  const proxy = new Follower(other, "10.0.0.1:1", "demo/reviews");
  await proxy.settle();
  const feed = feedOf(routes);
  const there = elsewhere(proxy.client);
  expect(await feed.inForceAt([[there]])).toMatchObject({
    proxies: 1,
    inForce: 1,
    scopes: [{ scope: "demo/reviews" }],
  });
  expect((await feed.inForceAt([[there]], undefined, { service: "ratings" })).proxies).toBe(0);
  expect((await feed.inForceAt([[{ ...there, digest: "1234" }]])).inForce).toBe(0);
  const full = feedOf(routes, { maxTables: 0 });
  expect(await full.inForceAt([[there]])).toMatchObject({ proxies: 1, inForce: 0 });
});

test("a proxy that has moved to another server is counted there alone, and one that comes back from there here", async () => {
  const feed = feedOf(new Routes(keyRoutes(3)));
  const proxy = new Follower(feed, "10.0.0.1:1");
  await proxy.settle();
  const moved = elsewhere(proxy.client, { address: "10.0.0.1:2", cameAt: performance.now() });
  const scopes = async (other: Elsewhere) => (await feed.inForceAt([[other]])).proxies;
  expect(await scopes(moved)).toBe(1);
  vi.spyOn(performance, "now").mockImplementation(() => real() + 1000);
  const answered = { ...moved, answeredAt: performance.now() };
  vi.spyOn(performance, "now").mockImplementation(() => real() + 1010);
  const held = proxy.hold();
  await Promise.resolve();
  expect(await scopes(answered)).toBe(1);
  vi.restoreAllMocks();
  feed.close();
  await held;
});

const real = performance.now.bind(performance);
