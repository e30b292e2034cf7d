import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { answering, answerOf } from "../peers/bed.ts";
import { Poller } from "./poller.ts";
import { reviews, sent, startServer } from "./serve.ts";

test("proxies are counted by their connections, and what they have by their latest poll", async () => {
  const { url, ask } = await startServer();
  expect((await ask("/v1/proxies")).body).toEqual({ revision: 0, proxies: 0, inForce: 0, scopes: [] });
  const [one, other] = [new Poller(url), new Poller(url, "outbound:demo")];
  await one.settle();
  await other.settle();
  await ask("/v1/routes/a", sent("PUT", { ...reviews, service: "reviews.demo:9080" }));
  expect((await ask("/v1/proxies")).body).toEqual({
    revision: 1,
    proxies: 2,
    inForce: 0,
    scopes: [
      { scope: "", proxies: 1, inForce: 0, behind: [one.address] },
      { scope: "outbound:demo", proxies: 1, inForce: 0, behind: [other.address] },
    ],
  });
  expect((await ask("/v1/proxies?revision=0")).body).toMatchObject({ revision: 0, proxies: 2, inForce: 2 });
  await one.settle();
  expect((await ask("/v1/proxies?revision=1")).body).toMatchObject({ proxies: 2, inForce: 1 });
  expect((await ask("/v1/proxies?scope=")).body).toMatchObject({ proxies: 1, inForce: 1 });
  expect((await ask("/v1/proxies?scope=outbound:demo")).body).toMatchObject({ proxies: 1, inForce: 0 });
  expect((await ask("/v1/proxies?scope=demo/reviews")).body).toMatchObject({ proxies: 0 });
  expect((await ask("/v1/proxies?route=a&service=reviews.demo")).body).toMatchObject({ proxies: 2 });
  one.close();
  await expect.poll(async () => (await ask("/v1/proxies")).body.proxies).toBe(1);
});

test("a proxy that follows has a change in force as soon as it has polled with it", async () => {
  const { url, ask } = await startServer();
  const poller = new Poller(url);
  await poller.settle();
  poller.follow();
  const { body } = await ask("/v1/routes:apply", sent("POST", { set: [{ id: "a", ...reviews }] }));
  const counts = async () => (await ask(`/v1/proxies?revision=${body.revision}`)).body;
  await expect.poll(counts).toMatchObject({ proxies: 1, inForce: 1 });
});

test.each([
  ["revision=x", 400, "revision"],
  ["revision=-1", 400, "revision"],
  ["revision=1&revision=2", 400, "revision"],
  ["scope=nonsense!", 400, "scope"],
  ["service=", 400, "service"],
  ["route=a%20b", 400, "route[0]"],
  ["servce=a", 400, "servce"],
])("a question of proxies with %s is refused with the place", async (query, status, path) => {
  const { ask } = await startServer();
  const answer = await ask(`/v1/proxies?${query}`);
  expect([answer.status, answer.body.error.details[0]?.path]).toEqual([status, path]);
});

test("a route that is not there concerns nobody, which is told", async () => {
  const { ask } = await startServer();
  expect(await ask("/v1/proxies?route=nobody")).toMatchObject({
    status: 404,
    body: { error: { message: "there is no route nobody" } },
  });
});

test("a question for a server's own proxies is not handed on, so that servers that name each other come to an end", async () => {
  const asked: IncomingMessage[] = [];
  const { ask } = await startServer({ peers: await answering(200, answerOf("other"), asked) });
  expect((await ask("/v1/proxies?own=true")).body).toMatchObject({ proxies: 0, followers: [] });
  expect(asked).toEqual([]);
  expect((await ask("/v1/proxies")).body).toMatchObject({ proxies: 1, inForce: 0, servers: 2, missing: [] });
  expect(asked.map(({ url }) => url)).toEqual(["/v1/proxies?own=true"]);
});

test("a revision that another server has answered is waited for a little, and one that never comes is in force nowhere", async () => {
  const { url, ask } = await startServer();
  await new Poller(url).settle();
  const soon = ask("/v1/proxies?revision=1");
  const never = ask("/v1/proxies?revision=1000");
  await ask("/v1/routes/a", sent("PUT", reviews));
  expect((await soon).body).toMatchObject({ revision: 1, proxies: 1, inForce: 0 });
  expect((await never).body).toMatchObject({ revision: 1000, proxies: 1, inForce: 0 });
});
