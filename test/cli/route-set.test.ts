// `keyway route set` and what takes away or renews what it made, against a route server.
import { expect, test } from "vitest";
import { deriveId } from "../../shared/route-id.ts";
import { startRoutes } from "./routes.ts";

const soon = expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
const ID = expect.stringMatching(/^reviews-pr-42-[0-9a-v]{10}$/);

test("the same command twice changes nothing, and another target replaces the first", async () => {
  const { route, routes } = await startRoutes();
  const set = (to: string) => route("set", "reviews", "--key", "pr-42", "--to", to);
  expect((await set("reviews-pr-42")).out).toMatch(/^OUTCOME .*\ncreated +pr-42 +reviews +reviews-pr-42 /);
  expect((await set("reviews-pr-42")).out).toContain("unchanged");
  expect((await set("reviews-pr-43")).out).toContain("changed");
  expect(await routes()).toEqual([{ id: ID, service: "reviews", key: "pr-42", to: "reviews-pr-43" }]);
});

test("a ttl lasts from now on, by the server's clock, and another one renews", async () => {
  const { route, routes } = await startRoutes();
  const set = (ttl: string) => route("set", "reviews", "--key", "pr-42", "--to", "reviews-pr-42", "--ttl", ttl);
  expect((await set("2h")).out).toMatch(/(1h 59m|2h)/);
  expect((await set("3h")).out).toMatch(/^renewed/m);
  const [{ expires }] = await routes();
  expect(expires).toEqual(soon);
  expect(Date.parse(expires) - Date.now()).toBeGreaterThan(2.9 * 3_600_000);
});

test.each([
  [["--when", "cookie:user=alice"], [{ cookie: "user", exact: "alice" }]],
  [["--when", "header:X-User^=a=b"], [{ header: "X-User", prefix: "a=b" }]],
  [
    ["--when", "query:q$=z", "--when", "!path*=/x"],
    [
      { query: "q", suffix: "z" },
      { request: "path", contains: "/x", not: true },
    ],
  ],
  [["--when", "request:method!=GET"], [{ request: "method", exact: "GET", not: true }]],
  [
    ["--when", "cookie:a", "--when", "!cookie:b"],
    [
      { cookie: "a", present: true },
      { cookie: "b", present: false },
    ],
  ],
])("conditions %j", async (flags, when) => {
  const { route, routes } = await startRoutes();
  expect((await route("set", "reviews", ...flags, "--to", "reviews@v2")).err).toBe("");
  expect(await routes()).toEqual([
    { id: expect.any(String), service: "reviews", when, to: { service: "reviews", subset: "v2" } },
  ]);
});

test("everything that a route can have", async () => {
  const { route, routes } = await startRoutes();
  const flags = [
    "--owner",
    "ci",
    "--label",
    "team=a",
    "--label",
    "pr=42",
    "--missing",
    "fail",
    "--id",
    "a/b.c",
    "--expires",
    "2091-01-01T01:00:00+01:00",
  ];
  expect((await route("set", "--from", "outbound|80||a", "--key", "k", "--to", "outbound|80||b", ...flags)).code).toBe(
    0,
  );
  expect(
    (
      await route(
        "set",
        "reviews:http",
        "--split",
        "reviews-v3=10",
        "--split",
        "cluster:far=2.5%",
        "--sticky",
        "cookie:s",
      )
    ).code,
  ).toBe(0);
  expect(await routes()).toEqual([
    {
      id: "a/b.c",
      from: "outbound|80||a",
      key: "k",
      to: "outbound|80||b",
      expires: "2091-01-01T00:00:00Z",
      missing: "fail",
      owner: "ci",
      labels: { pr: "42", team: "a" },
    },
    {
      id: expect.stringMatching(/^reviews-http-split-/),
      service: "reviews:http",
      split: [
        { to: "reviews-v3", weight: 10 },
        { to: { cluster: "far" }, weight: 2.5 },
      ],
      sticky: "cookie:s",
    },
  ]);
});

test("--dry-run and --diff change nothing", async () => {
  const { route, routes } = await startRoutes();
  const set = ["set", "reviews", "--key", "pr-42", "--id", "mine"];
  await route(...set, "--to", "reviews-pr-42");
  expect((await route(...set, "--to", "other", "--dry-run")).out).toContain("changed (dry run)");
  const { out, err } = await route(...set, "--to", "other", "--diff");
  expect(out).toBe(
    "--- mine\n+++ mine\n  service: reviews\n  key: pr-42\n- to: reviews-pr-42\n+ to: other\n  id: mine\n",
  );
  expect(err).toBe("√ nothing was changed; it would be: 1 changed\n");
  const json = JSON.parse((await route(...set, "--to", "other", "--diff", "-o", "json")).out);
  expect(json).toMatchObject([
    { id: "mine", outcome: "changed", before: { to: "reviews-pr-42" }, after: { to: "other" } },
  ]);
  expect(await routes()).toEqual([expect.objectContaining({ to: "reviews-pr-42" })]);
});

test.each([
  [["set"], "from where?"],
  [["set", "reviews", "--from", "a", "--key", "k", "--to", "b"], "a service or a cluster, not both"],
  [["set", "reviews", "--to", "b"], "the route: one of key, when, split is needed"],
  [["set", "reviews", "--key", "a b", "--to", "b"], "--key: a key is printable ASCII"],
  [["set", "Reviews", "--key", "a", "--to", "b"], "the service: not a service's name"],
  [["set", "reviews", "--key", "a", "--to", "b", "--ttl", "soon"], "--ttl: expected a duration like 2h"],
  [
    ["set", "reviews", "--key", "a", "--to", "b", "--expires", "2001-01-01T00:00:00Z"],
    "--expires: this is in the past",
  ],
  [["set", "reviews", "--key", "a", "--to", "b", "--id", "a//b"], "--id: an id is letters"],
  [["set", "reviews", "--key", "a", "--to", "b", "--label", "x"], '--label: "x" is not NAME=VALUE'],
  [["set", "reviews", "--when", "cookies:a=b", "--to", "b"], "did you mean cookie?"],
  [["set", "reviews", "--when", "cookie=b", "--to", "b"], "which cookie? Write cookie:NAME"],
  [["set", "reviews", "--when", "cookie:a=", "--to", "b"], "nothing stands behind ="],
  [["set", "reviews", "--split", "a", "--split", "b=1"], '--split: "a" is no share'],
  [["set", "reviews", "--split", "a=60", "--split", "b=60"], "--split: shares of more than 100 percent together"],
  [["set", "reviews", "--selector", "v2(weight=0.1)"], "--selector needs --default"],
  [["set", "reviews", "--key", "k", "--to", "b", "-f", "x", "--server", "y"], "cannot be used with"],
  [["delete"], "which routes?"],
  [["delete", "a", "--key", "b"], "exclude each other"],
  [["renew", "a"], "--ttl"],
  [["apply", "-f", "-", "--prune"], "--prune needs --owner or --label"],
  [["list", "--server", "ftp://x"], "expected http://HOST:PORT"],
  [["list", "--server", "http://u:secret@x"], "takes no credentials"],
])("wrong usage: %j", async (args, message) => {
  const { routeWith } = await startRoutes();
  const { code, out, err } = await routeWith({ input: "" }, ...args);
  expect([code, out, err]).toEqual([2, "", expect.stringContaining(message)]);
  expect(err).not.toContain("secret");
});

test("a route that another one contradicts is refused with what to do", async () => {
  const { route, put, routes } = await startRoutes();
  await put("mine", { service: "reviews", key: "pr-42", to: "a" });
  const { code, err } = await route("set", "reviews", "--key", "pr-42", "--to", "b");
  expect([code, err]).toEqual([1, expect.stringContaining("the route mine has the same baseline and key")]);
  expect(err).toContain("--id replaces it");
  expect((await route("set", "reviews", "--key", "pr-42", "--to", "b", "--id", "mine")).code).toBe(0);
  expect(await routes()).toEqual([{ id: "mine", service: "reviews", key: "pr-42", to: "b" }]);
});

test("a preview is renewed and deleted as a whole", async () => {
  const { route, routes } = await startRoutes();
  for (const service of ["reviews", "ratings"])
    await route("set", service, "--key", "pr-42", "--to", `${service}-pr-42`, "--ttl", "1h");
  await route("set", "reviews", "--key", "pr-7", "--to", "reviews-pr-7");
  const { out, err } = await route("renew", "--key", "pr-42", "--ttl", "3d");
  expect(out).toMatch(/2d 23h|3d/);
  expect(err).toBe("√ 2 routes live for 3d from now on\n");
  expect((await route("delete", "--key", "pr-42", "--dry-run")).out.match(/deleted \(dry run\)/g)).toHaveLength(2);
  expect((await route("delete", "--key", "pr-42")).out.match(/deleted/g)).toHaveLength(2);
  expect(await routes()).toEqual([expect.objectContaining({ key: "pr-7" })]);
});

test("an id that is not there stops a deletion, with the name that may be meant", async () => {
  const { route, put, routes } = await startRoutes();
  await put("alice", { service: "reviews", key: "a", to: "b" });
  const { code, err } = await route("delete", "alice", "alise");
  expect([code, err]).toEqual([1, expect.stringContaining("there is no route alise in")]);
  expect(err).toContain("did you mean alice?");
  expect(await routes()).toHaveLength(1);
  expect((await route("delete", "alise", "--ignore-not-found")).code).toBe(0);
  expect((await route("renew", "alise", "--ttl", "1h")).code).toBe(1);
  expect((await route("delete", "alice", "alise", "--ignore-not-found")).code).toBe(0);
  expect(await routes()).toEqual([]);
});

test("the ids that are made differ with baseline, key and conditions, also where they look alike, and with nothing else", () => {
  const when = [{ header: "X-User", exact: "a" }];
  const different = [
    { service: "reviews", key: "pr-42", to: "b" },
    { service: "reviews", key: "PR-42", to: "b" },
    { service: "reviews-pr", key: "42", to: "b" },
    { service: "reviews", key: "pr-42", when, to: "b" },
    { service: "reviews", key: "pr-42", when: [{ header: "X-User", exact: "b" }], to: "b" },
    { service: { service: "reviews", subset: "v1" }, key: "pr-42", to: "b" },
    { service: "reviews", when, to: "b" },
    { service: "reviews", split: [{ to: "b", weight: 1 }] },
  ];
  expect(new Set(different.map(deriveId)).size).toBe(different.length);
  const [first] = different.map(deriveId);
  expect(deriveId({ service: "reviews", key: "pr-42", to: "c", owner: "me", labels: { a: "b" } })).toBe(first);
  expect(deriveId({ service: { cluster: "far" }, key: "k", to: { cluster: "b" } })).toBe(
    deriveId({ from: "far", key: "k", to: "c" }),
  );
  const sameHeader = [{ exact: "a", header: "x-user" }];
  expect(deriveId({ service: "a", when, to: "b" })).toBe(deriveId({ service: "a", when: sameHeader, to: "c" }));
});
