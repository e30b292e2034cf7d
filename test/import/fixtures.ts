// One small input of each kind that is read.
export const RULES = {
  routingRules: [
    {
      routingKey: "pr-42",
      baseline: { kind: "Deployment", namespace: "demo", name: "reviews" },
      destinationSandbox: { name: "sb-1" },
      mappings: [{ workloadPort: 9080, destinations: [{ host: "reviews-pr-42.demo.svc", port: 80 }] }],
    },
  ],
};

/** As `sdroutes` prints the same. */
export const SNAKE_RULES = {
  routingRules: [
    {
      routing_key: "pr-42",
      baseline: { kind: "Deployment", namespace: "demo", name: "reviews" },
      destination_sandbox: { name: "sb-1" },
      mappings: [{ workload_port: 9080, destinations: [{ host: "reviews-pr-42.demo.svc", port: 80 }] }],
    },
  ],
};

export const ISTIO_ROUTE = {
  apiVersion: "signadot.com/v1",
  kind: "IstioRoute",
  metadata: { name: "r1" },
  spec: {
    routingKey: "pr-42",
    managed: {
      targetService: "reviews",
      namespace: "demo",
      baseline: { kind: "Deployment", namespace: "demo", name: "reviews", workloadID: "u" },
      mappings: [{ fromPort: 80, toService: "reviews-pr-42", workloadPort: 9080 }],
      sandboxedWorkload: { kind: "ForkedWorkload", name: "w", namespace: "demo", sandboxName: "sb-1" },
    },
  },
};

export const ROUTING_CONFIG = {
  apiVersion: "signadot.com/v1",
  kind: "RoutingConfig",
  metadata: { name: "pr-42" },
  spec: { sandboxedWorkloads: [] },
  status: {
    routeServer: {
      routes: [
        {
          baseline: { workloadID: "u" },
          sandboxName: "sb-1",
          from: { host: "reviews.demo.svc", port: 80, workloadPort: 9080 },
          to: { host: "reviews-pr-42.demo.svc", port: 80, workloadPort: 9080 },
        },
      ],
    },
  },
};

export const SIGNADOT_SANDBOX = {
  name: "pr-42",
  routingKey: "abc123",
  spec: {
    cluster: "staging",
    labels: { team: "checkout" },
    ttl: { duration: "2d", offsetFrom: "createdAt" },
    forks: [
      {
        forkOf: { kind: "ArgoRollout", namespace: "demo", name: "reviews" },
        customizations: {
          images: [{ image: "reviews:pr-42", container: "app" }],
          env: [
            { name: "A", value: "1", container: "app" },
            { name: "B", operation: "delete" },
          ],
          patch: { type: "strategic", value: "{}" },
        },
      },
      { forkOf: { kind: "Deployment", namespace: "shop", name: "ratings" } },
    ],
    local: [{ name: "l", from: { kind: "Deployment", namespace: "demo", name: "details" }, mappings: [] }],
  },
};

export const ROUTE_GROUP = {
  name: "checkout",
  spec: {
    cluster: "staging",
    match: { all: [{ label: { key: "team", value: "checkout" } }, { label: { key: "branch", value: "feature-*" } }] },
    endpoints: [{ name: "e", target: "http://a" }],
  },
};

export const DIVERT = {
  apiVersion: "okteto.com/v1",
  kind: "Divert",
  metadata: { name: "d", namespace: "alice" },
  spec: { sharedNamespace: "staging", service: "reviews", divertKey: "alice-dev" },
};

export const DIVERTED = {
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: {
    name: "reviews",
    namespace: "staging",
    annotations: { [`divert.okteto.com/${"a1".repeat(20)}`]: '{"namespace":"alice","routes":["main"]}' },
  },
  spec: {
    hosts: ["reviews"],
    http: [
      { name: "main", route: [{ destination: { host: "reviews" } }] },
      { name: "other", route: [{ destination: { host: "details" } }] },
    ],
  },
};

export const OKTETO_MANIFEST = {
  build: {},
  deploy: { commands: [], divert: { driver: "istio", namespace: "staging", virtualServices: [{ name: "reviews" }] } },
};

export const AMALGAM8 = {
  rules: [
    {
      id: "1",
      priority: 1,
      destination: "reviews",
      route: { backends: [{ tags: ["v3"], weight: 0.25 }, { tags: ["v1"] }] },
    },
    {
      id: "2",
      priority: 2,
      destination: "reviews",
      match: { headers: { Cookie: ".*?user=Alice", "x-beta": "^yes$" } },
      route: { backends: [{ tags: ["version=v2"] }] },
    },
    { id: "3", destination: "ratings", actions: [{ action: "delay", duration: 2, tags: ["v1"] }] },
  ],
  revision: 7,
};

export const BRIDGE_POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "agent-1",
    namespace: "demo",
    uid: "u-1",
    labels: { "routing.visualstudio.io/route-from": "Reviews" },
    annotations: { "routing.visualstudio.io/route-on-header": "kubernetes-route-as=dev-1234" },
  },
  spec: { containers: [{ name: "agent", ports: [{ containerPort: 9080, name: "web" }] }] },
  status: { podIP: "10.0.0.7" },
};

export const BRIDGE_SERVICE = {
  apiVersion: "v1",
  kind: "Service",
  metadata: {
    name: "reviews",
    namespace: "demo",
    annotations: { "routing.visualstudio.io/originalServiceSelector": '{"app":"reviews"}' },
  },
  spec: { selector: { "routing.visualstudio.io/entity": "x" }, ports: [{ name: "http", port: 80, targetPort: "web" }] },
};

export const VIRTUAL_SERVICE = {
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "reviews", namespace: "demo" },
  spec: {
    hosts: ["reviews"],
    http: [
      {
        match: [
          { headers: { "end-user": { exact: "jason" } } },
          { queryParams: { v: { regex: "2|two" } }, uri: { prefix: "/api/" } },
        ],
        route: [{ destination: { host: "reviews", subset: "v2" } }],
      },
      { route: [{ destination: { host: "reviews", subset: "v1" } }] },
    ],
  },
};

const version = (name: string) => ({
  match: [{ headers: { "x-override": { regex: `(.*,|^)reviews:${name}(,.*|$)` } } }],
  route: [{ destination: { host: "reviews.demo.svc.cluster.local", subset: name } }],
});

/** As mt-inside/overrides makes it. */
export const OVERRIDES = {
  apiVersion: "networking.istio.io/v1beta1",
  kind: "VirtualService",
  metadata: { name: "reviews-overrides", namespace: "demo" },
  spec: {
    hosts: ["reviews.demo.svc.cluster.local"],
    http: [
      version("v1"),
      version("v2"),
      { route: [{ destination: { host: "reviews.demo.svc.cluster.local", subset: "v1" } }] },
    ],
  },
};

export const OWN_ROUTE = {
  apiVersion: "keyway.dev/v1alpha1",
  kind: "Route",
  metadata: {
    name: "alice",
    namespace: "demo",
    labels: { team: "a", "app.kubernetes.io/managed-by": "keyway" },
    annotations: { "keyway.dev/owner": "ci" },
  },
  spec: { service: "reviews", key: "pr-42", to: "reviews-pr-42" },
};

export const ALL = {
  RULES,
  SNAKE_RULES,
  ISTIO_ROUTE,
  ROUTING_CONFIG,
  SIGNADOT_SANDBOX,
  ROUTE_GROUP,
  DIVERT,
  DIVERTED,
  OKTETO_MANIFEST,
  AMALGAM8,
  BRIDGE_POD,
  BRIDGE_SERVICE,
  VIRTUAL_SERVICE,
  OVERRIDES,
  OWN_ROUTE,
};
