import { expect, test } from "vitest";
import type { Mode } from "../../installer/manifests/installation.ts";
import { fromKubectl } from "../../installer/render/listed.ts";
import { tableScope } from "../../installer/services/scope.ts";
import { parseScope } from "../../server/feed/scope.ts";

type Labels = Record<string, string>;
const service = (name: string, selector: Labels, ports: object[]) => ({
  kind: "Service",
  metadata: { name, namespace: "demo" },
  spec: { selector, ports },
});
const pod = (name: string, labels: Labels) => ({
  kind: "Pod",
  metadata: { name, namespace: "demo", labels },
  spec: { containers: [{ ports: [{ name: "web", containerPort: 8080 }] }] },
});
const http = { name: "http", port: 9080 };

const reviews = service("reviews", { app: "reviews" }, [http, { name: "admin", port: 81, targetPort: "web" }]);
const sandbox = service("reviews-pr-42", { app: "reviews", version: "pr-42" }, [http]);
const ratings = service("ratings", { app: "ratings" }, [http]);
const pods = [
  pod("reviews-1", { app: "reviews", version: "v1" }),
  pod("reviews-2", { app: "reviews", version: "pr-42" }),
  pod("ratings-1", { app: "ratings" }),
];

function scopeOf(objects: object[], labels: Labels, mode: Mode = "inbound") {
  return tableScope({ mode, namespace: "demo", scope: { labels } }, fromKubectl(JSON.stringify({ items: objects })));
}

test("callers and gateways hold the routes of all services", async () => {
  expect(await scopeOf([], {}, "outbound")).toEqual({ text: "outbound:demo", leftOut: [] });
  expect(await scopeOf([], {}, "gateway")).toEqual({ text: "outbound:demo", leftOut: [] });
});

test("a called proxy holds those of its services, by the ports that its pods listen on", async () => {
  expect(await scopeOf([reviews, ratings, ...pods.slice(0, 1)], { app: "reviews" })).toEqual({
    text: "inbound:demo/reviews:81=8080,demo/reviews:9080=9080",
    leftOut: [],
  });
});

test("what the installer writes is what the server reads", async () => {
  const { text } = await scopeOf([reviews, ratings, ...pods.slice(0, 1)], { app: "reviews" });
  const service = { namespace: "demo", service: "reviews" };
  expect(parseScope(text)).toEqual({
    kind: "inbound",
    ports: [
      { ...service, port: 81, containerPort: 8080 },
      { ...service, port: 9080, containerPort: 9080 },
    ],
  });
  expect(parseScope((await scopeOf([], {}, "outbound")).text)).toEqual({ kind: "outbound", namespace: "demo" });
});

test("a service of only some of the selected pods would take requests for the others, so it is left out", async () => {
  expect(await scopeOf([sandbox, reviews, ratings, ...pods], { app: "reviews" })).toEqual({
    text: "inbound:demo/reviews:81=8080,demo/reviews:9080=9080",
    leftOut: ["reviews-pr-42:9080"],
  });
});

test("different services on one port can't be told apart, on different ports they can", async () => {
  const bare = service("reviews", { app: "reviews" }, [http]);
  await expect(scopeOf([bare, ratings, ...pods], {})).rejects.toMatchObject({
    message: expect.stringContaining("reviews:9080, ratings:9080"),
    next: expect.stringContaining("-l"),
  });
  const apart = service("ratings", { app: "ratings" }, [{ port: 9080, targetPort: 9081 }]);
  expect(await scopeOf([bare, apart, ...pods], {})).toMatchObject({
    text: "inbound:demo/ratings:9080=9081,demo/reviews:9080=9080",
  });
});

test("workloads that are still to come have the labels that are selected", async () => {
  const numbered = service("reviews", { app: "reviews" }, [http]);
  expect(await scopeOf([numbered, ratings], { app: "reviews", version: "v1" })).toMatchObject({
    text: "inbound:demo/reviews:9080=9080",
  });
  await expect(scopeOf([numbered, ratings], { app: "other" })).rejects.toMatchObject({
    message: "no service is in front of the selected workloads",
  });
});

test("a proxy on both ways holds the routes of all services, and its own once more where every pod that may be selected answers for them", async () => {
  const all = [sandbox, reviews, ratings, ...pods];
  expect(await scopeOf(all, { app: "reviews" }, "both")).toEqual({
    text: "both:demo,demo/reviews:81=8080,demo/reviews:9080=9080",
    leftOut: [],
  });
  for (const [objects, labels] of [
    [all, {}],
    [[reviews, pods[0]], { version: "v1" }],
    [[], {}],
  ] as [object[], Labels][])
    expect(await scopeOf(objects, labels, "both")).toEqual({ text: "both:demo", leftOut: [] });
  const { text } = await scopeOf([ratings], { app: "ratings", version: "v1" }, "both");
  expect(parseScope(text)).toEqual({
    kind: "both",
    namespace: "demo",
    ports: [{ namespace: "demo", service: "ratings", port: 9080, containerPort: 9080 }],
  });
});

test("more services than a scope holds are refused", async () => {
  const many = Array.from({ length: 200 }, (_, index) =>
    service(`a-service-with-a-name-${index}`, { app: "reviews" }, [http]),
  );
  await expect(scopeOf([...many, ...pods.slice(0, 1)], { app: "reviews" })).rejects.toMatchObject({
    message: expect.stringContaining("200 ports"),
  });
});
