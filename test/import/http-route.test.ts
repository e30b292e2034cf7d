// What an import makes of HTTPRoutes of the Gateway API.
import { expect, test } from "vitest";
import { mistakeIn, read } from "./read.ts";

const SERVICE = { group: "", kind: "Service", name: "reviews", port: 9080 };
const httpRoute = (rules: object[], spec: object = {}, metadata: object = {}) => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "HTTPRoute",
  metadata: { name: "reviews", namespace: "demo", ...metadata },
  spec: { parentRefs: [SERVICE], rules, ...spec },
});
const to = (name: string, more: object = {}) => ({ backendRefs: [{ name, port: 9080, ...more }] });
const header = (name: string, value: string, type?: string) => ({ headers: [{ name, value, ...(type && { type }) }] });
const told = (input: object) =>
  read(input).findings.map((one) => one.replace(/in\.yaml:\d+:\d+: HTTPRoute demo\/reviews: /, ""));

test("the most specific match goes first, and a rule that leads to the service itself needs no route", () => {
  const { routes, ids, findings } = read(
    httpRoute([
      to("reviews"),
      { matches: [header("X-User", "alice")], ...to("reviews-v2") },
      { matches: [{ path: { type: "PathPrefix", value: "/api/" } }], ...to("reviews-v3") },
      {
        matches: [{ path: { type: "Exact", value: "/api" }, method: "GET" }],
        ...to("reviews-v4", { namespace: "other" }),
      },
    ]),
  );
  const service = "reviews.demo:9080";
  const path = (comparison: object) => ({ request: "path", ...comparison });
  expect(routes).toEqual([
    { service, when: [path({ exact: "/api" }), { request: "method", exact: "GET" }], to: "reviews-v4.other:9080" },
    { service, when: [path({ exact: "/api" })], to: "reviews-v3.demo:9080" },
    { service, when: [path({ prefix: "/api/" })], to: "reviews-v3.demo:9080" },
    { service, when: [{ header: "x-user", exact: "alice" }], to: "reviews-v2.demo:9080" },
  ]);
  expect(ids[0]).toBe("hr-demo-reviews-0001");
  expect(findings).toEqual([]);
});

test("a header that carries keys is a key; weights are shares; regular expressions are those that are a text", () => {
  const { routes, keys } = read(
    httpRoute([
      { matches: [header("x-routing-key", "pr-42")], ...to("reviews-pr-42") },
      {
        backendRefs: [
          { name: "reviews", port: 9080, weight: 9 },
          { name: "reviews-v2", port: 9080 },
        ],
      },
    ]),
  );
  expect(routes).toEqual([
    { service: "reviews.demo:9080", key: "pr-42", to: "reviews-pr-42.demo:9080" },
    {
      service: "reviews.demo:9080",
      split: [
        { to: "reviews.demo:9080", weight: 90 },
        { to: "reviews-v2.demo:9080", weight: 10 },
      ],
    },
  ]);
  expect(keys).toEqual(["header:x-routing-key"]);
  const expression = httpRoute([{ matches: [header("a", "x.*", "RegularExpression")], ...to("b") }, to("reviews")]);
  expect(read(expression).routes[0].when).toEqual([{ header: "a", prefix: "x" }]);
});

test("routes of one Service are taken together, the older first", () => {
  const rule = (target: string) => [{ matches: [header("a", "b")], ...to(target) }];
  const items = [
    httpRoute(rule("young"), {}, { name: "young", creationTimestamp: "2026-02-01T00:00:00Z" }),
    httpRoute(rule("old"), {}, { name: "old", creationTimestamp: "2026-01-01T00:00:00Z" }),
  ];
  const { routes } = read({ apiVersion: "v1", kind: "List", items });
  expect(routes.map((one) => one.to)).toEqual(["old.demo:9080", "young.demo:9080"]);
});

test.each([
  [
    "a gateway",
    httpRoute([to("a")], { parentRefs: [{ name: "edge" }] }),
    /^dropped spec\.parentRefs\[0\]: what holds at Gateway edge/,
  ],
  [
    "callers of one namespace",
    httpRoute([to("reviews")], { parentRefs: [{ ...SERVICE, namespace: "shop" }] }),
    /^widened spec\.parentRefs\[0\]: it was for callers in demo alone/,
  ],
  [
    "a redirect",
    httpRoute([{ filters: [{ type: "RequestRedirect" }] }, to("reviews")]),
    /^dropped spec\.rules\[0\]\.filters\[0\]: a route leads to a service/,
  ],
  [
    "a filter",
    httpRoute([{ filters: [{ type: "URLRewrite" }], ...to("reviews") }]),
    /^dropped spec\.rules\[0\]\.filters\[0\]: what takes this route/,
  ],
  [
    "a timeout",
    httpRoute([{ timeouts: { request: "3s" }, ...to("reviews") }]),
    /^dropped spec\.rules\[0\]\.timeouts: what takes this route/,
  ],
  [
    "another kind of backend",
    httpRoute([to("a", { kind: "ServiceImport", group: "multicluster.x-k8s.io" }), to("reviews")]),
    /^dropped spec\.rules\[0\]\.backendRefs\[0\]: a route leads to a Service/,
  ],
  [
    "a path that is a pattern",
    httpRoute([{ matches: [{ path: { type: "RegularExpression", value: "/a[0-9]" } }], ...to("a") }, to("reviews")]),
    /^dropped spec\.rules\[0\]\.matches\[0\]\.path: Keyway compares texts/,
  ],
  [
    "no rule for all",
    httpRoute([{ matches: [header("a", "b")], ...to("b") }]),
    /^widened spec\.rules: a request that none of these rules takes was answered with 404/,
  ],
  [
    "no backend",
    httpRoute([{ matches: [header("a", "b")] }, to("reviews")]),
    /^dropped spec\.rules\[0\]\.backendRefs: it leads to nobody/,
  ],
])("%s is told by its place", (_, input, finding) => {
  expect(told(input)).toEqual([expect.stringMatching(finding)]);
});

test("a mistake is told, too", () => {
  expect(mistakeIn(httpRoute([{ backendRefs: [{ port: 80 }] }]))).toMatch(
    /spec\.rules\[0\]\.backendRefs\[0\]\.name: required/,
  );
});
