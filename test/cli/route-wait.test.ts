// Changes that wait until they are in force.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Poller } from "../api/poller.ts";
import { temporaryFolder } from "../api/serve.ts";
import { startRoutes } from "./routes.ts";

const set = ["set", "reviews", "--key", "pr-42", "--to", "reviews-pr-42"];

async function followed(proxies: number) {
  const bed = await startRoutes();
  const pollers = Array.from({ length: proxies }, () => new Poller(bed.url));
  for (const poller of pollers) {
    await poller.settle();
    poller.follow();
  }
  return { ...bed, pollers };
}

test("set, delete, apply and import wait until all proxies have it in force", async () => {
  const { route, routeWith, pollers } = await followed(2);
  const has = () => pollers.map(({ client }) => client.lookUp("pr-42"));
  const isSet = await route(...set, "--wait");
  expect([isSet.code, isSet.err]).toEqual([0, expect.stringContaining("√ in force in all 2 proxies")]);
  expect(has()).toEqual([["reviews-pr-42"], ["reviews-pr-42"]]);
  const again = await route(...set, "--wait=5");
  expect([again.code, again.out, again.err]).toEqual([
    0,
    expect.stringContaining("unchanged"),
    expect.stringContaining("in force in all 2 proxies"),
  ]);
  expect((await route("delete", "--key", "pr-42", "--wait")).code).toBe(0);
  expect(has()).toEqual([[], []]);
  const input = "routes: [{service: reviews, key: pr-7, to: reviews-pr-7}]";
  for (const command of [
    ["import", "--wait"],
    ["apply", "-f", "-", "--wait"],
  ]) {
    const { code, err } = await routeWith({ input }, ...command);
    expect([code, err]).toEqual([0, expect.stringContaining("in force in all 2 proxies")]);
    expect(pollers[0]?.client.lookUp("pr-7")).toEqual(["reviews-pr-7"]);
  }
});

test("who is behind when the time is over is named, and the route stays", async () => {
  const { route, routes, url } = await followed(1);
  const behind = new Poller(url, "outbound:demo");
  await behind.settle();
  const { code, out, err } = await route("set", "reviews.demo:9080", "--key", "k", "--to", "b", "--wait=0.3");
  expect([code, out]).toEqual([1, expect.stringContaining("created")]);
  expect(err).toContain(
    `1 of 2 proxies have it in force after 0.3 s; behind: ${behind.address} (scope "outbound:demo")`,
  );
  expect(err).toMatch(/next: +the server has the change/);
  expect(await routes()).toHaveLength(1);
});

test("without proxies nothing is waited for, and that is said", async () => {
  const { route } = await startRoutes();
  const { code, err } = await route(...set, "--wait");
  expect([code, err]).toEqual([0, expect.stringContaining("‼ no proxy follows the route server at http://127.0.0.1:")]);
});

test("Ctrl-C ends the wait", async () => {
  const { routeWith, url } = await startRoutes();
  const behind = new Poller(url);
  await behind.settle();
  const stop = new AbortController();
  const waiting = routeWith({ signal: stop.signal }, ...set, "--wait");
  await expect.poll(async () => (await fetch(`${url}/v1/routes`).then((answer) => answer.json())).revision).toBe(1);
  stop.abort();
  expect(await waiting).toMatchObject({ code: 130, err: "keyway: interrupted\n" });
});

test.each([["--dry-run"], ["--diff"], ["--kube"], ["-n", "demo"]])(
  "--wait with %s is wrong usage",
  async (...flags) => {
    const { route } = await startRoutes();
    expect((await route(...set, "--wait", ...flags)).code).toBe(2);
  },
);

test("--wait with a route file to change is wrong usage, and so is a time that is none", async () => {
  const { route } = await startRoutes();
  const file = join(temporaryFolder(), "routes.yaml");
  await writeFile(file, "routes: []");
  expect((await route(...set, "-f", file, "--wait")).code).toBe(2);
  expect(await route(...set, "--wait", "soon")).toMatchObject({
    code: 2,
    err: expect.stringContaining("expected seconds, such as 90"),
  });
});
