// Routes that say more than a key: conditions on parts of the request and on its caller, a key's parents, refusals.
import { request } from "node:https";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Listener } from "../../scripts/proxy/bootstrap.ts";
import { type Bed, startBed } from "./bed/bed.ts";
import { alice, bob, type Caller } from "./bed/callers.ts";
import type { Ask } from "./bed/client.ts";
import { h2 } from "./bed/h2.ts";

const TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";
const identity = (name: string) => `spiffe://cluster.local/ns/demo/sa/${name}`;

let bed: Bed;
let secure: Bed;
const config = {
  hierarchy: ".",
  routes: [
    { from: "reviews", key: "pr-42", when: [{ request: "path", prefix: "/api/" }], to: "api" },
    { from: "reviews", key: "pr-42", when: [{ header: "x-beta", present: true }], to: "beta" },
    { from: "reviews", key: "pr-42", to: "pr-42" },
    { from: "reviews", key: "pr-42.child", to: "child" },
    { from: "reviews", key: "pr-7", when: [{ request: "method", exact: "POST", not: true }], to: "pr-7" },
    { from: "reviews", key: "gone", to: "nowhere", missing: "fail" },
    { from: "reviews", when: [{ request: "host", exact: "shop.test" }], to: "shop" },
    { from: "reviews", when: [{ request: "caller", exact: identity("alice") }], to: "for-alice" },
    {
      from: "reviews",
      when: [{ request: "path", exact: "/half" }],
      split: [
        { to: "a", weight: 50 },
        { to: "b", weight: 50 },
      ],
      sticky: "cookie:session",
    },
  ],
};
const targets = ["api", "beta", "pr-42", "child", "pr-7", "shop", "for-alice", "a", "b"];

beforeAll(async () => {
  bed = await startBed({ config, targets });
  secure = await startBed({
    config,
    targets,
    change: ({ static_resources }) => {
      const [chain] = (static_resources.listeners[0] as Listener).filter_chains;
      const inline = (text: string) => ({ inline_string: text });
      const common_tls_context = {
        tls_certificates: [{ certificate_chain: inline(bob.cert), private_key: inline(bob.key) }],
        validation_context: { trusted_ca: inline(`${alice.cert}\n${bob.cert}`) },
      };
      Object.assign(chain as object, {
        transport_socket: { name: "tls", typed_config: { "@type": TLS, common_tls_context } },
      });
    },
  });
});
afterAll(() => Promise.all([bed.stop(), secure.stop()]));

const keyed = (key: string, more: Ask = {}): Ask => ({ ...more, headers: { "x-routing-key": key, ...more.headers } });

test.each<[what: string, ask: Ask, service: string]>([
  ["a key route without conditions takes what the others leave", keyed("pr-42"), "pr-42"],
  ["the path decides", keyed("pr-42", { path: "/api/x?y" }), "api"],
  ["the query is no part of the path", keyed("pr-42", { path: "/x?/api/" }), "pr-42"],
  [
    "the first of the routes whose conditions hold",
    keyed("pr-42", { path: "/api/x", headers: { "x-beta": "" } }),
    "api",
  ],
  ["another of them", keyed("pr-42", { headers: { "x-beta": "" } }), "beta"],
  ["a condition that is turned round holds", keyed("pr-7"), "pr-7"],
  ["and does not", keyed("pr-7", { method: "POST" }), "reviews"],
  ["the host without its port", { headers: { host: "shop.test:8080" } }, "shop"],
  ["another host", { headers: { host: "shop.test.example" } }, "reviews"],
  ["a key's own route", keyed("pr-42.child"), "child"],
  ["the nearest parent's", keyed("pr-42.child.toy"), "child"],
  ["a parent's, by its conditions", keyed("pr-42.other.toy", { path: "/api/" }), "api"],
  ["whole parts only", keyed("pr-421.child"), "reviews"],
  [
    "nobody proves to be alice without a certificate",
    { headers: { "x-forwarded-client-cert": identity("alice") } },
    "reviews",
  ],
])("%s", async (_, what, service) => {
  expect((await bed.ask(what)).service).toBe(service);
});

test("shares under a condition", async () => {
  const at = async (path: string, session: number) =>
    (await bed.ask({ path, headers: { cookie: `session=${session}` } })).service;
  const sessions = Array.from({ length: 30 }, (_, i) => i);
  expect(new Set(await Promise.all(sessions.map((session) => at("/half", session))))).toEqual(new Set(["a", "b"]));
  expect(new Set(await Promise.all(sessions.map((session) => at("/", session))))).toEqual(new Set(["reviews"]));
});

describe("the caller's identity", () => {
  const ask = (caller?: Caller) =>
    new Promise((resolve, reject) => {
      const options = { port: secure.port, rejectUnauthorized: false, agent: false as const, ...caller };
      const answered = request(options, (answer) => resolve(answer.resume().headers["x-service"]));
      answered.on("error", reject).end();
    });

  test("decides as mutual TLS proved it", async () => {
    expect([await ask(alice), await ask(bob), await ask()]).toEqual(["for-alice", "reviews", "reviews"]);
  });
});

describe("a missing target, where the route says to fail", () => {
  test("is answered with 424 and JSON, in HTTP/1.1 and HTTP/2", async () => {
    const { status, headers, body } = await bed.ask(keyed("gone"));
    expect([status, headers["content-type"], JSON.parse(body)]).toMatchObject([
      424,
      "application/json",
      { error: { code: "missing_target" }, key: "gone", from: "reviews", to: "nowhere" },
    ]);
    const client = h2(bed.port);
    expect((await client.ask({ "x-routing-key": "gone" })).status).toBe(424);
    client.close();
  });

  test("with a body that is still being sent, too", async () => {
    const answer = await bed.ask(keyed("gone", { method: "POST", body: "x".repeat(100_000) }));
    expect(answer.status).toBe(424);
  });
});
