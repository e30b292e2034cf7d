// When a poll is answered, and with what.
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { Answer } from "../../server/feed/feed.ts";
import {
  ask,
  bed,
  clientOf,
  expected,
  fakeTimers,
  feedOf,
  held,
  keyRoute,
  keyRoutes,
  pageOf,
  poll,
  Routes,
  settle,
  stateOf,
} from "./bed.ts";
import { ReferenceClient } from "./reference-client.ts";

afterEach(() => void vi.useRealTimers());

/** Lets the server give its answers, in the turns of some milliseconds. */
async function turns(milliseconds: number): Promise<void> {
  for (let i = 0; i < milliseconds; i++) {
    await turn();
    await vi.advanceTimersByTimeAsync(1);
  }
}

describe("a poll with nothing new", () => {
  test("is held until its time is over, and then says in 64 bytes that the table is the same", async () => {
    const { feed } = bed([keyRoute("a"), { id: "r", service: "reviews", split: [{ to: "b", weight: 1 }] }]);
    const client = await clientOf(feed);
    fakeTimers();
    const answer = ask(feed, client.query(20));
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

  test("costs no timer of its own, and each is over at its own time", async () => {
    const { feed } = bed([keyRoute("a")]);
    const client = await clientOf(feed);
    fakeTimers();
    const late = Array.from({ length: 100 }, () => ask(feed, client.query(20)));
    const early = Array.from({ length: 100 }, () => ask(feed, client.query(10)));
    await stateOf(early[0] as Promise<unknown>);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(10_000);
    await turns(200);
    await Promise.all(early);
    expect(feed.waiting).toBe(100);
    await vi.advanceTimersByTimeAsync(10_000);
    await turns(200);
    await Promise.all(late);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is held, too, while the server has had no write yet, and the first is told at once", async () => {
    const routes = new Routes([], { revision: 0 });
    const feed = feedOf(routes);
    onTestFinished(() => feed.close());
    const client = await clientOf(feed);
    expect(client.revision).toBe(0);
    const answer = ask(feed, client.query(20));
    expect(await stateOf(answer)).toBe("waiting");
    routes.change([keyRoute("a")]);
    client.apply((await answer).body);
    expect(client.lookUp("a")).toEqual(["to-a"]);
  });

  test("is answered at once where the proxy does not say what it has", async () => {
    const { feed } = bed([keyRoute("a")]);
    const query = (await clientOf(feed)).query(20);
    query.delete("digest");
    expect(pageOf(await ask(feed, query))).toMatchObject({ isLast: true, records: [] });
  });

  test("ends with its signal", async () => {
    const { feed } = bed([keyRoute("a")]);
    const client = await clientOf(feed);
    const gone = new AbortController();
    const answer = ask(feed, client.query(20), gone.signal);
    await stateOf(answer);
    expect(feed.waiting).toBe(1);
    gone.abort(new Error("the client went away"));
    await expect(answer).rejects.toThrow("the client went away");
    await expect(ask(feed, client.query(20), gone.signal)).rejects.toThrow("the client went away");
    expect(feed.waiting).toBe(0);
  });

  test("is answered at once when the server ends, as are those that come later", async () => {
    const { feed } = bed([keyRoute("a")]);
    const client = await clientOf(feed);
    const answer = ask(feed, client.query(20));
    await stateOf(answer);
    feed.close();
    expect(pageOf(await answer)).toMatchObject({ isLast: true, records: [] });
    expect(pageOf(await ask(feed, client.query(20)))).toMatchObject({ isLast: true, records: [] });
  });
});

describe("a change", () => {
  test("is told to all who wait, in the same bytes, with the one bucket that it has changed", async () => {
    const { feed, routes } = bed(keyRoutes(1000));
    const clients = [await clientOf(feed), await clientOf(feed), await clientOf(feed)];
    const answers = clients.map((client) => ask(feed, client.query(20)));
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
    const answer = ask(feed, client.query(20));
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
    const wait = () => Array.from({ length: 400 }, () => ask(feed, client.query(20)));
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
    more.push(ask(feed, behind));
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
    const held = ask(feed, client.query(20));
    await stateOf(held);
    routes.change(keyRoutes(20_000));
    routes.change([keyRoute("k3", "later")], ["id-a"]);
    const asked = ask(feed, client.query(20));
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
    const same = pageOf(await ask(other, client.query()));
    expect(same).toMatchObject({ isReset: false, isLast: true, records: [], revision: 50 });
    restored.change([keyRoute("k1", "elsewhere")]);
    expect(pageOf(await ask(other, client.query()))).toMatchObject({ isReset: true, records: [] });
    await settle(other, client);
    expect(client.lookUp("k1")).toEqual(["elsewhere"]);
    expect(other.counts.resets).toBe(2);
  });

  test("is not what its digest says: it begins anew", async () => {
    const { feed } = bed(keyRoutes(100));
    const query = (await clientOf(feed)).query();
    query.set("digest", "0123456789abcdef");
    expect(pageOf(await ask(feed, query)).isReset).toBe(true);
  });

  test("is newer than what the server has: it waits a moment for its store", async () => {
    const { feed, routes } = bed(keyRoutes(100));
    const client = await clientOf(feed);
    const query = client.query();
    query.set("revision", "2");
    query.set("digest", "0123456789abcdef");
    query.delete("digest");
    const answer = ask(feed, query);
    expect(await stateOf(answer)).toBe("waiting");
    routes.change([keyRoute("k1", "elsewhere")]);
    expect(pageOf(await answer)).toMatchObject({ isReset: false, revision: 2 });
    query.set("revision", "99");
    expect(pageOf(await ask(feed, query)).isReset).toBe(true);
  });
});
