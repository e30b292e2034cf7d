// Amalgam8's own Go clients, unchanged, at a route server of Keyway.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { amalgam8Client } from "../../scripts/parts/amalgam8.ts";
import { instance, rule } from "../amalgam8/a8.ts";
import { type Served, startServer, temporaryFolder } from "../api/serve.ts";
import { freePort } from "../registry/listening.ts";

const program = await amalgam8Client();

/** An application with both clients. */
class Client {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #log = "";

  constructor(address: string, token = "") {
    this.#process = spawn(program, [`http://${address}`, token]);
    this.#process.stderr.on("data", (chunk) => {
      this.#log += chunk;
    });
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
    onTestFinished(() => void this.#process.kill("SIGKILL"));
  }

  /** What the client makes of an answer, or `{error}`. Throws where the application has died. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what they expect
  async ask(word: string, what: unknown = {}): Promise<any> {
    this.#process.stdin.write(`${word} ${JSON.stringify(what)}\n`);
    const { value } = await this.#lines.next();
    if (value === undefined) throw new Error(`the application has died: ${this.#log}`);
    return JSON.parse(value);
  }
}

const addressOf = ({ log }: Served) => /"amalgam8":"([^"]+)"/.exec(log.join(""))?.[1] ?? "";
const start = (flags: Record<string, string> = {}, folder = temporaryFolder()) =>
  startServer({ amalgam8: "127.0.0.1:0", ...flags }, folder);
const routesOf = async (served: Served): Promise<string[]> =>
  (await served.ask("/v1/routes")).body.routes.map(({ id }: { id: string }) => id);

test("the registry's client registers, renews, finds and deregisters instances", async () => {
  const client = new Client(addressOf(await start()));
  const own = instance("reviews", "10.0.0.1:9080", { tags: ["v2", "eu"], ttl: 5, metadata: { zone: [1] } });
  const registered = await client.ask("register", own);
  expect(registered).toMatchObject({ ...own, ttl: 10, id: expect.stringMatching(/^[0-9a-f]{16}$/) });
  // It sends what it knows already.
  expect(await client.ask("register", registered)).toMatchObject({ id: registered.id, ttl: 10 });
  expect(await client.ask("renew", registered.id)).toBe("renewed");
  await client.ask("register", instance("ratings", "10.0.0.2:9080", { status: "STARTING" }));
  expect(await client.ask("services")).toEqual(["ratings", "reviews"]);
  expect(await client.ask("instances")).toMatchObject([{ id: registered.id, status: "UP", metadata: { zone: [1] } }]);
  expect(await client.ask("instances", { Status: "ALL" })).toHaveLength(2);
  expect(await client.ask("instances", { ServiceName: "reviews", Tags: ["eu"] })).toHaveLength(1);
  expect(await client.ask("instances", { Tags: ["v2"], Fields: ["service_name"] })).toMatchObject([
    { id: registered.id, service_name: "reviews", endpoint: own.endpoint },
  ]);
  expect(await client.ask("deregister", registered.id)).toBe("deregistered");
  for (const word of ["renew", "deregister"]) {
    expect((await client.ask(word, registered.id)).error).toMatch(/^ErrorCodeUnknownInstance: /);
  }
  const refused = await client.ask("register", instance("", "10.0.0.1:9080"));
  expect(refused.error).toMatch(/^ErrorCodeInternalClientError: .*Service name is required/);
});

test("the controller's client creates, lists, updates and deletes rules", async () => {
  const served = await start();
  const client = new Client(addressOf(served));
  const rules = [
    { ...rule("reviews", "v2", { priority: 2, match: { headers: { "X-User": "alice" } } }), id: "one", tags: ["ci"] },
    rule("reviews", "v1", { priority: 1 }),
  ];
  const { ids } = await client.ask("create", { rules });
  expect(ids).toEqual(["one", expect.any(String)]);
  expect(await client.ask("list")).toEqual({ rules: [rules[0], { ...rules[1], id: ids[1] }], revision: 1 });
  expect(await client.ask("list", { Tags: ["ci"] })).toMatchObject({ rules: [{ id: "one" }] });
  expect(await client.ask("routes", { Destinations: ["reviews"] })).toMatchObject({ services: { reviews: [{}, {}] } });
  expect(await client.ask("actions")).toEqual({ services: {} });
  expect(await routesOf(served)).toEqual(["a8.default.reviews.0001", "a8.default.reviews.0002"]);
  expect(await client.ask("update", { rules: [{ ...rules[0], route: rule("a", "v3").route }] })).not.toHaveProperty(
    "error",
  );
  expect((await client.ask("list", { IDs: ["one"] })).rules[0].route.backends).toEqual([{ tags: ["v3"] }]);
  const refused = await client.ask("create", {
    rules: [{ destination: "a", actions: [{ action: "delay", duration: 1 }] }],
  });
  expect(refused.error).toMatch(/StatusCode:400 .*"error":"error_invalid_rule".*rules\[0\]\.actions/);
  expect((await client.ask("update", { rules: [{ ...rules[0], id: "nobody" }] })).error).toMatch(/StatusCode:404/);
  expect(await client.ask("delete", { IDs: ["one"] })).toBe("deleted");
  expect(await routesOf(served)).toEqual(["a8.default.reviews.0001"]);
  expect(await client.ask("delete")).toBe("deleted");
  expect([await routesOf(served), (await client.ask("list")).rules]).toEqual([[], []]);
});

test("an application that keeps its registration finds back after an outage, and its route with it", async () => {
  const folder = temporaryFolder();
  const amalgam8 = `127.0.0.1:${await freePort()}`;
  const first = await start({ amalgam8 }, folder);
  const client = new Client(amalgam8);
  await client.ask("create", { rules: [rule("reviews", "v2")] });
  await client.ask("keep", instance("reviews", "10.0.0.1:9080", { tags: ["v2"], ttl: 10 }));
  await first.end();
  // Longer than the instance lives without a heartbeat.
  await new Promise((resolve) => setTimeout(resolve, 11_000));
  const second = await start({ amalgam8 }, folder);
  await expect.poll(() => routesOf(second)).toEqual([]);
  await expect.poll(() => routesOf(second)).toEqual(["a8.default.reviews.0001"]);
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  expect(await routesOf(second)).toEqual(["a8.default.reviews.0001"]);
});

test("tokens are the clients' own, and their namespaces", async () => {
  const folder = temporaryFolder();
  const tokens = join(folder, "tokens.yaml");
  writeFileSync(tokens, "tokens: [{name: team, token: mine, roles: [write], namespace: team-a}]", { mode: 0o600 });
  const address = addressOf(await start({ tokens }, folder));
  const [own, wrong, none] = [new Client(address, "mine"), new Client(address, "other"), new Client(address)];
  expect(await own.ask("register", instance("a", "b"))).toMatchObject({ id: expect.any(String) });
  expect((await own.ask("create", { rules: [rule("a", "v1")] })).ids).toHaveLength(1);
  for (const client of [wrong, none]) {
    expect((await client.ask("services")).error).toMatch(/^ErrorCodeUnauthorized: /);
    expect((await client.ask("list")).error).toMatch(/StatusCode:401/);
  }
});
