import { expect, test } from "vitest";
import { LAYOUT } from "../../routes/model/feed.ts";
import { reviews, sent, sharedServer, startServer } from "./serve.ts";

const shared = sharedServer();

test("a route is created, read, replaced, left as it is, and deleted", async () => {
  const { ask } = await startServer();
  const created = await ask("/v1/routes/pr-42", sent("PUT", { ...reviews, owner: "ann", labels: { b: "2", a: "1" } }));
  expect(created).toMatchObject({ status: 201, body: { id: "pr-42", ...reviews, owner: "ann", revision: 1 } });
  expect(created.headers.get("location")).toBe("/v1/routes/pr-42");
  expect(created.headers.get("etag")).toBe('"1"');

  const read = await ask("/v1/routes/pr-42");
  expect(read).toMatchObject({ status: 200, body: created.body });
  const again = await ask("/v1/routes/pr-42", sent("PUT", read.body));
  expect([again.status, again.body, again.headers.get("etag")]).toEqual([200, read.body, '"1"']);
  const shuffled = { labels: { a: "1", b: "2" }, to: "reviews-pr-42", owner: "ann", key: "pr-42", service: "reviews" };
  expect((await ask("/v1/routes/pr-42", sent("PUT", shuffled))).body.revision).toBe(1);
  const replaced = await ask("/v1/routes/pr-42", sent("PUT", { ...reviews, to: "other" }));
  expect([replaced.status, replaced.body]).toEqual([200, { id: "pr-42", ...reviews, to: "other", revision: 2 }]);
  expect(await ask("/v1/routes/pr-42", sent("DELETE"))).toMatchObject({ status: 204, body: "" });
  expect(await ask("/v1/routes/pr-42", sent("DELETE"))).toMatchObject({ status: 404 });
  expect(await ask("/v1/routes/pr-42")).toMatchObject({
    status: 404,
    body: { error: { code: "not_found", message: "there is no route pr-42", details: [] } },
  });
});

test("all kinds of routes come back as they were written", async () => {
  const { ask } = await startServer();
  const routes = [
    { from: "*", key: "k", to: "everything" },
    {
      from: "outbound|9080||reviews.demo.svc.cluster.local",
      key: "k",
      to: "outbound|9080|v2|reviews.demo.svc.cluster.local",
    },
    { service: "reviews", when: [{ cookie: "user", exact: "alice" }], to: { service: "reviews", subset: "v2" } },
    {
      service: "ratings.shop:http",
      key: "k",
      when: [{ request: "path", prefix: "/api/" }],
      to: { cluster: "x" },
      missing: "fail",
    },
    { service: "reviews", split: [{ to: "reviews-v3", weight: 10 }], sticky: "cookie:session" },
    { service: { service: "reviews", subset: "v1" }, key: "k", to: "a", expires: "2090-01-01T00:00:00Z" },
  ];
  for (const [at, route] of routes.entries()) {
    const { status, body } = await ask(`/v1/routes/r-${at}`, sent("PUT", route));
    expect([status, body]).toEqual([201, { id: `r-${at}`, ...route, revision: at + 1 }]);
  }
  const { body } = await ask("/v1/routes");
  expect(body).toEqual({
    routes: routes.map((route, at) => ({ id: `r-${at}`, ...route, revision: at + 1 })),
    revision: 6,
  });
});

test("ids with slashes and dots are one route each, percent-encoded or not", async () => {
  const { ask } = await startServer();
  const ids = ["a/b", "team.shop/pr-42", "a.b", "~x_y-z", "...", "a/..b/c"];
  for (const [at, id] of ids.entries()) {
    const path = `/v1/routes/${encodeURIComponent(id)}`;
    const put = await ask(path, sent("PUT", { ...reviews, key: `k${at}` }));
    expect([put.status, put.body.id, put.headers.get("location")]).toEqual([201, id, path]);
    expect((await ask(path)).body.id).toBe(id);
  }
  expect((await ask("/v1/routes/team.shop/pr-42")).body.id).toBe("team.shop/pr-42");
  expect((await ask("/v1/routes/a%2Fb:renew", sent("POST", { ttl: "1h" }))).body.id).toBe("a/b");
  expect((await ask("/v1/routes/a%2Fb", sent("DELETE"))).status).toBe(204);
});

test.each([
  ["a%20b"],
  ["a%2F"],
  ["%2Fa"],
  ["a%2F%2Fb"],
  ["a%2F..%2Fb"],
  ["x".repeat(254)],
  ["%ff"],
  ["a%00"],
  ["a%0Ab"],
  ["a:b"],
  ["%C3%A4"],
])("an id that can't be one is refused: %s", async (id) => {
  const { ask } = shared;
  for (const init of [undefined, sent("PUT", reviews), sent("DELETE")]) {
    expect(await ask(`/v1/routes/${id}`, init)).toMatchObject({
      status: 400,
      body: { error: { code: "invalid", details: [{ path: "id" }] } },
    });
  }
});

test("preconditions: If-Match and If-None-Match", async () => {
  const { ask } = await startServer();
  const put = (headers: Record<string, string>, to = "t") =>
    ask("/v1/routes/a", sent("PUT", { ...reviews, to }, headers));
  expect(await put({ "if-match": "*" })).toMatchObject({
    status: 412,
    body: { error: { code: "precondition_failed" } },
  });
  expect((await put({ "if-match": '"1"' })).status).toBe(412);
  expect((await put({ "if-none-match": "*" })).status).toBe(201);
  expect((await put({ "if-none-match": "*" })).status).toBe(412);
  expect((await put({ "if-none-match": '"1"' })).status).toBe(412);
  expect((await put({ "if-match": '"1"' }, "u")).status).toBe(200);
  const late = await put({ "if-match": '"1"' }, "v");
  expect([late.status, late.headers.get("etag")]).toEqual([412, '"2"']);
  expect((await put({ "if-match": 'W/"2"' }, "v")).status).toBe(412);
  expect((await put({ "if-match": '"7", "2"' }, "v")).status).toBe(200);
  expect((await put({ "if-match": "*" }, "w")).status).toBe(200);
  expect(await put({ "if-match": "4" }, "w")).toMatchObject({
    status: 400,
    body: { error: { details: [{ path: "If-Match" }] } },
  });
  expect((await ask("/v1/routes/a", { headers: { "if-none-match": '"4"' } })).status).toBe(304);
  expect((await ask("/v1/routes/a", { headers: { "if-none-match": 'W/"4"' } })).status).toBe(304);
  expect((await ask("/v1/routes/a", { headers: { "if-none-match": '"3"' } })).status).toBe(200);
  expect((await ask("/v1/routes/a", { headers: { "if-match": '"4"' } })).status).toBe(200);
  expect((await ask("/v1/routes/a", { headers: { "if-match": '"3"' } })).status).toBe(412);
  expect((await ask("/v1/routes/a:renew", sent("POST", { ttl: "1h" }, { "if-none-match": "*" }))).status).toBe(412);
  expect((await ask("/v1/routes/b", sent("DELETE", undefined, { "if-none-match": "*" }))).status).toBe(404);
  expect((await ask("/v1/routes/a", sent("DELETE", undefined, { "if-match": '"3"' }))).status).toBe(412);
  expect((await ask("/v1/routes/a", sent("DELETE", undefined, { "if-match": '"4"' }))).status).toBe(204);
  expect((await ask("/v1/routes/a", sent("DELETE", undefined, { "if-match": '"4"' }))).status).toBe(412);
});

test("of many who create the same route one does, and of many who replace a revision one does", async () => {
  const { ask } = await startServer();
  const race = (headers: Record<string, string>) =>
    Promise.all(
      Array.from({ length: 40 }, async (_, at) => {
        return (await ask("/v1/routes/a", sent("PUT", { ...reviews, to: `t-${at}` }, headers))).status;
      }),
    );
  const count = (statuses: number[], wanted: number) => statuses.filter((status) => status === wanted).length;
  const created = await race({});
  expect([count(created, 201), count(created, 200)]).toEqual([1, 39]);
  const { body } = await ask("/v1/routes/a");
  const replaced = await race({ "if-match": `"${body.revision}"` });
  expect([count(replaced, 200), count(replaced, 412)]).toEqual([1, 39]);
});

test("a route that contradicts another one is refused, and may take its place in one transaction", async () => {
  const { ask } = await startServer();
  await ask("/v1/routes/a", sent("PUT", reviews));
  const twin = await ask("/v1/routes/b", sent("PUT", { ...reviews, to: "x" }));
  expect(twin).toMatchObject({
    status: 409,
    body: { error: { code: "conflict", message: expect.stringContaining("the route a has the same") } },
  });
  expect((await ask("/v1/routes/c", sent("PUT", { ...reviews, when: [{ header: "X-A", exact: "1" }] }))).status).toBe(
    201,
  );
  const conditions = [{ exact: "1", header: "x-a" }];
  expect((await ask("/v1/routes/d", sent("PUT", { ...reviews, when: conditions }))).status).toBe(409);
  const apply = { set: [{ id: "b", ...reviews }], delete: ["a"] };
  expect((await ask("/v1/routes:apply", sent("POST", apply))).status).toBe(200);
  const both = {
    set: [
      { id: "x", ...reviews, key: "n" },
      { id: "y", ...reviews, key: "n" },
    ],
  };
  expect(await ask("/v1/routes:apply", sent("POST", both))).toMatchObject({
    status: 409,
    body: { error: { details: [{ path: "set[1]" }] } },
  });
});

test("a ttl becomes a date, a renewal another one, and what is in the past is refused", async () => {
  const { ask } = await startServer();
  const before = Date.now();
  const { body } = await ask("/v1/routes/a", sent("PUT", { ...reviews, ttl: "3d12h" }));
  const seconds = (date: string) => (Date.parse(date) - before) / 1000;
  expect(seconds(body.expires)).toBeGreaterThan(3.5 * 86_400 - 2);
  expect(seconds(body.expires)).toBeLessThan(3.5 * 86_400 + 30);
  const renewed = await ask("/v1/routes/a:renew", sent("POST", { ttl: "90m" }));
  expect(renewed).toMatchObject({ status: 200, body: { id: "a", revision: 2 } });
  expect(Math.abs(seconds(renewed.body.expires) - 5400)).toBeLessThan(30);
  expect((await ask("/v1/routes/a")).body.expires).toBe(renewed.body.expires);
  const zone = await ask("/v1/routes/a", sent("PUT", { ...reviews, expires: "2090-01-01T01:30:00.5+01:30" }));
  expect(zone.body.expires).toBe("2090-01-01T00:00:00Z");
  expect(await ask("/v1/routes/nobody:renew", sent("POST", { ttl: "1h" }))).toMatchObject({ status: 404 });
  const bad: [object, string][] = [
    [{ ttl: "2 hours" }, "ttl"],
    [{ ttl: "" }, "ttl"],
    [{ ttl: "0h" }, "ttl"],
    [{ ttl: 2 }, "ttl"],
    [{ ttl: "-2h" }, "ttl"],
    [{ ttl: "h" }, "ttl"],
    [{ ttl: "999999w" }, "ttl"],
    [{ ttl: "1h", expires: "2090-01-01T00:00:00Z" }, "ttl"],
    [{ expires: "2020-01-01T00:00:00Z" }, "expires"],
    [{ expires: "tomorrow" }, "expires"],
  ];
  for (const [end, path] of bad) {
    const refused = await ask("/v1/routes/a", sent("PUT", { ...reviews, ...end }));
    expect([refused.status, refused.body.error.details[0].path], JSON.stringify(end)).toEqual([400, path]);
    if ("expires" in end) continue;
    expect(await ask("/v1/routes/a:renew", sent("POST", end))).toMatchObject({
      status: 400,
      body: { error: { details: [{ path }] } },
    });
  }
});

test("a route is gone soon after its time has come", async () => {
  const { ask } = await startServer();
  await ask("/v1/routes/a", sent("PUT", { ...reviews, ttl: "1s" }));
  await expect.poll(async () => (await ask("/v1/routes/a")).status).toBe(404);
});

test("lists by pages, each route once, whatever happens between", async () => {
  const { ask } = await startServer();
  const set = Array.from({ length: 25 }, (_, at) => {
    return {
      id: `r-${String(at).padStart(2, "0")}`,
      ...reviews,
      key: `k-${at}`,
      labels: { half: at < 12 ? "a" : "b" },
    };
  });
  await ask("/v1/routes:apply", sent("POST", { set }));
  const pages: string[][] = [];
  let cursor = "";
  do {
    const { body } = await ask(`/v1/routes?limit=7${cursor && `&cursor=${cursor}`}`);
    pages.push(body.routes.map(({ id }: { id: string }) => id));
    cursor = body.next ?? "";
    // The route that the cursor stands at is gone when it is used.
    if (pages.length === 1) await ask("/v1/routes/r-06", sent("DELETE"));
  } while (cursor !== "");
  expect(pages.map(({ length }) => length)).toEqual([7, 7, 7, 4]);
  expect(pages.flat()).toEqual(set.map(({ id }) => id));
  expect((await ask("/v1/routes?label=half=b&key=k-20")).body.routes).toMatchObject([{ id: "r-20" }]);
  expect((await ask("/v1/routes?label=half=b&label=half=a")).body.routes).toEqual([]);
  expect((await ask("/v1/routes?limit=25&service=reviews")).body.next).toBeUndefined();
});

test("a transaction happens as a whole or not at all", async () => {
  const { ask } = await startServer();
  await ask("/v1/routes/old", sent("PUT", { ...reviews, key: "old" }));
  const set = [
    { id: "a", ...reviews, key: "a" },
    { id: "b", ...reviews, key: "b" },
  ];
  expect((await ask("/v1/routes:apply", sent("POST", { set, delete: ["old", "never-there"] }))).body).toEqual({
    revision: 2,
  });
  expect((await ask("/v1/routes")).body.routes).toMatchObject([
    { id: "a", revision: 2 },
    { id: "b", revision: 2 },
  ]);
  // The same again changes nothing.
  expect((await ask("/v1/routes:apply", sent("POST", { set }))).body).toEqual({ revision: 2 });
  expect((await ask("/v1/routes:apply", sent("POST", {}))).body).toEqual({ revision: 2 });
  const bad: [unknown, string][] = [
    [
      {
        set: [
          { id: "c", ...reviews, key: "c" },
          { id: "d", ...reviews, key: "d d" },
        ],
      },
      "set[1].key",
    ],
    [{ set: [{ ...reviews, key: "c" }] }, "set[0].id"],
    [
      {
        set: [
          { id: "c", ...reviews, key: "c" },
          { id: "c", ...reviews, key: "d" },
        ],
      },
      "set[1].id",
    ],
    [{ set: [{ id: "c", ...reviews, key: "c" }], delete: ["c"] }, "delete[0]"],
    [{ set: [{ id: "c", ...reviews, key: "c" }], delete: ["a b"] }, "delete[0]"],
    [{ set: [{ id: "c", ...reviews, key: "c" }], delte: [] }, "delte"],
    [{ set: { id: "c" } }, "set"],
    [{ set: [null] }, "set[0]"],
    [{ delete: [5] }, "delete[0]"],
    [[], ""],
    [null, ""],
    ["text", ""],
  ];
  for (const [body, path] of bad) {
    const refused = await ask("/v1/routes:apply", sent("POST", JSON.stringify(body)));
    expect([refused.status, refused.body.error.details[0].path], JSON.stringify(body)).toEqual([400, path]);
  }
  expect((await ask("/v1/routes")).body).toMatchObject({ routes: [{ id: "a" }, { id: "b" }], revision: 2 });
});

test("unknown fields are refused with the nearest name", async () => {
  const { ask } = await startServer();
  const message = async (body: object) => (await ask("/v1/routes/a", sent("PUT", body))).body.error.details[0];
  expect(await message({ ...reviews, owners: "ann" })).toEqual({
    path: "owners",
    message: 'unknown field "owners"; did you mean owner?',
  });
  expect(await message({ ...reviews, when: [{ heeader: "a", exact: "b" }] })).toEqual({
    path: "when[0].heeader",
    message: 'unknown field "heeader"; did you mean header?',
  });
  expect(await message({ ...reviews, to: { service: "x", subst: "v1" } })).toMatchObject({ path: "to.subst" });
  expect(
    (await ask("/v1/routes:apply", sent("POST", { set: [{ id: "a", ...reviews, expire: "x" }] }))).body.error
      .details[0],
  ).toEqual({
    path: "set[0].expire",
    message: 'unknown field "expire"; did you mean expires?',
  });
});

test("whoever writes a route that callers on Istio can't have is told why, once such callers ask", async () => {
  const { ask } = await startServer();
  const put = (service: string) =>
    ask("/v1/routes/a", { method: "PUT", body: JSON.stringify({ service, key: "pr-42", to: "reviews-pr-42" }) });
  expect((await put("reviews")).headers.get("warning")).toBeNull();
  expect((await ask(`/v1/table?scope=outbound:demo&layout=${LAYOUT}&revision=0&next=0`)).status).toBe(200);
  expect((await put("reviews")).headers.get("warning")).toMatch(/^299 keyway ".*port/);
  expect((await put("reviews:9080")).headers.get("warning")).toBeNull();
});
