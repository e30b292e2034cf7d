// Amalgam8's rules over HTTP: statuses, bodies, and the routes that come of them.
import { expect, test } from "vitest";
import { sent, startServer, temporaryFolder } from "../api/serve.ts";
import { backends, forUser, instance, rule, startA8 } from "./a8.ts";

test("rules are created, listed, changed and deleted, and the table follows", async () => {
  const { send, get, served } = await startA8();
  const first = { ...rule("reviews", "v2", { priority: 2, match: forUser("alice") }), id: "one", tags: ["a", "b"] };
  const created = await send("POST", "/v1/rules", {
    rules: [
      { ...first, revision: 0 },
      { ...rule("reviews", "v1"), revision: 0 },
    ],
    revision: 0,
  });
  expect([created.status, created.body]).toEqual([201, { ids: ["one", expect.stringMatching(/^[0-9a-f-]{36}$/)] }]);
  const { ids } = created.body;
  const table = async () => (await served.ask("/v1/routes")).body.routes;
  const common = { service: "reviews", owner: "Amalgam8 default", labels: { "keyway.dev/amalgam8": "default" } };
  const [v1, v2] = ["v1", "v2"].map((subset) => ({ service: "reviews", subset }));
  expect(await table()).toMatchObject([
    { id: "a8.default.reviews.0001", when: [{ header: "x-user", exact: "alice" }], to: v2, ...common },
    { id: "a8.default.reviews.0002", split: [{ to: v1, weight: 100 }], ...common },
  ]);

  const listed = await get("/v1/rules");
  const second = { id: ids[1], priority: 0, ...rule("reviews", "v1") };
  expect([listed.status, listed.body]).toEqual([200, { rules: [first, second], revision: 1 }]);
  expect((await get("/v1/rules?tag=a&tag=b")).body.rules).toEqual([first]);
  expect((await get("/v1/rules?tag=a&tag=c")).body.rules).toEqual([]);
  expect((await get(`/v1/rules?id=${ids[1]}&id=one`)).body.rules).toEqual([first, second]);
  expect((await get("/v1/rules?destination=ratings")).body.rules).toEqual([]);
  expect((await get("/v1/rules/routes")).body).toEqual({ services: { reviews: [first, second] } });
  expect((await get("/v1/rules/actions")).body).toEqual({ services: {} });
  expect((await get("/v1/rules/routes/reviews")).body).toEqual({ rules: [first, second], revision: 1 });

  const changed = await send("PUT", "/v1/rules", { rules: [{ ...first, route: backends("v3") }] });
  expect([changed.status, changed.body]).toEqual([200, ""]);
  expect((await table())[0].to).toEqual({ service: "reviews", subset: "v3" });

  const deleted = await send("DELETE", "/v1/rules?tag=a");
  expect([deleted.status, deleted.body]).toEqual([200, ""]);
  expect((await table()).map(({ id }: { id: string }) => id)).toEqual(["a8.default.reviews.0001"]);
  expect((await send("DELETE", "/v1/rules?id=nobody")).status).toBe(200);
  expect((await get("/v1/rules")).body.revision).toBe(4);
  expect((await send("DELETE", "/v1/rules")).status).toBe(200);
  expect([await table(), (await get("/v1/rules")).body]).toEqual([[], { rules: [], revision: 5 }]);
});

test("a rule with an id that is there takes its place; a name may have slashes where it is no service", async () => {
  const { send, get, routes } = await startA8();
  await send("POST", "/v1/rules", { rules: [{ ...rule("a", "v1"), id: "ci/42" }] });
  await send("POST", "/v1/rules", { rules: [{ ...rule("b", "v1"), id: "ci/42" }] });
  expect(await routes()).toEqual(["default.b.0001"]);
  expect((await get("/v1/rules?id=ci%2F42")).body.rules).toMatchObject([{ destination: "b" }]);
  expect((await get("/v1/rules/routes/a%2Fb")).body.rules).toEqual([]);
  expect((await send("DELETE", "/v1/rules/routes/b")).status).toBe(200);
  expect(await routes()).toEqual([]);
  const { status, body } = await send("POST", "/v1/rules", { rules: [rule("a/b", "v1")] });
  expect([status, body.error]).toEqual([400, "error_invalid_rule"]);
  expect(body.description).toMatch(/^Invalid rule provided: rules\[0\]: no route can be made of it: its service: /);
});

test("what a8ctl sends: route-set replaces all of a service, and traffic is moved step by step", async () => {
  const { send, get, served } = await startA8();
  const put = (rules: object[]) => send("PUT", "/v1/rules/routes/reviews", { rules });
  const weighted = (weight: number) => [{ tags: ["v2"], weight }, { tags: ["v1"] }];
  await put([rule("reviews", "old", { priority: 1 })]);
  const answer = await put([
    { destination: "reviews", priority: 3, match: { headers: { Cookie: ".*?user=Alice" } }, route: backends("v2") },
    { destination: "reviews", priority: 2, match: { headers: { Foo: "bar" } }, route: backends("v3") },
    { destination: "reviews", priority: 1, route: { backends: weighted(0.25) } },
  ]);
  expect(answer.status).toBe(201);
  expect(answer.body.ids).toHaveLength(3);
  // It searches its patterns, and keeps a browser with its version.
  expect(answer.body.findings.map(({ place, what }: Record<string, string>) => `${what} ${place}`)).toEqual([
    "narrowed rules[0].match.headers.Cookie",
    "narrowed rules[1].match.headers.Foo",
    "dropped rules[2].route.backends",
  ]);
  const table = async () => (await served.ask("/v1/routes")).body.routes;
  const subset = (name: string) => ({ service: "reviews", subset: name });
  expect(await table()).toMatchObject([
    { when: [{ cookie: "user", exact: "Alice" }], to: subset("v2") },
    { when: [{ header: "foo", exact: "bar" }], to: subset("v3") },
    {
      split: [
        { to: subset("v2"), weight: 25 },
        { to: subset("v1"), weight: 75 },
      ],
    },
  ]);

  const { body } = await get("/v1/rules/routes/reviews");
  const [, , lowest] = body.rules;
  const moved = await send("PUT", "/v1/rules", { rules: [{ ...lowest, route: { backends: weighted(0.5) } }] });
  expect(moved.status).toBe(200);
  expect(moved.body.findings).toMatchObject([{ place: "rules[0].route.backends", what: "dropped" }]);
  expect((await table())[2].split[0].weight).toBe(50);
  expect((await send("DELETE", "/v1/rules/routes/reviews")).status).toBe(200);
  expect((await send("DELETE", "/v1/rules/actions/reviews")).status).toBe(200);
  expect([await table(), (await get("/v1/rules")).body.rules]).toEqual([[], []]);
});

const old = (more: object) => ["PUT", "/v1/rules/routes/a", { rules: [{ ...rule("a", "v1"), ...more }] }] as const;
const one = (more: object) => ["POST", "/v1/rules", { rules: [{ ...rule("a", "v1"), ...more }] }] as const;
const backend = (more: object) => one({ route: { backends: [{ tags: ["v1"], ...more }] } });

test.each([
  ["no JSON", ["POST", "/v1/rules", "{"] as const, "error_invalid_json", /line 1, column 2/],
  ["no object", ["POST", "/v1/rules", []] as const, "error_invalid_rule", /provided: expected an object$/],
  ["no rules", ["POST", "/v1/rules", { rules: [] }] as const, "error_no_rules_provided", /No rules/],
  [
    "none named so",
    ["POST", "/v1/rules", { rulez: [] }] as const,
    "error_invalid_rule",
    /rules: required; rulez: unknown/,
  ],
  [
    "a misspelt field",
    one({ destinaton: "a" }),
    "error_invalid_rule",
    /rules\[0\]\.destinaton: unknown field.*did you mean destination\?/,
  ],
  ["no destination", one({ destination: undefined }), "error_invalid_rule", /rules\[0\]\.destination: required/],
  ["an empty destination", one({ destination: "" }), "error_invalid_rule", /rules\[0\]\.destination: empty/],
  ["a long id", one({ id: "x".repeat(300) }), "error_invalid_rule", /rules\[0\]\.id: longer than 253 bytes/],
  ["a broken priority", one({ priority: 1.5 }), "error_invalid_rule", /rules\[0\]\.priority: expected a whole number/],
  [
    "neither route nor actions",
    one({ route: undefined }),
    "error_invalid_rule",
    /rules\[0\]: exactly one of route, actions/,
  ],
  ["no backends", one({ route: { backends: [] } }), "error_invalid_rule", /rules\[0\]\.route\.backends: at least one/],
  ["no tags", backend({ tags: undefined }), "error_invalid_rule", /backends\[0\]\.tags: required/],
  ["a tag twice", backend({ tags: ["a", "a"] }), "error_invalid_rule", /backends\[0\]\.tags: the same tag twice/],
  ["a weight of 0", backend({ weight: 0 }), "error_invalid_rule", /backends\[0\]\.weight: expected a fraction above 0/],
  [
    "a weight of 2",
    backend({ weight: 2 }),
    "error_invalid_rule",
    /backends\[0\]\.weight: expected a fraction, at most 1/,
  ],
  ["an empty match", one({ match: {} }), "error_invalid_rule", /rules\[0\]\.match: at least one condition/],
  [
    "headers that are none",
    one({ match: { headers: { a: 1 } } }),
    "error_invalid_rule",
    /match\.headers\.a: expected a text/,
  ],
  // What Keyway has nothing for is refused by its place.
  [
    "actions",
    one({ route: undefined, actions: [{ action: "delay", duration: 1 }] }),
    "error_invalid_rule",
    /rules\[0\]\.actions: Keyway routes requests, and delays/,
  ],
  [
    "any of several",
    one({ match: { any: [{}] } }),
    "error_invalid_rule",
    /rules\[0\]\.match\.any: Keyway has no such condition$/,
  ],
  [
    "a regular expression",
    one({ match: { headers: { a: "x[0-9]" } } }),
    "error_invalid_rule",
    /rules\[0\]\.match\.headers\.a: Keyway compares texts/,
  ],
  [
    "a caller, 0.x",
    old({ match: { source: { name: "web" } } }),
    "error_invalid_rule",
    /rules\[0\]\.match\.source: it is for requests of web/,
  ],
  ["a balancing", backend({ lb_type: "random" }), "error_invalid_rule", /rules\[0\]\.route\.backends\[0\]\.lb_type: /],
  [
    "circuit breaking",
    backend({ resilience: {} }),
    "error_invalid_rule",
    /rules\[0\]\.route\.backends\[0\]\.resilience: /,
  ],
  [
    "a timeout",
    one({ route: { ...backends("v1"), http_req_timeout: 3 } }),
    "error_invalid_rule",
    /rules\[0\]\.route\.http_req_timeout: /,
  ],
  [
    "several tags",
    backend({ tags: ["v1", "eu"] }),
    "error_invalid_rule",
    /backends\[0\]\.tags: .* --amalgam8-map v1,eu=subset:NAME$/,
  ],
  [
    "weights above 1",
    one({
      route: {
        backends: [
          { tags: ["a"], weight: 0.9 },
          { tags: ["b"], weight: 0.9 },
        ],
      },
    }),
    "error_invalid_rule",
    /rules\[0\]\.route\.backends: the weights are more than 1/,
  ],
  [
    "another service than the path's",
    ["PUT", "/v1/rules/routes/b", { rules: [rule("a", "v1")] }] as const,
    "error_invalid_rule",
    /rules\[0\]\.destination: expected b/,
  ],
  [
    "an id twice",
    ["POST", "/v1/rules", { rules: [rule("a", "v1", { id: "x" }), rule("a", "v2", { id: "x" })] }] as const,
    "error_invalid_rule",
    /rules\[1\]\.id: the same id as rules\[0\]/,
  ],
  [
    "the second of two",
    ["POST", "/v1/rules", { rules: [rule("a", "v1"), rule("b", "v1", { match: { any: [] } })] }] as const,
    "error_invalid_rule",
    /rules\[1\]\.match\.any/,
  ],
])("%s is refused, and changes nothing", async (_, [method, path, body], error, description) => {
  const { served, url, get, routes } = await startA8();
  const { status, body: refusal } = await fetchJson(`${url}${path}`, sent(method, body));
  expect(refusal).toEqual({ error, description: expect.stringMatching(description) });
  expect(status).toBe(400);
  expect([await routes(), (await get("/v1/rules")).body]).toEqual([[], { rules: [], revision: 0 }]);
  await served.end();
});

async function fetchJson(url: string, init: RequestInit) {
  const response = await fetch(url, init);
  return { status: response.status, body: await response.json() };
}

test("unknown ids, filters and paths are told apart", async () => {
  const { send, get } = await startA8();
  const rules = { rules: [{ ...rule("a", "v1"), id: "nobody" }] };
  expect(await get("/v1/rules?id=nobody")).toMatchObject({ status: 404, body: { error: "error_rule_not_found" } });
  expect(await send("PUT", "/v1/rules", rules)).toMatchObject({ status: 404, body: { error: "error_rule_not_found" } });
  // Without a filter everything would go.
  expect(await send("DELETE", "/v1/rules?destinaton=a")).toMatchObject({
    status: 400,
    body: { error: "error_invalid_filter", description: expect.stringMatching(/^destinaton: rules are selected by/) },
  });
  expect(await get("/v1/rulez")).toMatchObject({ status: 404, body: { error: "error_not_found" } });
  expect((await send("PATCH", "/v1/rules")).headers.get("allow")).toBe("DELETE, GET, POST, PUT");
  expect((await get("/health")).status).toBe(200);
  const large = await send("POST", "/v1/rules", { rules: [rule("a", "x".repeat(1_100_000))] });
  expect([large.status, large.body.error]).toEqual([413, "error_invalid_json"]);
});

test("rules of both dialects are there after a restart, and a plain Envoy's clusters are said by --amalgam8-map", async () => {
  const flags = { amalgam8Map: "v1=service:{service};*=service:{service}-{tag}" };
  const first = await startA8(flags);
  await first.send("PUT", "/v1/rules/routes/a", { rules: [rule("a", "v2", { match: { headers: { x: "y" } } })] });
  const { body } = await first.send("POST", "/v1/rules", { rules: [rule("b", "version=v3"), rule("c", "v1")] });
  const before = await first.get("/v1/rules");
  const table = (await first.served.ask("/v1/routes")).body;
  expect(table.routes).toMatchObject([
    { to: "a-v2" },
    { split: [{ to: "b-v3", weight: 100 }] },
    { split: [{ to: "c", weight: 100 }] },
  ]);
  await first.served.end();
  const second = await startA8(flags, first.served.folder);
  expect((await second.get("/v1/rules")).body).toEqual(before.body);
  expect((await second.served.ask("/v1/routes")).body).toEqual(table);
  // It is of 0.x still, and so are its patterns.
  const [{ id }] = before.body.rules;
  const again = { rules: [rule("a", "v2", { id, match: { headers: { x: "z" } } })] };
  expect((await second.send("PUT", "/v1/rules", again)).body.findings).toMatchObject([{ what: "narrowed" }, {}]);
  const newer = { rules: [{ ...rule("b", "v3", { match: { headers: { x: "z" } } }), id: body.ids[0] }] };
  expect((await second.send("PUT", "/v1/rules", newer)).body.findings).toMatchObject([{ what: "widened" }]);
});

test("many rules at once are ordered by their priorities, and those of several requests at one time are all kept", async () => {
  const { send, get, served } = await startA8();
  const rules = Array.from({ length: 40 }, (_, at) =>
    rule("a", `v${at}`, { priority: at, match: forUser(String(at)), id: `r${at}` }),
  );
  await Promise.all(rules.map((own) => send("POST", "/v1/rules", { rules: [own] })));
  expect((await get("/v1/rules")).body).toMatchObject({ revision: 40 });
  const { body } = await served.ask("/v1/routes");
  const users = body.routes.map(({ when }: { when: { exact: string }[] }) => Number(when[0]?.exact));
  expect(users).toEqual(Array.from({ length: 40 }, (_, at) => 39 - at));
});

test("a route that is made of rules is written by no other way, and any other id is free", async () => {
  const a8 = await startA8();
  await a8.send("POST", "/v1/rules", { rules: [rule("reviews", "v1")] });
  await a8.send("POST", "/api/v1/instances", instance("reviews", "10.0.0.1:80", { tags: ["v1"], ttl: 60 }));
  await expect.poll(() => a8.routes()).toEqual(["default.reviews.0001"]);
  const { ask } = a8.served;
  const route = { service: "reviews", key: "a", to: "b" };
  const message = expect.stringMatching(/^the route a8\.\S+ is made from Amalgam8's rules, .*GET \/v1\/rules/);
  const refused = { status: 409, body: { error: { code: "conflict", message } } };
  expect(await ask("/v1/routes/a8.default.reviews.0001", sent("PUT", route))).toMatchObject(refused);
  expect(await ask("/v1/routes/a8.default.ratings.0001", sent("PUT", route))).toMatchObject(refused);
  expect(await ask("/v1/routes/a8.default.reviews.0001", sent("DELETE"))).toMatchObject(refused);
  const both = { set: [{ id: "mine", ...route }], delete: ["a8.default.reviews.0001"] };
  expect(await ask("/v1/routes:apply", sent("POST", both))).toMatchObject(refused);
  expect(await a8.routes()).toEqual(["default.reviews.0001"]);
  expect((await ask("/v1/routes/a8", sent("PUT", route))).status).toBe(201);
});

test("what a door has left is deleted as any other route where there is no door any more", async () => {
  const folder = temporaryFolder();
  const a8 = await startA8({}, folder);
  await a8.send("POST", "/v1/rules", { rules: [rule("reviews", "v1")] });
  await a8.send("POST", "/api/v1/instances", instance("reviews", "10.0.0.1:80", { tags: ["v1"], ttl: 60 }));
  await expect.poll(() => a8.routes()).toEqual(["default.reviews.0001"]);
  await a8.served.end();
  const { ask } = await startServer({}, folder);
  expect((await ask("/v1/routes/a8.default.reviews.0001", sent("DELETE"))).status).toBe(204);
});
