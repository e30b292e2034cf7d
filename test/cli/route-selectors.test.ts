// The words of Amalgam8's `a8ctl route-set`.
import { expect, test } from "vitest";
import { startRoutes } from "./routes.ts";

const subset = (name: string) => ({ service: "reviews", subset: name });

test("selectors become routes to subsets, the first before the second, and weights one split with the default", async () => {
  const { route, routes, put } = await startRoutes();
  await put("preview", { service: "reviews", key: "pr-42", to: "reviews-pr-42" });
  const selectors = [`v2(user="Alice")`, "v3(weight=0.1)", `v4(header="X-Beta:on")`, "v5(weight=0.25)"];
  const words = selectors.flatMap((one) => ["--selector", one]);
  const { code, err } = await route("set", "reviews", "--default", "v1", ...words);
  expect(code).toBe(0);
  expect(err).toContain(`--selector 1, v2(user="Alice"): the cookie user is Alice and nothing else`);
  expect(err).toContain("weight: Amalgam8 0.x keeps a browser with the version it got");
  const made = [
    { id: "reviews-set-001", service: "reviews", when: [{ cookie: "user", exact: "Alice" }], to: subset("v2") },
    { id: "reviews-set-002", service: "reviews", when: [{ header: "X-Beta", exact: "on" }], to: subset("v4") },
    {
      id: "reviews-set-003",
      service: "reviews",
      split: [
        { to: subset("v3"), weight: 10 },
        { to: subset("v5"), weight: 25 },
        { to: subset("v1"), weight: 65 },
      ],
    },
  ];
  expect(await routes()).toEqual([expect.objectContaining({ id: "preview" }), ...made]);
});

test("the words replace what they said before, and nothing else of the service", async () => {
  const { route, routes, put } = await startRoutes();
  await put("preview", { service: "reviews", key: "pr-42", to: "reviews-pr-42" });
  await put("reviews-set-me", { service: "reviews", key: "pr-43", to: "reviews-pr-43" });
  await route("set", "reviews", "--default", "v1", "--selector", "v2(user=a)", "--selector", "v3(user=b)");
  await route("set", "reviews", "--default", "v1");
  const all = { service: "reviews", split: [{ to: subset("v1"), weight: 100 }] };
  expect((await routes()).map(({ id }) => id)).toEqual(["preview", "reviews-set-001", "reviews-set-me"]);
  expect(await routes()).toContainEqual({ id: "reviews-set-001", ...all });
});

test.each([
  ["on", { exact: "on" }],
  ["^on$", { exact: "on" }],
  ["on.*", { prefix: "on" }],
  ["^on", { prefix: "on" }],
  [".*on", { suffix: "on" }],
  ["on$", { suffix: "on" }],
  [".*on.*", { contains: "on" }],
  [".*", { present: true }],
  [".+", { present: true }],
  ["v1\\.2", { exact: "v1.2" }],
  ["a:b", { exact: "a:b" }],
])("the header pattern %s", async (pattern, comparison) => {
  const { route, routes } = await startRoutes();
  await route("set", "reviews", "--default", "v1", "--selector", `v2(header="Foo:${pattern}")`);
  expect((await routes())[0].when).toEqual([{ header: "Foo", ...comparison }]);
});

test("a label of Kubernetes' adapter is taken for a subset, and told", async () => {
  const { route, routes } = await startRoutes();
  const { err } = await route("set", "reviews", "--default", "version=v1");
  expect(err).toContain("--default version=v1: the label version=v1 is taken for the subset v1");
  expect((await routes())[0].split).toEqual([{ to: subset("v1"), weight: 100 }]);
});

test("conditions, labels and a ttl count for all that the words make", async () => {
  const { route, routes } = await startRoutes();
  const more = ["--when", "caller$=/sa/page", "--owner", "me", "--ttl", "2h", "--sticky", "cookie:session"];
  const { err } = await route(
    "set",
    "reviews",
    "--default",
    "v1",
    "--selector",
    "v2(user=a)",
    "--selector",
    "v3(weight=.5)",
    ...more,
  );
  expect(err).not.toContain("weight:");
  const caller = { request: "caller", suffix: "/sa/page" };
  expect(await routes()).toEqual([
    expect.objectContaining({
      when: [caller, { cookie: "user", exact: "a" }],
      owner: "me",
      expires: expect.any(String),
    }),
    expect.objectContaining({ when: [caller], sticky: "cookie:session", owner: "me", expires: expect.any(String) }),
  ]);
});

test.each([
  [["v2"], "--selector 1, v2: this is no selector"],
  [["(user=a)"], "this is no selector"],
  [["v2()"], "this is no selector"],
  [["v2(user=a)", "v2(cookie=a)"], "--selector 2, v2(cookie=a): unknown kind cookie; there is weight, user, header"],
  [[`v2(user="")`], "user has no value"],
  [[`v2(user="a", weight=0.5)`], "a selector has one kind"],
  [["v2(weight=10)"], "a weight is a fraction above 0 and at most 1, not 10"],
  [["v2(weight=0)"], "a weight is a fraction"],
  [["v2(weight=0.6)", "v3(weight=0.5)"], "the weights of --selector are more than 1 together"],
  [["v2(header=Foo)"], "a header is NAME:PATTERN"],
  [["v2(header=Foo:a|b)"], "Keyway compares texts and knows no regular expressions such as a|b"],
  [["v2,canary(user=a)"], "a route leads to one subset, and these are 2 tags"],
])("what can't be carried over is refused with its place: %j", async (selectors, message) => {
  const { route, routes } = await startRoutes();
  const { code, err } = await route(
    "set",
    "reviews",
    "--default",
    "v1",
    ...selectors.flatMap((one) => ["--selector", one]),
  );
  expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  expect(await routes()).toEqual([]);
});

test("a caller that is a service is no condition; what to write instead is said", async () => {
  const { route } = await startRoutes();
  const { code, err } = await route("set", "reviews", "--source", "productpage", "--default", "v1");
  expect([code, err]).toEqual([2, expect.stringContaining("--when 'caller$=/sa/ACCOUNT'")]);
});
