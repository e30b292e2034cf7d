import { connect, createServer } from "node:net";
import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ask, type Served, sent, startServer } from "../api/serve.ts";
import { checkAsync } from "../property.ts";
import { addressesOf } from "./address.ts";
import { type Request, RoutesClient } from "./client.ts";

const PATH = "/api/v1/workloads/routing-rules";
const ANY_PORT = { signadotGrpc: "127.0.0.1:0", signadotRest: "127.0.0.1:0" };

const workload = (name: string, port = 9080) => ({ kind: "Deployment", namespace: "demo", name, port });
const route = (id: string, key: string, name = "reviews", more: object = {}) => ({
  id,
  service: name,
  key,
  to: `${name}-${key}`,
  workload: workload(name),
  ...more,
});
const apply = (served: Served, set: object[], gone: string[] = []) =>
  served.ask("/v1/routes:apply", sent("POST", { set, delete: gone }));

const rule = (key: string, name = "reviews", sandbox = key) => ({
  routingKey: key,
  baseline: { kind: "Deployment", namespace: "demo", name },
  destinationSandbox: { name: sandbox },
  mappings: [{ workloadPort: 9080, destinations: [{ host: `${name}-${key}.demo.svc`, port: 9080 }] }],
});

test("a change is told to whoever watches, after all rules and one SYNCED", async () => {
  const served = await startServer(ANY_PORT);
  await apply(served, [route("1", "pr-1"), route("2", "pr-2"), route("3", "pr-3", "ratings")]);
  const client = new RoutesClient(addressesOf(served).grpc);
  const all = client.watch();
  const one = client.watch({ baselineWorkload: { kind: "Deployment", namespace: "demo", name: "reviews" } });
  await expect.poll(() => [all.synced, one.synced]).toEqual([true, true]);
  const add = (key: string, name?: string, sandbox?: string) => ({ op: "ADD", route: rule(key, name, sandbox) });
  const remove = (key: string, name?: string) => ({ op: "REMOVE", route: rule(key, name) });
  const synced = { op: "SYNCED" };
  expect(all.operations).toEqual([add("pr-3", "ratings"), add("pr-1"), add("pr-2"), synced]);
  expect(one.operations).toEqual([add("pr-1"), add("pr-2"), synced]);

  await apply(served, [route("2", "pr-2", "reviews", { to: "other.demo:81" }), route("4", "pr-4")], ["3", "1"]);
  const other = {
    ...rule("pr-2"),
    mappings: [{ workloadPort: 9080, destinations: [{ host: "other.demo.svc", port: 81 }] }],
  };
  await expect.poll(() => all.operations).toHaveLength(8);
  expect(all.operations.slice(4)).toEqual([
    remove("pr-3", "ratings"),
    remove("pr-1"),
    { op: "REPLACE", route: other },
    add("pr-4"),
  ]);
  await expect.poll(() => one.operations).toHaveLength(6);

  await apply(served, [route("4", "pr-4", "reviews", { labels: { "keyway.dev/sandbox": "sb" } })]);
  await expect.poll(() => one.operations).toHaveLength(8);
  expect(one.operations.slice(6)).toEqual([remove("pr-4"), add("pr-4", "reviews", "sb")]);
});

test("gRPC and REST agree, whatever is asked for", async () => {
  const served = await startServer(ANY_PORT);
  const { grpc, rest } = addressesOf(served);
  const routes = Array.from({ length: 40 }, (_, at) => {
    return route(`r${at}`, `pr-${at % 7}`, ["reviews", "ratings", "details"][at % 3], {
      labels: { "keyway.dev/sandbox": `sb-${at % 4}` },
      service: `s${at}:${80 + at}`,
    });
  });
  expect((await apply(served, routes)).status).toBe(200);
  const client = new RoutesClient(grpc);
  const one = (...values: string[]) => fc.constantFrom("", "nobody", ...values);
  const asked = fc.record({
    kind: one("Deployment"),
    namespace: one("demo"),
    name: one("reviews", "ratings", "details"),
    key: one("pr-1", "pr-6"),
    sandbox: one("sb-0", "sb-3"),
  });
  await checkAsync(
    [asked],
    async ({ kind, namespace, name, key, sandbox }) => {
      const request: Request = {
        baselineWorkload: { kind, namespace, name },
        routingKey: key,
        destinationSandbox: { name: sandbox },
      };
      const query = new URLSearchParams({
        baselineKind: kind,
        baselineNamespace: namespace,
        baselineName: name,
        routingKey: key,
        destinationSandboxName: sandbox,
      });
      const [unary, answer, watch] = [
        await client.get(request),
        await ask(`${rest}${PATH}?${query}`),
        client.watch(request),
      ];
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toBe("application/json");
      expect(answer.body).toEqual({ routingRules: unary });
      await expect.poll(() => watch.synced).toBe(true);
      watch.call.cancel();
      expect(watch.operations).toEqual([
        ...answer.body.routingRules.map((told: unknown) => ({ op: "ADD", route: told })),
        { op: "SYNCED" },
      ]);
    },
    60,
  );
});

test("without rules the list is there, and empty", async () => {
  const { grpc, rest } = addressesOf(await startServer(ANY_PORT));
  expect((await ask(`${rest}${PATH}`)).body).toEqual({ routingRules: [] });
  expect(await new RoutesClient(grpc).get()).toEqual([]);
});

test("over REST nothing but rules is JSON", async () => {
  const { rest } = addressesOf(await startServer(ANY_PORT));
  const { hostname, port } = new URL(rest);
  for (const [path, init, code] of [
    ["/", {}, 404],
    ["/api/v1/workloads/routes", {}, 404],
    ["/v1/routes", {}, 404],
    [PATH, { method: "POST", body: "{}" }, 405],
    [PATH, { method: "DELETE" }, 405],
    [PATH, { headers: { "x-long": "x".repeat(20_000) } }, 431],
  ] as const) {
    const answer = await fetch(`${rest}${path}`, init);
    expect([path, answer.status]).toEqual([path, code]);
    expect(answer.headers.get("content-type")).toMatch(/^text\/plain/);
    expect(await answer.text()).toMatch(/^[^{["\d].+\n$/);
  }
  const text = await exchange(hostname, Number(port), "nonsense\r\n\r\n");
  expect(text).toMatch(/^HTTP\/1\.1 400 .*content-type: text\/plain.*this is no HTTP request\n$/s);
});

test("an answer that no client would take is refused with what to ask for instead, and watches tell it all", async () => {
  const served = await startServer(ANY_PORT);
  const { grpc, rest } = addressesOf(served);
  const long = "x".repeat(60);
  const count = 30_000;
  for (let at = 0; at < count; at += 10_000) {
    const routes = Array.from({ length: 10_000 }, (_, place) =>
      route(`r${at + place}`, `${long}-${at + place}`, "reviews", { to: "reviews-copy" }),
    );
    expect((await apply(served, routes)).status).toBe(200);
  }
  const client = new RoutesClient(grpc);
  expect(await client.get()).toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    details: expect.stringMatching(/4194304 bytes.*baseline_workload.*WatchWorkloadRoutingRules/),
  });
  expect(await client.get({ routingKey: `${long}-7` })).toHaveLength(1);
  expect((await ask(`${rest}${PATH}`)).body.routingRules).toHaveLength(count);
  const watch = client.watch();
  await expect.poll(() => watch.synced, { timeout: 20_000 }).toBe(true);
  expect(watch.operations).toHaveLength(count + 1);
});

test("a client that doesn't read keeps nobody waiting, and has what there is once it reads", async () => {
  const served = await startServer(ANY_PORT);
  const { grpc } = addressesOf(served);
  const routes = Array.from({ length: 5000 }, (_, at) => route(`r${at}`, `pr-${at}`));
  await apply(served, routes);
  const slow = new RoutesClient(grpc, { "grpc.use_local_subchannel_pool": 1 }).watch();
  slow.call.pause();
  for (let round = 0; round < 20; round++) {
    const changed = routes.map((one) => ({ ...one, to: `other-${round}.demo:80` }));
    await apply(served, changed.slice(0, 1000), round === 19 ? ["r4999"] : []);
  }
  const quick = new RoutesClient(grpc).watch();
  await expect.poll(() => quick.synced).toBe(true);
  slow.call.resume();
  const isLast = ({ operations }: typeof slow) => {
    const rules = new Map<string, unknown>();
    for (const { op, route: told } of operations) {
      if (op === "REMOVE") rules.delete(told?.routingKey ?? "");
      else if (told) rules.set(told.routingKey, told);
    }
    return rules;
  };
  await expect.poll(() => isLast(slow)).toEqual(isLast(quick));
  expect(slow.operations.length).toBeLessThan(5000 + 20 * 1000);
});

test("what is no request, or a method that isn't there, is refused, and the next call answered", async () => {
  const { grpc } = addressesOf(await startServer(ANY_PORT));
  const client = new RoutesClient(grpc);
  const get = "/routes.Routes/GetWorkloadRoutingRules";
  expect(await client.raw(get, Buffer.from([0x0a, 0xff]))).toMatchObject({ code: status.INTERNAL });
  expect(await client.raw(get, Buffer.alloc(70_000, 1))).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  expect(await client.raw("/routes.Routes/GetClusterServices", Buffer.alloc(0))).toMatchObject({
    code: status.UNIMPLEMENTED,
  });
  // Unknown fields, as those of newer clients, are passed over.
  expect(await client.raw(get, Buffer.from([0x98, 0x06, 0x01, 0xa2, 0x06, 0x01, 0x78]))).toEqual(Buffer.alloc(0));
  const [host, port] = grpc.split(":");
  expect(await exchange(`${host}`, Number(port), "GET / HTTP/1.1\r\n\r\n")).not.toMatch(/"routingRules"/);
  expect(await client.get()).toEqual([]);
});

test("a server that ends tells those who watch, and waits for no one", async () => {
  const served = await startServer({ ...ANY_PORT, grace: "30" });
  const watch = new RoutesClient(addressesOf(served).grpc).watch();
  await expect.poll(() => watch.synced).toBe(true);
  const begun = performance.now();
  await served.end();
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect(watch.ended).toBe(status.UNAVAILABLE);
});

test("an address that somebody has is said with its flag, and nothing goes on listening", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as { port: number };
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
  const { port: rest } = free.address() as { port: number };
  await new Promise((resolve) => free.close(resolve));
  await expect(
    startServer({ signadotRest: `127.0.0.1:${rest}`, signadotGrpc: `127.0.0.1:${port}` }),
  ).rejects.toMatchObject({
    message: `something listens on 127.0.0.1:${port} already`,
    next: expect.stringContaining("--signadot-grpc"),
  });
  await expect(exchange("127.0.0.1", rest, "GET / HTTP/1.1\r\n\r\n")).rejects.toThrow(/ECONNREFUSED/);
  await new Promise((resolve) => other.close(resolve));
});

test("metrics say how many rules and watches there are, and which routes are left out", async () => {
  const served = await startServer(ANY_PORT);
  await apply(served, [
    route("1", "a"),
    { id: "2", service: "b", key: "b", to: "c" },
    { id: "3", from: "*", key: "b", to: "c" },
  ]);
  const watch = new RoutesClient(addressesOf(served).grpc).watch();
  await expect.poll(() => watch.synced).toBe(true);
  const { body } = await served.ask("/metrics");
  expect(body).toMatch(/^keyway_server_signadot_rules 1$/m);
  expect(body).toMatch(/^keyway_server_signadot_watches 1$/m);
  expect(body).toMatch(/^keyway_server_signadot_left_out\{why="workload"\} 1$/m);
  expect(body).toMatch(/^keyway_server_signadot_left_out\{why="any_baseline"\} 1$/m);
});

/** What comes back on a connection of the test's own. */
function exchange(host: string, port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(port, host, () => socket.write(text));
    socket.setTimeout(5000, () => socket.destroy());
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}
