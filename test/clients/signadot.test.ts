// Signadot's own clients, unchanged, at a route server of Keyway.
import { expect, test } from "vitest";
import { ask, type Served, sent, startServer, temporaryFolder } from "../api/serve.ts";
import { freePort } from "../registry/listening.ts";
import { addressesOf } from "../signadot/address.ts";
import { Probe, sdroutes, sdroutesWatch } from "./probe.ts";

const workload = { kind: "Deployment", namespace: "demo", name: "reviews", port: 9080 };
const route = (key: string, more: object = {}) => ({
  id: key,
  service: "reviews",
  key,
  to: `reviews-${key}`,
  workload,
  ...more,
});
const apply = async (served: Served, set: object[], gone: string[] = []) => {
  const answer = await served.ask("/v1/routes:apply", sent("POST", { set, delete: gone }));
  expect(answer.body).toEqual({ revision: expect.any(Number) });
};
const start = (flags: Record<string, string> = {}, folder = temporaryFolder()) =>
  startServer({ signadotGrpc: "127.0.0.1:0", signadotRest: "127.0.0.1:0", ...flags }, folder);
const targetOf = (key: string) => `reviews-${key}.demo.svc:9080`;

test("the SDK finds targets by the first key that has one, and follows what changes", async () => {
  const served = await start();
  await apply(served, [route("pr-1"), route("pr-2", { workload: { ...workload, port: 81 } })]);
  const probe = new Probe(addressesOf(served).grpc);
  expect(await probe.target("pr-1")).toBe(targetOf("pr-1"));
  expect(await probe.target("nobody", "pr-2", "pr-1")).toBe(targetOf("pr-1"));
  expect(await probe.ask("target 81 pr-1 pr-2")).toBe("reviews-pr-2.demo.svc:81");
  expect(await probe.target("pr-2")).toBe("-");
  expect(await probe.target()).toBe("-");
  await apply(served, [route("pr-1", { to: "other.test:80" }), route("pr-3")]);
  await probe.until("pr-1", "other.test.svc:80");
  await probe.until("pr-3", targetOf("pr-3"));
  await apply(served, [], ["pr-1"]);
  await probe.until("pr-1", "-");
  const other = new Probe(addressesOf(served).grpc, "ratings");
  expect(await other.target("pr-3")).toBe("-");
});

test("a change is in force in the SDK within a moment", async () => {
  const served = await start();
  const probe = new Probe(addressesOf(served).grpc);
  expect(await probe.target("pr-1")).toBe("-");
  const times: number[] = [];
  for (let round = 0; round < 50; round++) {
    const to = `round-${round}`;
    const inForce = probe.until("pr-1", `${to}.demo.svc:9080`);
    const begun = Date.now();
    await apply(served, [route("pr-1", { to })]);
    times.push((await inForce) - begun);
  }
  expect(Math.max(...times)).toBeLessThan(2000);
});

test("a rule that goes to another sandbox leaves nothing of the old one behind", async () => {
  const served = await start();
  const sandbox = (name: string) => route("pr-1", { labels: { "keyway.dev/sandbox": name } });
  await apply(served, [sandbox("one")]);
  const probe = new Probe(addressesOf(served).grpc);
  expect(await probe.ask("routes pr-1 one")).toBe("true");
  await apply(served, [sandbox("two")]);
  await expect.poll(() => probe.ask("sandbox pr-1")).toBe("two");
  expect(await probe.ask("routes pr-1 two")).toBe("true");
  expect(await probe.ask("routes pr-1 one")).toBe("false");
});

test("the SDK keeps its table while the server is away, and has the new one soon after", async () => {
  const folder = temporaryFolder();
  const signadotGrpc = `127.0.0.1:${await freePort()}`;
  const first = await start({ signadotGrpc }, folder);
  await apply(first, [route("pr-1"), route("pr-2")]);
  const probe = new Probe(signadotGrpc);
  expect(await probe.target("pr-1")).toBe(targetOf("pr-1"));
  await first.end();
  for (let round = 0; round < 20; round++) expect(await probe.target("pr-1")).toBe(targetOf("pr-1"));

  // While it is away nobody tells the SDK of this.
  const between = await startServer({}, folder);
  await apply(between, [route("pr-2", { to: "other" }), route("pr-3")], []);
  await between.end();
  expect(await probe.target("pr-2")).toBe(targetOf("pr-2"));

  const second = await start({ signadotGrpc }, folder);
  const inForce = probe.until("pr-3", targetOf("pr-3"));
  await inForce;
  expect(await probe.target("pr-1")).toBe(targetOf("pr-1"));
  expect(await probe.target("pr-2")).toBe("other.demo.svc:9080");
  await apply(second, [], ["pr-1"]);
  await probe.until("pr-1", "-");
  expect(probe.log).not.toMatch(/panic/);
});

test("an application that starts before the server waits for it", async () => {
  const signadotGrpc = `127.0.0.1:${await freePort()}`;
  const probe = new Probe(signadotGrpc);
  const found = probe.until("pr-1", targetOf("pr-1"));
  await expect.poll(() => probe.log).toMatch(/refused/);
  await apply(await start({ signadotGrpc }), [route("pr-1")]);
  await found;
});

test("nothing that happens to the table ends the application or leads it astray", async () => {
  const served = await start();
  const probe = new Probe(addressesOf(served).grpc);
  expect(await probe.target("pr-1")).toBe("-");
  const keys = Array.from({ length: 20 }, (_, at) => `pr-${at}`);
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  const now = new Map<string, { to: string; sandbox: string }>();
  for (let round = 0; round < 150; round++) {
    const changed = new Set(Array.from({ length: 1 + random(8) }, () => keys[random(keys.length)] as string));
    const [set, gone] = [[] as object[], [] as string[]];
    for (const key of changed) {
      if (random(3) === 0) {
        now.delete(key);
        gone.push(key);
        continue;
      }
      const [to, sandbox] = [`to-${round}`, `sb-${random(3)}`];
      now.set(key, { to, sandbox });
      set.push(route(key, { to, labels: { "keyway.dev/sandbox": sandbox } }));
    }
    await apply(served, set, gone);
  }
  for (const key of keys) {
    const there = now.get(key);
    await probe.until(key, there ? `${there.to}.demo.svc:9080` : "-");
    expect(await probe.ask(`sandbox ${key}`)).toBe(there?.sandbox ?? "-");
    for (const sandbox of ["sb-0", "sb-1", "sb-2"]) {
      expect(await probe.ask(`routes ${key} ${sandbox}`)).toBe(String(there?.sandbox === sandbox));
    }
  }
});

test("sdroutes prints what REST answers", async () => {
  const served = await start();
  const { grpc, rest } = addressesOf(served);
  await apply(served, [route("pr-1"), route("pr-2"), route("pr-3", { workload: { ...workload, name: "other" } })]);
  const { body } = await ask(`${rest}/api/v1/workloads/routing-rules?baselineName=reviews`);
  expect(body.routingRules).toHaveLength(2);
  const args = ["-addr", grpc, "-name", "reviews"];
  const printed = JSON.parse(await sdroutes(...args));
  // biome-ignore lint/suspicious/noExplicitAny: the answer's JSON
  const asPrinted = ({ routingKey, baseline, destinationSandbox, mappings }: any) => ({
    routing_key: routingKey,
    baseline,
    destination_sandbox: destinationSandbox,
    mappings: mappings.map(({ workloadPort, destinations }: { workloadPort: number; destinations: object[] }) => ({
      workload_port: workloadPort,
      destinations,
    })),
  });
  expect(printed).toEqual({ routingRules: body.routingRules.map(asPrinted) });
  const watched = await sdroutesWatch("SYNCED", ...args, "-routing-key", "pr-2");
  expect(watched.match(/"(?:ADD|SYNCED|REPLACE|REMOVE)"/g)).toEqual(['"ADD"', '"SYNCED"']);
  expect(watched).toMatch(/"routing_key": *"pr-2"/);
});
