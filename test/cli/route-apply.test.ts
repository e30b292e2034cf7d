// Files of routes to a server and back.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { routesIn, startRoutes } from "./routes.ts";
import { runCli } from "./run.ts";

const FILE = `
keys: [signadot]
routes:
  - {service: reviews, key: pr-42, to: reviews-pr-42}
  - {service: ratings, when: [{cookie: user, exact: alice}], to: {service: ratings, subset: v2}, id: alice, labels: {team: a}}
  - {service: {cluster: far}, key: pr-42, to: {cluster: near}, ttl: 2h}
  - {service: old, key: k, to: b, expires: 2020-01-01T00:00:00Z}
`;

async function written(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "keyway-apply-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "routes.yaml");
  await writeFile(path, text);
  return path;
}

describe("apply", () => {
  test("makes the file's routes the server's, and changes nothing the second time", async () => {
    const { route, routes } = await startRoutes();
    const path = await written(FILE);
    const first = await route("apply", "-f", path);
    expect(first.code).toBe(0);
    expect(first.out.match(/^created/gm)).toHaveLength(3);
    expect(first.err.replaceAll(path, "routes.yaml")).toContain("routes.yaml: keys: settings of proxies");
    expect(first.err.replaceAll(path, "routes.yaml")).toContain("routes.yaml:7:5: routes[3]");
    expect(await routes()).toEqual([
      {
        id: "alice",
        service: "ratings",
        when: [{ cookie: "user", exact: "alice" }],
        to: { service: "ratings", subset: "v2" },
        labels: { team: "a" },
      },
      { id: expect.stringMatching(/^far-pr-42-/), from: "far", key: "pr-42", to: "near", expires: expect.any(String) },
      { id: expect.stringMatching(/^reviews-pr-42-/), service: "reviews", key: "pr-42", to: "reviews-pr-42" },
    ]);
    const second = await route("apply", "-f", path);
    expect(second.out.match(/^(unchanged|renewed)/gm)).toEqual(["unchanged", "unchanged", "renewed"]);
  });

  test("prunes what is of the same owner or label and not in the file any more, and nothing else", async () => {
    const { route, routeWith, routes, put } = await startRoutes();
    await put("theirs", { service: "a", key: "1", to: "b", owner: "others" });
    await put("labelled", { service: "a", key: "2", to: "b", labels: { team: "x" } });
    await put("gone", { service: "a", key: "3", to: "b", owner: "ci" });
    const path = await written("routes: [{service: a, key: 4, to: b, id: mine}]".replace("4", '"4"'));
    expect((await route("apply", "-f", path, "--owner", "ci", "--prune", "--diff")).out).toContain("--- gone\n");
    expect((await route("apply", "-f", path, "--owner", "ci", "--prune")).out).toMatch(/deleted .* gone\n/);
    expect((await routes()).map(({ id, owner }) => [id, owner])).toEqual([
      ["labelled", undefined],
      ["mine", "ci"],
      ["theirs", "others"],
    ]);
    const args = ["apply", "-f", "-", "--label", "team=x", "--prune"];
    expect((await routeWith({ input: "routes: []" }, ...args)).out).toMatch(/deleted .* labelled\n/);
  });

  test("a route that --prune would not find again is refused with its place", async () => {
    const { routeWith, routes } = await startRoutes();
    const input = "routes:\n  - {service: a, key: k, to: b, owner: me}\n";
    const { code, err } = await routeWith({ input }, "apply", "-f", "-", "--owner", "ci", "--prune");
    expect([code, err]).toEqual([
      1,
      expect.stringContaining("standard input:2:33: routes[0].owner: not ci, as --owner says"),
    ]);
    expect(await routes()).toEqual([]);
  });

  test("what the server refuses is told with its place in the file, and nothing is done", async () => {
    const { route, routes, put } = await startRoutes();
    await put("mine", { service: "a", key: "k", to: "b" });
    const path = await written("routes:\n  - {service: c, key: k, to: b}\n  - {service: a, key: k, to: c}\n");
    const { code, err } = await route("apply", "-f", path);
    expect(code).toBe(1);
    expect(err.replaceAll(path, "routes.yaml")).toContain(
      "routes.yaml:3:5: routes[1]: the route mine has the same baseline and key",
    );
    expect(err).toContain("nothing was changed");
    expect(await routes()).toHaveLength(1);
  });

  test("what another server listed can be applied", async () => {
    const a = await startRoutes();
    await a.routeWith({ input: FILE }, "apply", "-f", "-");
    const listed = await a.route("list", "-o", "json");
    const b = await startRoutes();
    expect((await b.routeWith({ input: listed.out }, "apply", "-f", "-", "-o", "json")).code).toBe(0);
    expect(await b.routes()).toEqual(await a.routes());
  });

  test("many routes go in one transaction, and are told by their numbers", async () => {
    const { routeWith, route } = await startRoutes();
    const many = Array.from(
      { length: 5000 },
      (_, at) => `  - {service: reviews, key: pr-${at}, to: reviews-pr-${at}}\n`,
    );
    const first = await routeWith({ input: `routes:\n${many.join("")}` }, "apply", "-f", "-");
    expect([first.code, first.out]).toEqual([0, ""]);
    expect(first.err).toContain("5000 created in the route server at");
    const again = await routeWith({ input: `routes:\n${many.slice(1).join("")}` }, "apply", "-f", "-", "-o", "json");
    expect(JSON.parse(again.out).revision).toBeUndefined();
    expect(again.err).toContain("4999 unchanged");
    expect(JSON.parse((await route("list", "-o", "json")).out)).toMatchObject({
      revision: 1,
      routes: { length: 5000 },
    });
  });

  test("more than the server takes at once is refused, with what to do", async () => {
    const { routeWith, routes } = await startRoutes({ maxBody: "100Ki" });
    const many = Array.from(
      { length: 4000 },
      (_, at) => `  - {service: reviews, key: pr-${at}, to: reviews-pr-${at}}\n`,
    );
    const { code, err } = await routeWith({ input: `routes:\n${many.join("")}` }, "apply", "-f", "-");
    expect([code, err]).toEqual([1, expect.stringContaining("keyway serve --max-body")]);
    expect(await routes()).toEqual([]);
  });
});

describe("import and export", () => {
  test("what was exported is a route file, and the same when it is imported", async () => {
    const a = await startRoutes();
    await a.routeWith({ input: FILE.replace(", ttl: 2h", "") }, "apply", "-f", "-", "--owner", "ci");
    await a.put("shares", { from: "*", split: [{ to: "x", weight: 5 }], sticky: "cookie:s" });
    const { out } = await a.route("export");
    expect(routesIn(out)).toEqual([
      {
        service: "ratings",
        when: [{ cookie: "user", exact: "alice" }],
        to: { service: "ratings", subset: "v2" },
        id: "alice",
        owner: "ci",
        labels: { team: "a" },
      },
      { service: { cluster: "far" }, key: "pr-42", to: { cluster: "near" }, owner: "ci" },
      { service: "reviews", key: "pr-42", to: "reviews-pr-42", owner: "ci" },
      { service: "*", split: [{ to: { cluster: "x" }, weight: 5 }], sticky: "cookie:s", id: "shares" },
    ]);
    const b = await startRoutes();
    expect((await b.routeWith({ input: out }, "import")).code).toBe(0);
    expect(await b.routes()).toEqual(await a.routes());
    expect((await b.routeWith({ input: out }, "import")).out.match(/^unchanged/gm)).toHaveLength(4);
    const { out: input } = await a.route("export", "--key", "pr-42");
    const request = ["--from", "reviews", "-H", "x-routing-key: pr-42", "/"];
    const explained = await runCli(["route", "explain", "-f", "-", ...request], { input });
    expect(explained.out).toContain("to       reviews-pr-42\n");
  });

  test("import replaces nothing unless it is told to, and stamps what says nothing", async () => {
    const { routeWith, routes, put } = await startRoutes();
    await put("mine", { service: "a", key: "k", to: "before" });
    const input = "routes:\n  - {service: a, key: k, to: b, id: mine}\n  - {service: c, key: k, to: b, id: new}\n";
    const refused = await routeWith({ input }, "import");
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("standard input:2:5: routes[0]: mine")]);
    expect(await routes()).toHaveLength(1);
    const stamps = ["--owner", "me", "--label", "team=a", "--ttl", "1h"];
    expect((await routeWith({ input }, "import", "--replace", ...stamps)).code).toBe(0);
    const stamped = { owner: "me", labels: { team: "a" }, expires: expect.any(String) };
    expect(await routes()).toEqual([
      { id: "mine", service: "a", key: "k", to: "b", ...stamped },
      { id: "new", service: "c", key: "k", to: "b", ...stamped },
    ]);
  });
});
