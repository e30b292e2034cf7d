import type { V1Service, V1ServicePort } from "@kubernetes/client-node";
import { describe, expect, test } from "vitest";
import type { StoredRoute } from "../../routes/model/live-route.ts";
import { ClusterPlaces, placedService, placedWorkload, type Workload } from "../../server/doors/signadot/places.ts";
import { mergeParts, partsOf, type Surroundings } from "../../server/doors/signadot/rules.ts";

const workload = { kind: "Deployment", namespace: "demo", name: "reviews", port: 9080 };
const route = (more: Partial<StoredRoute> = {}): StoredRoute => ({
  id: "r",
  service: "reviews",
  key: "pr-42",
  to: "reviews-pr-42",
  revision: 1,
  ...more,
});

/** The rules that one route makes alone: `KIND/NAMESPACE/NAME PORT -> HOST:PORT of SANDBOX`. */
function rulesOf(one: StoredRoute, surroundings: Surroundings): string[] | string {
  const parts = partsOf(one, surroundings);
  if (typeof parts === "string") return parts;
  return parts.flatMap((part) => {
    const rule = mergeParts(one.key ?? "", [part]);
    const { kind, namespace, name } = rule?.baseline ?? { kind: "", namespace: "", name: "" };
    return (rule?.mappings ?? []).flatMap(({ workloadPort, destinations }) =>
      destinations.map(({ host, port }) => {
        return `${kind}/${namespace}/${name} ${workloadPort} -> ${host}:${port} of ${rule?.destinationSandbox.name}`;
      }),
    );
  });
}

describe("without a cluster a route says its workload", () => {
  test.each<[Partial<StoredRoute>, string[] | string]>([
    [{ workload }, ["Deployment/demo/reviews 9080 -> reviews-pr-42.demo.svc:9080 of pr-42"]],
    [{ workload, service: "reviews:80" }, ["Deployment/demo/reviews 9080 -> reviews-pr-42.demo.svc:80 of pr-42"]],
    [
      { workload, service: "reviews.shop:80", to: "reviews-pr-42:81" },
      ["Deployment/demo/reviews 9080 -> reviews-pr-42.shop.svc:81 of pr-42"],
    ],
    [
      { workload, to: "reviews-pr-42.test.svc.cluster.local:81" },
      ["Deployment/demo/reviews 9080 -> reviews-pr-42.test.svc.cluster.local:81 of pr-42"],
    ],
    [{ workload, to: { service: "b" } }, ["Deployment/demo/reviews 9080 -> b.demo.svc:9080 of pr-42"]],
    [
      { workload, to: "reviews.test.example.com:443" },
      ["Deployment/demo/reviews 9080 -> reviews.test.example.com:443 of pr-42"],
    ],
    [{ workload, to: "10.0.0.7:8080" }, ["Deployment/demo/reviews 9080 -> 10.0.0.7:8080 of pr-42"]],
    [{ workload, owner: "Sandbox demo/sb-1" }, ["Deployment/demo/reviews 9080 -> reviews-pr-42.demo.svc:9080 of sb-1"]],
    [
      { workload, owner: "Sandbox demo/sb-1", labels: { "keyway.dev/sandbox": "sb-2" } },
      ["Deployment/demo/reviews 9080 -> reviews-pr-42.demo.svc:9080 of sb-2"],
    ],
    [{ workload, owner: "ann" }, ["Deployment/demo/reviews 9080 -> reviews-pr-42.demo.svc:9080 of pr-42"]],
    [{}, "workload"],
    [{ workload, to: "b:http" }, "target"],
    [{ workload, to: { service: "b", subset: "v2" } }, "subset"],
    [{ workload, service: { service: "b", subset: "v2" } }, "subset"],
    [{ workload, to: { cluster: "b" } }, "cluster"],
    [{ workload, service: { cluster: "b" } }, "cluster"],
    [{ workload, service: "*" }, "any_baseline"],
    [{ workload, when: [{ cookie: "user", exact: "alice" }] }, "conditions"],
  ])("%j", (more, expected) => {
    expect(rulesOf(route(more), { domain: "cluster.local" })).toEqual(expected);
  });

  test("routes between clusters, and those without a key", () => {
    const { service: _, key: __, to: ___, ...rest } = route({ workload });
    const surroundings = { domain: "cluster.local" };
    expect(partsOf({ ...rest, key: "a", from: "outbound|80||b", to: "c" }, surroundings)).toBe("cluster");
    expect(partsOf({ ...rest, key: "a", from: "*", to: "c" }, surroundings)).toBe("any_baseline");
    expect(partsOf({ ...rest, service: "b", split: [{ to: "c", weight: 10 }] }, surroundings)).toBe("conditions");
  });
});

const service = (name: string, ports: object[], more: { namespace?: string; app?: string; sandbox?: string } = {}) => ({
  metadata: {
    name,
    namespace: more.namespace ?? "demo",
    labels: more.sandbox === undefined ? {} : { "keyway.dev/sandbox": more.sandbox },
  },
  spec: { ports: ports as V1ServicePort[], selector: { app: more.app ?? name } },
});

/** A Service without a selector. */
const unselecting = (name: string) => ({ ...service(name, [{ port: 80 }]), spec: { ports: [{ port: 80 }] } });

const workloadOf = (name: string, kind = "Deployment", ports: object[] = [], namespace = "demo", app = name) =>
  ({
    kind,
    metadata: { name, namespace },
    spec: { template: { metadata: { labels: { app } }, spec: { containers: [{ name: "app", ports }] } } },
  }) as Workload;

function cluster(...objects: (V1Service | Workload)[]): ClusterPlaces {
  const places = new ClusterPlaces();
  for (const one of objects) {
    if ("kind" in one) places.putWorkload(undefined, placedWorkload(one as Workload, `${one.kind}`));
    else places.putService(undefined, placedService(one as V1Service));
  }
  return places;
}

describe("in a cluster the Service says the workload", () => {
  const http = [{ port: 80, name: "http", targetPort: "web" }];
  const container = [{ name: "web", containerPort: 9080 }];

  test.each<[string, Partial<StoredRoute>, ClusterPlaces, string[] | string]>([
    [
      "a named target port is the container's",
      {},
      cluster(service("reviews", http), service("reviews-pr-42", http), workloadOf("reviews", "Deployment", container)),
      ["Deployment/demo/reviews 9080 -> reviews-pr-42.demo.svc:80 of pr-42"],
    ],
    [
      "a target port by its number, and none at all",
      {},
      cluster(
        service("reviews", [{ port: 80, targetPort: 8080 }, { port: 81 }]),
        service("reviews-pr-42", [{ port: 80 }, { port: 81 }]),
        workloadOf("reviews"),
      ),
      [
        "Deployment/demo/reviews 81 -> reviews-pr-42.demo.svc:81 of pr-42",
        "Deployment/demo/reviews 8080 -> reviews-pr-42.demo.svc:80 of pr-42",
      ],
    ],
    [
      "the port that the route says alone",
      { service: "reviews:http" },
      cluster(
        service("reviews", [
          { port: 80, name: "http" },
          { port: 81, name: "admin" },
        ]),
        service("reviews-pr-42", [{ port: 80 }, { port: 81 }]),
        workloadOf("reviews"),
      ),
      ["Deployment/demo/reviews 80 -> reviews-pr-42.demo.svc:80 of pr-42"],
    ],
    [
      "the target's port of the same name where it has another number",
      {},
      cluster(
        service("reviews", http),
        service("reviews-pr-42", [{ port: 8888, name: "http" }]),
        workloadOf("reviews", "Deployment", container),
      ),
      ["Deployment/demo/reviews 9080 -> reviews-pr-42.demo.svc:8888 of pr-42"],
    ],
    [
      "every kind of workload",
      {},
      cluster(
        service("reviews", [{ port: 80 }]),
        service("reviews-pr-42", [{ port: 80 }]),
        workloadOf("a", "Deployment", [], "demo", "reviews"),
        workloadOf("b", "StatefulSet", [], "demo", "reviews"),
        workloadOf("c", "Rollout", [], "demo", "reviews"),
        workloadOf("other"),
      ),
      ["Deployment/demo/a", "StatefulSet/demo/b", "ArgoRollout/demo/c"].map(
        (one) => `${one} 80 -> reviews-pr-42.demo.svc:80 of pr-42`,
      ),
    ],
    [
      "each namespace that has both Services, where the route says none",
      {},
      cluster(
        service("reviews", [{ port: 80 }]),
        service("reviews-pr-42", [{ port: 80 }]),
        workloadOf("reviews"),
        service("reviews", [{ port: 80 }], { namespace: "shop" }),
        service("reviews-pr-42", [{ port: 80 }], { namespace: "shop" }),
        workloadOf("reviews", "Deployment", [], "shop"),
        service("reviews", [{ port: 80 }], { namespace: "other" }),
        workloadOf("reviews", "Deployment", [], "other"),
      ),
      [
        "Deployment/demo/reviews 80 -> reviews-pr-42.demo.svc:80 of pr-42",
        "Deployment/shop/reviews 80 -> reviews-pr-42.shop.svc:80 of pr-42",
      ],
    ],
    [
      "the sandbox whose copy the target is, whichever route leads there",
      { service: "reviews.demo", to: "reviews-pr-42.demo", owner: "Sandbox demo/group" },
      cluster(
        service("reviews", [{ port: 80 }]),
        service("reviews-pr-42", [{ port: 80 }], { sandbox: "sb-42" }),
        workloadOf("reviews"),
      ),
      ["Deployment/demo/reviews 80 -> reviews-pr-42.demo.svc:80 of sb-42"],
    ],
    [
      "the workload that the route says wins",
      { workload },
      cluster(service("reviews", [{ port: 80 }]), service("reviews-pr-42", [{ port: 9080 }]), workloadOf("other")),
      ["Deployment/demo/reviews 9080 -> reviews-pr-42.demo.svc:9080 of pr-42"],
    ],
    [
      "a Rollout that takes a Deployment's pods for its own",
      {},
      cluster(
        service("reviews", http),
        service("reviews-pr-42", http),
        {
          kind: "Rollout",
          metadata: { name: "r", namespace: "demo" },
          spec: { workloadRef: { kind: "Deployment", name: "d" } },
        } as Workload,
        workloadOf("d", "Deployment", container, "demo", "reviews"),
      ),
      ["ArgoRollout/demo/r", "Deployment/demo/d"].map((one) => `${one} 9080 -> reviews-pr-42.demo.svc:80 of pr-42`),
    ],
    ["no Service", {}, cluster(service("reviews-pr-42", [{ port: 80 }]), workloadOf("reviews")), "workload"],
    ["a Service without a selector", {}, cluster(unselecting("reviews"), workloadOf("reviews")), "workload"],
    [
      "no workload",
      {},
      cluster(service("reviews", [{ port: 80 }]), service("reviews-pr-42", [{ port: 80 }])),
      "workload",
    ],
    ["no target", {}, cluster(service("reviews", [{ port: 80 }]), workloadOf("reviews")), "target"],
    [
      "a target without such a port",
      {},
      cluster(service("reviews", [{ port: 80 }]), service("reviews-pr-42", [{ port: 81 }]), workloadOf("reviews")),
      "target",
    ],
    [
      "a container without a port of that name",
      {},
      cluster(service("reviews", http), service("reviews-pr-42", http), workloadOf("reviews")),
      "workload",
    ],
  ])("%s", (_, more, places, expected) => {
    expect(rulesOf(route(more), { domain: "cluster.local", places })).toEqual(expected);
  });
});

test("the rule of several routes has each destination once, by the routes' order, and its ports in order", () => {
  const baseline = { kind: "Deployment", namespace: "demo", name: "reviews" };
  const [a, b] = [
    { host: "a", port: 80 },
    { host: "b", port: 80 },
  ];
  const rule = mergeParts("k", [
    { baseline, sandbox: "one", ports: [{ workloadPort: 9090, destination: b }] },
    {
      baseline,
      sandbox: "two",
      ports: [
        { workloadPort: 9090, destination: a },
        { workloadPort: 80, destination: a },
      ],
    },
    { baseline, sandbox: "three", ports: [{ workloadPort: 9090, destination: b }] },
  ]);
  expect(rule).toEqual({
    routingKey: "k",
    baseline,
    destinationSandbox: { name: "one" },
    mappings: [
      { workloadPort: 80, destinations: [a] },
      { workloadPort: 9090, destinations: [b, a] },
    ],
  });
});
