// Several servers on one etcd, each of which counts the proxies of all.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Poller } from "../api/poller.ts";
import { reviews, sent, temporaryFolder } from "../api/serve.ts";
import { runCli } from "../cli/run.ts";
import { freePort } from "../registry/listening.ts";
import { type Child, startChild } from "../server/child.ts";
import { type Cluster, startCluster } from "./cluster.ts";

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster(1);
});
afterAll(() => cluster.stop());

/** So many servers on the etcd, which know of each other. */
async function servers(count: number, flags: string[] = []): Promise<Child[]> {
  const ports = await Promise.all(Array.from({ length: count }, freePort));
  const peers = ports.map((port) => `http://127.0.0.1:${port}`).join(",");
  const store = ["--store", `etcd:${cluster.urls.join(",")}`];
  const all = ["--log-level", "debug", "--peers", peers, ...store, ...flags];
  return Promise.all(ports.map((port) => startChild("", { flags: [...all, "--listen", `127.0.0.1:${port}`] })));
}

async function following(server: Child, scope = ""): Promise<Poller> {
  const poller = new Poller(server.url, scope);
  await poller.settle();
  poller.follow();
  return poller;
}

let number = 0;
/** Sets a route of its own at a server, and waits for it. */
const setAndWait = (server: Child, seconds = 10) => {
  const [key, to] = [`pr-${++number}`, `to-${number}`];
  const flags = ["--server", server.url, "--key", key, "--to", to, `--wait=${seconds}`];
  return runCli(["route", "set", "reviews", ...flags]);
};

test("of two servers each counts the proxies of both, and --wait waits for all of them", async () => {
  const [a, b] = (await servers(2)) as [Child, Child];
  const pollers = [await following(a), await following(b, "demo/reviews"), await following(b)];
  for (const server of [a, b]) {
    expect(await setAndWait(server)).toMatchObject({
      code: 0,
      err: expect.stringContaining("in force in all 3 proxies of 2 servers"),
    });
    expect(pollers.map(({ client }) => client.lookUp(`pr-${number}`))).toEqual(Array(3).fill([`to-${number}`]));
    const { body } = await server.ask("/v1/proxies");
    expect(body).toMatchObject({ proxies: 3, inForce: 3, servers: 2, missing: [] });
    expect(body.scopes.map((one: { scope: string; proxies: number }) => [one.scope, one.proxies])).toEqual([
      ["", 2],
      ["demo/reviews", 1],
    ]);
  }
  expect((await a.ask("/v1/proxies?own=true")).body).toMatchObject({ proxies: 1 });
  expect((await b.ask("/v1/proxies?own=true")).body).toMatchObject({ proxies: 2 });
  // A question for a server's own proxies goes no further.
  expect(b.log.filter((line) => line.includes('"/v1/proxies"')).length).toBeGreaterThan(0);
});

test("a proxy that is behind at another server is named", async () => {
  const [a, b] = (await servers(2)) as [Child, Child];
  await following(a);
  const behind = new Poller(b.url);
  await behind.settle();
  const { code, err } = await setAndWait(a, 1);
  expect([code, err]).toEqual([
    1,
    expect.stringContaining(`1 of 2 proxies have it in force after 1 s; behind: ${behind.address}`),
  ]);
});

test("a proxy that has moved to another server is counted once, though its connection to the first stays open", async () => {
  const [a, b] = (await servers(2)) as [Child, Child];
  const poller = new Poller(a.url);
  await poller.settle();
  for (const server of [b, a, b]) {
    poller.moveTo(server.url);
    const { body } = await a.ask(
      "/v1/routes:apply",
      sent("POST", { set: [{ id: `m-${++number}`, ...reviews, key: `m-${number}` }] }),
    );
    await poller.settle();
    const held = poller.poll(20);
    for (const one of [a, b]) {
      const counts = async () => (await one.ask(`/v1/proxies?revision=${body.revision}`)).body;
      await expect.poll(counts).toMatchObject({ proxies: 1, inForce: 1, missing: [] });
    }
    await a.ask(`/v1/routes/n-${number}`, sent("PUT", { ...reviews, key: `n-${number}` }));
    await held;
  }
});

test("of three servers one that is killed is told, its proxies are not counted, and --wait does not say that all is well", async () => {
  const [a, b, c] = (await servers(3)) as [Child, Child, Child];
  const [, , third] = [await following(a), await following(b), await following(c)];
  expect((await setAndWait(a)).err).toContain("in force in all 3 proxies of 3 servers");
  await c.stop("SIGKILL");
  const { host } = new URL(c.url);
  const { code, out, err } = await setAndWait(b, 1);
  expect([code, out]).toEqual([1, expect.stringContaining("created")]);
  expect(err).toMatch(
    new RegExp(
      `2 of 2 proxies have it in force after 1 s; server ${host} did not answer \\(.*\\), so its proxies are not counted`,
    ),
  );
  expect(err).toContain("see that those servers are well");
  const { body } = await a.ask("/v1/proxies");
  expect(body).toMatchObject({ proxies: 2, inForce: 2, servers: 2, missing: [{ server: host }] });
  // Its proxy asks another one, as Envoy does.
  third.moveTo(a.url);
  third.follow();
  await expect.poll(async () => (await b.ask("/v1/proxies")).body).toMatchObject({ proxies: 3, inForce: 3 });
});

test("a server that has stopped answering delays the count by its limit, and is told", async () => {
  const [a, b] = (await servers(2)) as [Child, Child];
  await following(a);
  b.process.kill("SIGSTOP");
  const begun = performance.now();
  const { body } = await a.ask("/v1/proxies");
  expect(performance.now() - begun).toBeLessThan(5000);
  expect(body).toMatchObject({ proxies: 1, servers: 1 });
  expect(body.missing[0].message).toMatch(/did not answer within 1 s, so its proxies are not counted/);
  b.process.kill("SIGCONT");
  await expect.poll(async () => (await a.ask("/v1/proxies")).body.missing).toEqual([]);
});

test("with tokens servers show each other theirs, and without one it is told which is missing", async () => {
  const folder = temporaryFolder();
  const [tokens, token] = [join(folder, "tokens.yaml"), join(folder, "token")];
  writeFileSync(
    tokens,
    "tokens: [{name: servers, token: abc, roles: [read]}, {name: ci, token: xyz, roles: [write]}]\nanonymous: [proxy]\n",
    { mode: 0o600 },
  );
  writeFileSync(token, "abc\n");
  const ci = { headers: { authorization: "Bearer xyz" } };
  const [a, b] = (await servers(2, ["--tokens", tokens, "--peers-token-file", token])) as [Child, Child];
  await following(b);
  expect((await a.ask("/v1/proxies", ci)).body).toMatchObject({ proxies: 1, servers: 2, missing: [] });
  const [c] = (await servers(2, ["--tokens", tokens])) as [Child, Child];
  const { body } = await c.ask("/v1/proxies", ci);
  expect(body.missing[0].message).toMatch(
    /refuses to say which proxies it has \(401: this needs a token with role read/,
  );
});
