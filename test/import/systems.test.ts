// What an import makes of the documents of each system but Istio.
import { describe, expect, test } from "vitest";
import * as fixtures from "./fixtures.ts";
import { mistakeIn, read } from "./read.ts";

const ROUTE = {
  service: "reviews.demo:80",
  key: "pr-42",
  to: "reviews-pr-42.demo:80",
  labels: { "keyway.dev/sandbox": "sb-1" },
};
const SERVICE_NOTE =
  /^note .*baseline: the service of Deployment demo\/reviews is taken to be reviews\.demo; --map says another$/;

const WORKLOAD = { workload: { kind: "Deployment", namespace: "demo", name: "reviews", port: 9080 } };

describe("Signadot", () => {
  const { RULES, SNAKE_RULES, ISTIO_ROUTE, ROUTING_CONFIG } = fixtures;
  const op = (name: string) => JSON.stringify({ op: name, route: SNAKE_RULES.routingRules[0] }, null, 2);

  test.each([
    ["the answer of the routes API", RULES],
    ["a rule for itself", RULES.routingRules[0] ?? {}],
    ["a list of rules", RULES.routingRules],
    ["what sdroutes prints", SNAKE_RULES],
    ["what sdroutes prints as it watches", `${op("ADD")}\n{"op": "SYNCED", "route": null}\n${op("REPLACE")}\n`],
  ])("%s", (_, input) => {
    const { routes, findings, keys } = read(input);
    expect(routes).toEqual([{ ...ROUTE, ...WORKLOAD }]);
    expect(keys).toEqual(["signadot"]);
    for (const finding of findings) expect(finding).toMatch(SERVICE_NOTE);
  });

  test.each([
    ["an IstioRoute", ISTIO_ROUTE, { ...ROUTE, ...WORKLOAD }, []],
    [
      "a RoutingConfig",
      ROUTING_CONFIG,
      ROUTE,
      ["note in.yaml:1:68: RoutingConfig pr-42: metadata.name: its name, pr-42, is taken for the routing key"],
    ],
  ])("%s", (_, input, route, findings) => {
    const found = read(input);
    expect(found.routes).toEqual([route]);
    expect(found.findings).toEqual(findings);
  });

  test("a second destination on a port, and a rule without any, are told", () => {
    const [rule] = RULES.routingRules;
    const destinations = [
      { host: "a.demo.svc", port: 80 },
      { host: "b.demo.svc", port: 80 },
      { host: "a.demo.svc", port: 81 },
    ];
    const { routes, findings } = read(
      {
        routingRules: [
          { ...rule, mappings: [{ workloadPort: 9080, destinations }] },
          { ...rule, routingKey: "k", mappings: [] },
        ],
      },
      { mappings: [{ from: "reviews", kind: "service", template: "{service}-svc" }] },
    );
    expect(routes.map(({ service, to }) => [service, to])).toEqual([
      ["reviews-svc.demo:80", "a.demo:80"],
      ["reviews-svc.demo:81", "a.demo:81"],
    ]);
    expect(findings).toEqual([
      expect.stringMatching(/^dropped .*destinations\[1\]: a second destination on port 80/),
      expect.stringMatching(
        /^dropped .*routingRules\[1\]: the sandbox sb-1 has no service in place of Deployment demo\/reviews$/,
      ),
    ]);
  });

  test("two rules for one key and service that disagree are a mistake", () => {
    const other = structuredClone(ISTIO_ROUTE);
    other.metadata.name = "r2";
    for (const one of other.spec.managed.mappings) one.toService = "elsewhere";
    expect(mistakeIn({ apiVersion: "v1", kind: "List", items: [ISTIO_ROUTE, other] })).toMatch(
      /^in\.yaml:1:\d+: IstioRoute r2: spec\.managed\.mappings\[0\]: another target for key pr-42 than at in\.yaml:1:\d+: IstioRoute r1: spec/,
    );
  });

  test("a sandbox becomes a Sandbox of its forks, and a route group one that includes by labels", () => {
    const sandbox = read(fixtures.SIGNADOT_SANDBOX);
    expect(sandbox.objects).toEqual([
      {
        apiVersion: "keyway.dev/v1alpha1",
        kind: "Sandbox",
        metadata: { name: "pr-42", namespace: "demo", labels: { team: "checkout" } },
        spec: {
          key: "abc123",
          ttl: "2d",
          forks: [
            {
              workload: "Rollout/reviews",
              containers: [{ name: "app", image: "reviews:pr-42", env: [{ name: "A", value: "1" }] }],
            },
          ],
        },
      },
    ]);
    expect(sandbox.findings.map((one) => one.replace(/in\.yaml:1:\d+: /, ""))).toEqual([
      "dropped spec.local: Keyway has no tunnel to a laptop; a route leads to a service of the cluster",
      "dropped spec.forks[0].customizations.env[1]: a fork sets variables to values, and nothing else",
      "dropped spec.forks[0].customizations.patch: a fork of Keyway has nothing like it",
      "dropped spec.forks[1]: a Sandbox forks workloads of its own namespace, demo",
      "note in.yaml:1:1: it becomes a Sandbox to look over and apply".replace("in.yaml:1:1: ", ""),
    ]);
    const group = read(fixtures.ROUTE_GROUP);
    expect(group.objects).toMatchObject([
      { metadata: { name: "checkout" }, spec: { include: { matchLabels: { team: "checkout" } } } },
    ]);
    expect(group.findings.map((one) => one.split(" ")[0])).toEqual(["dropped", "dropped", "note"]);
  });
});

describe("Okteto", () => {
  test("a Divert is a route", () => {
    expect(read(fixtures.DIVERT)).toMatchObject({
      routes: [{ service: "reviews.staging", key: "alice-dev", to: "reviews.alice" }],
      findings: [],
      keys: ["okteto"],
    });
    const { namespace: _, ...metadata } = fixtures.DIVERT.metadata;
    expect(mistakeIn({ ...fixtures.DIVERT, metadata })).toContain("metadata: it has no namespace");
  });

  test("a VirtualService that is diverted gives the routes of its annotations", () => {
    const { routes, findings } = read(fixtures.DIVERTED);
    expect(routes).toEqual([{ service: "reviews.staging", key: "alice", to: "reviews.alice" }]);
    expect(findings).toEqual([
      expect.stringMatching(/^widened .*: requests that take other routes than main go there, too$/),
    ]);
    expect(mistakeIn(JSON.stringify(fixtures.DIVERTED).replace('{\\"namespace', "{{"))).toContain(
      'expected {"namespace"',
    );
  });

  test("a manifest alone says neither keys nor services", () => {
    expect(read(fixtures.OKTETO_MANIFEST).findings).toEqual([
      expect.stringMatching(/^dropped in\.yaml:1:\d+: deploy\.divert: /),
    ]);
  });
});

describe("Amalgam8", () => {
  test("higher priorities go first, and what has no match is the split behind them", () => {
    const { routes, ids, findings } = read(fixtures.AMALGAM8);
    expect(routes).toEqual([
      {
        service: "reviews",
        when: [
          { cookie: "user", exact: "Alice" },
          { header: "x-beta", exact: "yes" },
        ],
        to: { service: "reviews", subset: "v2" },
      },
      {
        service: "reviews",
        split: [
          { to: { service: "reviews", subset: "v3" }, weight: 25 },
          { to: { service: "reviews", subset: "v1" }, weight: 75 },
        ],
      },
    ]);
    expect(ids).toEqual(["amalgam8-reviews-0001", "amalgam8-reviews-0002"]);
    expect(findings.filter((one) => !one.startsWith("note"))).toEqual([
      expect.stringMatching(/^dropped .*rules\[2\]\.actions: Keyway routes requests/),
      expect.stringMatching(
        /^narrowed .*rules\[1\]\.match\.headers\.Cookie: the cookie user is Alice and nothing else/,
      ),
      expect.stringMatching(/^dropped .*rules\[0\]\.route\.backends: Amalgam8 0\.x keeps a browser/),
    ]);
  });

  const rule = (match: object, more: object = {}) => [
    { destination: "a", priority: 1, match, route: { backends: [{ tags: ["v2"] }], ...more } },
    { destination: "a", route: { backends: [{ tags: ["v1"] }] } },
  ];
  const NEW = { http_req_timeout: 3 };

  test.each([
    ["a text, 0.x", "Foo", {}, { exact: "Foo" }, "narrowed"],
    ["a text, 1.x", "Foo", NEW, { exact: "Foo" }, undefined],
    ["the begin", "^Foo", {}, { prefix: "Foo" }, undefined],
    ["the begin, 1.x", "Foo.*", NEW, { prefix: "Foo" }, undefined],
    ["the end", "Foo$", {}, { suffix: "Foo" }, undefined],
    ["a part", ".*Foo.*", {}, { contains: "Foo" }, undefined],
    ["anything", ".*", {}, { present: true }, undefined],
  ])("a header: %s", (_, pattern, more, comparison, kind) => {
    const { routes, findings } = read(rule({ headers: { "X-A": pattern } }, more));
    expect(routes[0].when).toEqual([{ header: "x-a", ...comparison }]);
    expect(findings.find((one) => one.includes("headers"))?.split(" ")[0]).toBe(kind);
  });

  test.each([
    ["a caller", { source: { name: "web" } }, /match\.source: it is for requests of web alone/],
    ["a regular expression", { headers: { a: "x[0-9]" } }, /match\.headers\.a: Keyway compares texts/],
    ["any of several", { any: [{ headers: {} }] }, /match\.any: Keyway has no such condition/],
  ])("%s is dropped, and told", (_, match, finding) => {
    const { routes, findings } = read(rule(match));
    expect(routes).toHaveLength(1);
    expect(findings.filter((one) => one.startsWith("dropped"))).toEqual([expect.stringMatching(finding)]);
  });

  test("tags become what --map says, and several need it", () => {
    const rules = [
      {
        destination: "a.demo:80",
        route: {
          backends: [
            { tags: ["v2", "eu"], weight: 0.5 },
            { tags: ["version=v1"], name: "b" },
          ],
        },
      },
    ];
    expect(read(rules).findings).toContainEqual(
      expect.stringMatching(/^dropped .*backends\[0\]\.tags: .* say which with --map v2,eu=subset:NAME$/),
    );
    const mappings = [
      { from: "v2,eu", kind: "subset" as const, template: "eu" },
      { from: "*", kind: "service" as const, template: "{service}-{tag}" },
    ];
    expect(read(rules, { mappings }).routes).toEqual([
      {
        service: "a.demo:80",
        split: [
          { to: { service: "a.demo:80", subset: "eu" }, weight: 50 },
          { to: "b-v1", weight: 50 },
        ],
      },
    ]);
  });

  test("without a rule for the rest, requests were refused", () => {
    const [first] = rule({ headers: { a: "^x$" } });
    expect(read([first ?? {}]).findings).toContainEqual(
      expect.stringMatching(/^widened .* was answered with 412; now it goes to a$/),
    );
    expect(read({ services: { a: rule({ headers: { a: "^x$" } }) } }).routes).toHaveLength(2);
    const resource = { apiVersion: "amalgam8.io/v1", kind: "RoutingRule", metadata: { name: "r" }, spec: rule({})[1] };
    expect(read(resource).routes).toEqual([
      { service: "a", split: [{ to: { service: "a", subset: "v1" }, weight: 100 }] },
    ]);
  });
});

describe("Bridge to Kubernetes", () => {
  const { BRIDGE_POD, BRIDGE_SERVICE } = fixtures;
  const list = (...items: object[]) => ({ apiVersion: "v1", kind: "PodList", items });

  test("a pod becomes a route, and a Service and EndpointSlice for the pod, with the ports of the Service that it stands in for", () => {
    const { routes, objects, findings, keys } = read(list(BRIDGE_POD, BRIDGE_SERVICE));
    expect(routes).toEqual([{ service: "reviews.demo", key: "dev-1234", to: "reviews-agent-1.demo" }]);
    expect(keys).toEqual(["bridge"]);
    const ownerReferences = [{ apiVersion: "v1", kind: "Pod", name: "agent-1", uid: "u-1" }];
    const metadata = { name: "reviews-agent-1", namespace: "demo", ownerReferences };
    expect(objects).toEqual([
      { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ name: "http", port: 80, targetPort: 9080 }] } },
      {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { ...metadata, labels: { "kubernetes.io/service-name": "reviews-agent-1" } },
        addressType: "IPv4",
        endpoints: [{ addresses: ["10.0.0.7"] }],
        ports: [{ name: "http", port: 9080 }],
      },
    ]);
    expect(findings).toEqual([
      expect.stringMatching(/^note .*Service demo\/reviews: metadata\.annotations: its selector is still Bridge's/),
    ]);
  });

  test("another header is a condition; a wrong annotation is a mistake; what Bridge made itself is passed over", () => {
    const on = (text: string) => JSON.parse(JSON.stringify(BRIDGE_POD).replace("kubernetes-route-as=dev-1234", text));
    expect(read(on("x-me=a")).routes).toMatchObject([{ when: [{ header: "x-me", exact: "a" }] }]);
    expect(mistakeIn(on("x-me"))).toContain('expected HEADER=VALUE, not "x-me"');
    const made = structuredClone(BRIDGE_POD) as typeof BRIDGE_POD & { metadata: { labels: Record<string, string> } };
    made.metadata.labels["routing.visualstudio.io/generated"] = "true";
    expect(read(made).routes).toEqual([]);
    const bare = { ...BRIDGE_POD, spec: { containers: [{ name: "agent" }] } };
    expect(read(bare).findings).toEqual([expect.stringMatching(/^dropped .*add the Service reviews to the input$/)]);
  });
});

test("a Route of Keyway is what it was", () => {
  const { routes, ids } = read(fixtures.OWN_ROUTE);
  expect(routes).toEqual([
    { service: "reviews", key: "pr-42", to: "reviews-pr-42", owner: "ci", labels: { team: "a" } },
  ]);
  expect(ids).toEqual(["alice"]);
  expect(mistakeIn({ ...fixtures.OWN_ROUTE, spec: { service: "a", split: 5 } })).toContain(
    "split: expected a list of shares",
  );
});
