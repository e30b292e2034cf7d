// A cluster's everyday life under 300 requests a second: Sandboxes and forks come and go, targets are scaled to nothing and back, the baseline is rolled, controllers are
// killed and the API server restarted. No request may fail, and each has to arrive where its key may lead at that moment.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { SandboxSpec } from "../../routes/model/sandbox.ts";
import type { Deployments } from "./bed/deployments.ts";
import type { Dump } from "./bed/dump.ts";
import type { Load } from "./bed/load.ts";
import { namespaceObject } from "./bed/objects.ts";
import { mesh } from "./bed/shared.ts";
import { until } from "./bed/until.ts";
import { keyway, keywayDone, publishModule, quiet } from "./keyway.ts";
import { Ledger } from "./ledger.ts";
import { followServers, installServers, Sandboxes, SERVER_NAMESPACE, workloadObjects } from "./previews.ts";

const NAMESPACE = "sandboxes-load";
const IN = ["-n", NAMESPACE];
/** After this time nothing leads to where a deleted Sandbox led. */
const GONE_MS = 2000;
/** The same where servers are away that proxies follow. */
const LATE_MS = 10_000;
/** Requests a second of each stream. */
const RATE = 75;
/** The part of the load that a busy machine has to reach. */
const REACHED = 0.7;

const names = (what: string, count: number) => Array.from({ length: count }, (_, index) => `${what}-${index}`);
const CHURN = names("churn", 200);
const FORKS = names("fork", 2);
/** As many requests without a key as with one. */
const PLAIN = CHURN.map(() => "");
const TO = (to: string): SandboxSpec => ({ routes: [{ service: "reviews", to }] });

let shop: Deployments;
let servers: Deployments;
let sandboxes: Sandboxes;
let before: Dump;
let loads: Record<"reviews" | "details", Load>;
let ledgers: Record<"reviews" | "details", Ledger>;
let began: number;

beforeAll(async () => {
  await mesh.api.apply(...[NAMESPACE, SERVER_NAMESPACE].map(namespaceObject));
  shop = mesh.manage(NAMESPACE);
  await mesh.apply(
    ...["caller", "visitor"].flatMap((name) => workloadObjects(NAMESPACE, name, { service: false })),
    ...workloadObjects(NAMESPACE, "reviews", { replicas: 2 }),
    ...["reviews-a", "reviews-b", "reviews-c", "details"].flatMap((name) => workloadObjects(NAMESPACE, name)),
  );
  await serve({ caller: 1, visitor: 1, reviews: 2, "reviews-a": 1, "reviews-b": 1, "reviews-c": 1, details: 1 });
  await quiet([...shop.pods("caller"), ...shop.pods("visitor")]);
  before = await mesh.dump();
  servers = await installServers(mesh);
  const module = await publishModule();
  await followServers(
    mesh,
    { namespace: NAMESPACE, module },
    "--name",
    "callers",
    "--mode",
    "outbound",
    "-l",
    "app=caller",
  );
  await followServers(
    mesh,
    { namespace: NAMESPACE, module },
    "--name",
    "workloads",
    "--mode",
    "inbound",
    "-l",
    "app=reviews",
  );
  sandboxes = await Sandboxes.follow(mesh, NAMESPACE);
});

afterAll(async () => {
  await sandboxes?.close();
  await keyway("uninstall", ...IN, "--all", "--include-edited", "--no-wait");
  await keyway("server", "uninstall", "-n", SERVER_NAMESPACE, "--with-resources");
});

beforeEach(async () => {
  ledgers = { reviews: new Ledger("reviews"), details: new Ledger("details") };
  const [caller] = shop.pods("caller");
  const [visitor] = shop.pods("visitor");
  if (!caller || !visitor) throw new Error("nobody is there who calls");
  const reviews = { host: "reviews:9080" };
  const plan = { rate: RATE, seconds: 200 };
  const few = ["steady", "scaled"];
  const all = await Promise.all([
    mesh.load(
      [
        { from: caller, ...reviews, keys: [...CHURN, "none", ...PLAIN] },
        { from: caller, ...reviews, keys: few },
        { from: visitor, ...reviews, keys: [...CHURN, ...few, ...few, "none", ...PLAIN] },
      ],
      plan,
    ),
    mesh.load([{ from: caller, host: "details:9080", keys: [...FORKS, ""] }], plan),
  ]);
  loads = { reviews: all[0], details: all[1] };
  began = Date.now();
});

afterEach(async () => {
  // What a test that has failed leaves must not be in the next one's way.
  await sandboxes.clear();
  for (const service of ["reviews", "details"] as const) {
    const { sent, failures, failed } = await loads[service].stop();
    expect({ failed, failures }, service).toEqual({ failed: 0, failures: [] });
    expect(ledgers[service].strays(sent), service).toEqual({});
    const streams = service === "reviews" ? 3 : 1;
    const perSecond = (sent.length * 1000) / (Date.now() - began);
    expect(perSecond, service).toBeGreaterThan(streams * RATE * REACHED);
  }
});

/** Waits for so many pods of Deployments. */
const serve = (wanted: Record<string, number>) =>
  until(`pods of ${Object.keys(wanted)}`, () =>
    Object.entries(wanted).every(([name, count]) => shop.pods(name).length >= count),
  );

/** A Sandbox that lives for some time; the milliseconds that it took to be in force. */
async function live(
  name: string,
  spec: SandboxSpec,
  { lifeMs, lateMs = GONE_MS }: { lifeMs: number; lateMs?: number },
) {
  const to = `${spec.routes?.[0]?.to}`;
  const isThere = ledgers.reviews.leads(name, to);
  const start = performance.now();
  await sandboxes.apply(name, spec);
  await sandboxes.inForce(name);
  const took = performance.now() - start;
  isThere();
  await sleep(lifeMs);
  const isGone = ledgers.reviews.leads(name);
  await sandboxes.delete(name);
  await sleep(lateMs);
  isGone();
  return took;
}

/** All of them, begun one after the other. */
async function comeAndGo(all: readonly string[], everyMs: number, life: Parameters<typeof live>[2]): Promise<number[]> {
  const lives = [];
  for (const [index, name] of all.entries()) {
    lives.push(live(name, TO(index % 2 === 0 ? "reviews-b" : "reviews-c"), life));
    await sleep(everyMs);
  }
  return (await Promise.all(lives)).sort((a, b) => a - b);
}

async function fork(name: string): Promise<void> {
  const isThere = ledgers.details.leads(name, `details-${name}`);
  const containers = [{ name: "app", image: `registry.example/details:${name}` }];
  await sandboxes.apply(name, { forks: [{ workload: "Deployment/details", containers }] });
  await sandboxes.inForce(name);
  isThere();
  await sleep(1000);
  const isGone = ledgers.details.leads(name);
  await sandboxes.delete(name);
  await sandboxes.gone(name);
  await sleep(GONE_MS);
  isGone();
}

test("200 Sandboxes and some forks come and go", async () => {
  const forks = (async () => {
    for (const name of FORKS) await fork(name);
  })();
  const took = await comeAndGo(CHURN, 80, { lifeMs: 1500 });
  await forks;
  const at = (share: number) => Math.round(took[Math.floor(took.length * share)] ?? 0);
  expect(at(0.99)).toBeLessThan(5000);
});

test("targets are scaled to nothing and back, and the baseline is rolled", async () => {
  const { reviews } = ledgers;
  for (const [name, to] of [
    ["steady", "reviews-b"],
    ["scaled", "reviews-a"],
  ] as const) {
    const isThere = reviews.leads(name, to);
    await sandboxes.apply(name, TO(to));
    await sandboxes.inForce(name);
    isThere();
  }
  for (let round = 0; round < 2; round++) {
    const isGone = reviews.leads("scaled");
    await change("reviews-a", { replicas: 0 });
    await until("the target to be gone", () => shop.pods("reviews-a").length === 0);
    await sleep(GONE_MS);
    isGone();
    const isBack = reviews.leads("scaled", "reviews-a");
    await change("reviews-a", { replicas: 1 });
    await serve({ "reviews-a": 1 });
    await sandboxes.inForce("scaled");
    isBack();
    await sleep(500);
  }
  const old = shop.pods("reviews");
  await change("reviews", { template: { metadata: { annotations: { rolled: "1" } } } });
  await until("the baseline to be rolled", () => {
    const now = shop.pods("reviews");
    return now.length === old.length && now.every((pod) => !old.includes(pod));
  });
  await sleep(GONE_MS);
  for (const name of ["steady", "scaled"]) await end(name);
});

test("controllers are killed at ten random moments", async () => {
  const random = seeded(42);
  const isThere = ledgers.reviews.leads("steady", "reviews-b");
  await sandboxes.apply("steady", TO("reviews-b"));
  await sandboxes.inForce("steady");
  isThere();
  let isOver = false;
  const lives = comeAndGo(CHURN.slice(0, 40), 300, { lifeMs: 3000, lateMs: LATE_MS });
  const kills = (async () => {
    for (let kill = 0; kill < 10; kill++) {
      await sleep(200 + random() * 1500);
      const all = servers.pods("keyway-server");
      const victim = all[Math.floor(random() * all.length)];
      if (victim) await servers.crash(victim);
    }
    isOver = true;
  })();
  await Promise.all([lives, kills]);
  expect(isOver).toBe(true);
  await end("steady", LATE_MS);
});

test("the API server is restarted meanwhile", async () => {
  const lives = comeAndGo(CHURN.slice(0, 20), 200, { lifeMs: 2000, lateMs: LATE_MS });
  await sleep(2000);
  await mesh.restartApiServer();
  await lives;
});

test("uninstalling leaves the cluster as it was", async () => {
  await keywayDone("uninstall", ...IN, "--all");
  await keywayDone("server", "uninstall", "-n", SERVER_NAMESPACE);
  await until("the server's pods to end", () => servers.pods("keyway-server").length === 0);
  await servers.idle();
  const lease = `/apis/coordination.k8s.io/v1/namespaces/${SERVER_NAMESPACE}/leases`;
  expect(await mesh.api.get(lease)).toMatchObject({ items: [] });
  expect(withoutPods(await mesh.dump())).toEqual(withoutPods(before));
});

async function end(name: string, lateMs = GONE_MS): Promise<void> {
  const isGone = ledgers.reviews.leads(name);
  await sandboxes.delete(name);
  await sleep(lateMs);
  isGone();
}

/** Changes the spec of a Deployment of the shop. */
const change = (name: string, spec: object) =>
  mesh.api.change({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace: NAMESPACE }, spec });

/** What the tests have scaled and rolled themselves are other objects by now. */
const withoutPods = (dump: Dump): Dump =>
  Object.fromEntries(
    Object.entries(dump).filter(([name]) => !/^\S*(pods|endpointslices|deployments) sandboxes-load\//.test(name)),
  );

/** Numbers from 0 to 1, the same ones each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
