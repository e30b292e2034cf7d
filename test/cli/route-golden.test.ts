// What people see of the commands about live routes.
import { describe, expect, test } from "vitest";
import { startRoutes } from "./routes.ts";
import { expectGolden, type Run, transcript } from "./run.ts";

const FILE = `
routes:
  - {service: reviews, key: pr-42, to: reviews-pr-42, expires: 2999-01-01T00:00:00Z}
  - {service: ratings.shop:http, when: [{cookie: user, exact: alice}, {request: path, prefix: /api/}], to: {service: ratings, subset: v2}, missing: fail, id: alice, owner: checkout}
  - {service: details, split: [{to: details-v2, weight: 10}, {to: details-v3, weight: 2.5}]}
  - {service: {cluster: "outbound|80||a.example.com"}, key: pr-42, to: {cluster: near}, owner: ci}
`;

async function bed() {
  const { url, routeWith } = await startRoutes();
  const route = (args: string[], input = "") => routeWith({ input }, ...args);
  await route(["apply", "-f", "-"], FILE);
  const shown = (run: Run) => transcript(run).replaceAll(url, "http://SERVER");
  return { route, shows: async (name: string, run: Promise<Run>) => expectGolden(name, shown(await run)) };
}

describe("live routes", () => {
  test("listed, exported, changed and refused", async () => {
    const { route, shows } = await bed();
    await shows("route-list", route(["list"]));
    await shows("route-list-yaml", route(["list", "--key", "pr-42", "-o", "yaml"]));
    await shows("route-export", route(["export"]));
    await shows("route-list-none", route(["list", "--owner", "nobody"]));
    await shows("route-set", route(["set", "reviews", "--key", "pr-7", "--to", "reviews-pr-7", "--owner", "me"]));
    await shows("route-set-diff", route(["set", "reviews", "--key", "pr-7", "--to", "reviews-pr-8", "--diff"]));
    const selectors = ["--selector", 'v2(user="Alice")', "--selector", "v3(weight=0.1)"];
    await shows("route-set-selectors", route(["set", "reviews", "--default", "v1", ...selectors]));
    await shows("route-delete-dry-run", route(["delete", "--key", "pr-42", "--dry-run"]));
    await shows("route-delete-unknown", route(["delete", "alise"]));
    const prune = ["apply", "-f", "-", "--owner", "ci", "--prune"];
    await shows("route-apply", route(prune, "routes: [{service: a, key: k, to: b}]"));
    const wrong = "routes:\n  - {service: reviews, key: pr-42, to: b, id: mine}\n  - {service: c, key: k, too: b}\n";
    await shows("route-apply-mistakes", route(["apply", "-f", "-"], wrong));
    await shows("route-apply-refused", route(["apply", "-f", "-"], wrong.replace("too", "to")));
    await shows("route-import-differs", route(["import"], "routes: [{service: x, key: k, to: y, id: alice}]"));
    expect((await route(["delete", "alice"])).code).toBe(0);
  });
});
