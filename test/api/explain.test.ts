import { expect, test } from "vitest";
import { sent, sharedServer, startServer } from "./serve.ts";

const shared = sharedServer({ hierarchy: "." });

const HOST = "reviews.demo.svc.cluster.local";
const ROUTES = [
  { id: "key", service: "reviews.demo:9080", key: "pr-42", to: "reviews-pr-42" },
  { id: "cluster", from: "payments", key: "pr-42", to: "payments-pr-42" },
  { id: "istio", from: `outbound|9080||${HOST}`, key: "pr-7", to: `outbound|9080|v7|${HOST}` },
  { id: "any", from: "*", key: "everything", to: "elsewhere" },
  {
    id: "when",
    service: "reviews.demo:9080",
    when: [{ cookie: "user", exact: "alice" }],
    to: { service: "reviews", subset: "v2" },
  },
  { id: "inbound", from: "inbound|9080||", key: "pr-9", to: "x" },
  { id: "parent", service: "plain", key: "a", to: "plain-a" },
  { id: "late", service: "plain", key: "late", to: "plain-late", ttl: "1h" },
];
const key = (value: string) => [["x-routing-key", value]];

test.each<[string, object, object]>([
  [
    "a service",
    { service: "reviews.demo:9080", headers: key("pr-42") },
    {
      outcome: "routed",
      key: "pr-42",
      source: "header:x-routing-key",
      from: "reviews.demo:9080",
      to: "reviews-pr-42",
      why: "a route for this key and baseline",
    },
  ],
  [
    "a service by less of its name",
    { service: "reviews", headers: key("pr-42") },
    { outcome: "routed", to: "reviews-pr-42" },
  ],
  ["another port of a service", { service: "reviews:80", headers: key("pr-42") }, { outcome: "baseline", to: null }],
  ["a service in another namespace", { service: "reviews.shop", headers: key("pr-42") }, { outcome: "baseline" }],
  [
    "Istio's cluster of a service",
    { from: `outbound|9080||${HOST}`, headers: key("pr-42") },
    { outcome: "routed", to: "outbound|9080||reviews-pr-42.demo.svc.cluster.local" },
  ],
  [
    "a route that names Istio's cluster",
    { from: `outbound|9080||${HOST}`, headers: key("pr-7") },
    { outcome: "routed", to: `outbound|9080|v7|${HOST}` },
  ],
  [
    "a subset of a cluster",
    { from: `outbound|9080|v1|${HOST}`, headers: key("pr-7") },
    { outcome: "routed", why: "a route for this key and baseline; the route is from any subset" },
  ],
  ["a plain cluster", { from: "payments", headers: key("pr-42") }, { outcome: "routed", to: "payments-pr-42" }],
  ["any baseline", { from: "whatever", headers: key("everything") }, { outcome: "routed", to: "elsewhere" }],
  [
    "any baseline, by a service",
    { service: "whatever", headers: key("everything") },
    { outcome: "routed", to: "elsewhere" },
  ],
  ["an inbound cluster", { from: "inbound|9080||", headers: key("pr-9") }, { outcome: "routed", to: "x" }],
  [
    "conditions",
    { from: `outbound|9080||${HOST}`, headers: [["cookie", "user=alice"]] },
    { outcome: "routed", key: null, to: "outbound|9080|v2|reviews.demo.svc.cluster.local" },
  ],
  ["no key", { service: "reviews.demo" }, { outcome: "no_key", key: null, source: null, to: null }],
  ["what is no key", { service: "reviews.demo", headers: key("a b") }, { outcome: "invalid_key", key: null }],
  [
    "a hop mark",
    { from: "payments", headers: [...key("pr-42"), ["x-keyway-routed", "payments-pr-42"]] },
    { outcome: "already_routed" },
  ],
  [
    "a parent of the key",
    { service: "plain", headers: key("a.b.c") },
    { outcome: "routed", key: "a.b.c", to: "plain-a" },
  ],
  ["a route that expires later", { service: "plain", headers: key("late") }, { outcome: "routed" }],
])("explains %s as the filter decides", async (_, request, decision) => {
  expect((await shared.ask("/v1/routes:apply", sent("POST", { set: ROUTES }))).status).toBe(200);
  expect(await shared.ask("/v1/explain", sent("POST", request))).toMatchObject({ status: 200, body: decision });
});

test.each([
  ["has no route", 20],
  ["is longer than a plain key may be", 300],
])("a signed key that %s is told as what this server can't verify, without its signature", async (_, length) => {
  const signature = "A".repeat(length);
  const asked = { service: "reviews.demo:9080", headers: key(`pr-42~4102444800~~ours~${signature}`) };
  const { body } = await shared.ask("/v1/explain", sent("POST", asked));
  expect(body).toMatchObject({ to: null, why: expect.stringContaining("which proxies verify whose edge has keys") });
  expect(body.why).not.toContain(signature);
});

test("explains by the sources that the server is told of", async () => {
  const { ask } = await startServer({ keys: "host:.preview.example.com, query:k" });
  await ask("/v1/routes/a", sent("PUT", { service: "reviews", key: "pr-42", to: "x" }));
  const byHost = { service: "reviews", headers: [["Host", "pr-42.preview.example.com"]] };
  expect((await ask("/v1/explain", sent("POST", byHost))).body).toMatchObject({
    outcome: "routed",
    source: "host:.preview.example.com",
  });
  const byQuery = { service: "reviews", path: "/x?k=pr-42" };
  expect((await ask("/v1/explain", sent("POST", byQuery))).body).toMatchObject({
    outcome: "routed",
    source: "query:k",
  });
});

test.each<[unknown, string]>([
  [{}, ""],
  [{ from: "a", service: "b" }, ""],
  [{ service: "No Service" }, "service"],
  [{ from: "a", headers: [["a b", "c"]] }, "headers[0][0]"],
  [{ from: "a", headers: [["a"]] }, "headers[0]"],
  [{ from: "a", headers: { a: "b" } }, "headers"],
  [{ from: "a", pth: "/" }, "pth"],
  [{ from: 5 }, "from"],
])("what can't be explained is refused with the place: %j", async (request, path) => {
  const { status, body } = await shared.ask("/v1/explain", sent("POST", request));
  expect([status, body.error.details[0].path]).toEqual([400, path]);
});
