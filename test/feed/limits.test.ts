// What a server does not hold or answer, and pages that take turns.
import { afterEach, describe, expect, test, vi } from "vitest";
import { ask, bed, clientOf, errorOf, keyRoute, type Own, poll, settle } from "./bed.ts";
import { ReferenceClient } from "./reference-client.ts";

afterEach(() => void vi.useRealTimers());

describe("the pages of a sweep", () => {
  /** The bytes of all pages of a table of so many routes, each of which has some 80 bytes. */
  async function pagesOf(count: number): Promise<number[]> {
    const { feed } = bed(Array.from({ length: count }, (_, i) => keyRoute(`k${i}`, "to".repeat(32))));
    const client = new ReferenceClient("");
    const sizes: number[] = [];
    while (!client.isConsistent) {
      const { body } = await ask(feed, client.query());
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
    const answer = await ask(feed, new URLSearchParams(text));
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
    const waits = ask(feed, client.query(20));
    const full = await ask(feed, client.query(20));
    expect(full).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
    expect(errorOf(full).code).toBe("too_many_polls");
    expect(errorOf(await ask(feed, new ReferenceClient("outbound:a").query())).code).toBe("too_many_scopes");
    feed.close();
    await waits;
  });

  test("of an answer: what proxies would refuse is not sent, and it is said why", async () => {
    const to = "x".repeat(1000);
    const routes = Array.from({ length: 1100 }, (_, i): Own => ({ id: `id${i}`, service: `s${i}`, key: "one", to }));
    const { feed } = bed(routes);
    const client = new ReferenceClient();
    await poll(feed, client);
    const answer = await ask(feed, client.query());
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
