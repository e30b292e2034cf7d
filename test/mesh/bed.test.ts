// The bed itself, and with objects made by hand the one thing that everything else here rests on: a module from the
// registry reaches the proxies that are selected, no others, and routes.
import { beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../cli/run.ts";
import type { Resource } from "./bed/api.ts";
import type { Configuration } from "./bed/configuration.ts";
import { destinationOf, gatewayObject, virtualServiceObject } from "./bed/objects.ts";
import type { Pod } from "./bed/pod.ts";
import { mesh } from "./bed/shared.ts";
import { until } from "./bed/until.ts";

const namespace = "bed";
const KEY = { "x-routing-key": "pr-42" };

let v1: Pod;
let v2: Pod;
let sandbox: Pod;
let ratings: Pod;
let caller: Pod;
let gateway: Pod;

beforeAll(async () => {
  const reviews = (version: string) => ({ name: `reviews-${version}`, namespace, labels: { app: "reviews", version } });
  [v1, v2, sandbox, ratings, caller, gateway] = await Promise.all([
    mesh.pod(reviews("v1")),
    mesh.pod(reviews("v2")),
    mesh.pod(reviews("pr-42")),
    mesh.pod({ name: "ratings-v1", namespace, service: "ratings" }),
    mesh.pod({ name: "caller", namespace }),
    mesh.gateway({ name: "edge", namespace, labels: { istio: "edge" } }),
    mesh.service({ name: "reviews", namespace, selector: { app: "reviews", version: "v1" } }),
    mesh.service({ name: "reviews-pr-42", namespace, selector: { app: "reviews", version: "pr-42" } }),
    mesh.apply(strict, ...entry),
  ]);
  await mesh.waitForProxies();
});

describe("without Keyway", () => {
  test("services answer over mutual TLS, and nobody outside the mesh is let in", async () => {
    const answer = await caller.request({ host: "reviews:9080", path: "/books?id=1" });
    expect(answer).toMatchObject({ status: 200, app: "reviews-v1" });
    const seen = JSON.parse(answer.body);
    expect(seen.path).toBe("/books?id=1");
    expect(seen.headers["x-forwarded-client-cert"]).toContain(`URI=spiffe://cluster.local/ns/${namespace}/sa/caller`);
    expect((await caller.request({ host: "ratings:9080" })).app).toBe("ratings-v1");
    await expect(mesh.requestFromOutside({ host: `${v1.address}:9080` })).rejects.toThrow();
  });

  test("gRPC streams both ways", async () => {
    const answer = await caller.grpc({ host: "reviews:9090" }, ["one", "two"]);
    expect(answer).toMatchObject({ status: 200, grpcStatus: "0", app: "reviews-v1" });
    expect(answer.messages.map((message) => JSON.parse(message).body)).toEqual(["one", "two"]);
  });

  test("the gateway lets requests in by host", async () => {
    const through = { host: `${gateway.address}:8080`, headers: { host: "books.example.com" } };
    expect(await mesh.requestFromOutside(through)).toMatchObject({ status: 200, app: "reviews-v1" });
    const stranger = await mesh.requestFromOutside({ ...through, headers: { host: "other.example.com" } });
    expect(stranger.status).toBe(404);
  });
});

describe("with a WasmPlugin and an EnvoyFilter for one workload", () => {
  let others: Configuration[];
  const unselected = () => [v2, sandbox, ratings, caller, gateway];

  beforeAll(async () => {
    others = await Promise.all(unselected().map((pod) => pod.configuration()));
    const { code, out, err } = await runCli(["publish", `oci://${mesh.registry.host}/keyway:bed`, "--insecure"]);
    expect(code, err).toBe(0);
    await mesh.apply(plugin(out.trim()), filter);
    await until("the module in the selected proxy", async () =>
      Object.keys(await v1.configuration()).some((name) => name.startsWith("ecds_filter")),
    );
    await mesh.waitForProxies();
  });

  test("a keyed request is served by the sandbox, one without a key by the baseline", async () => {
    // Each connection from before the change is served as before, once, and then closed.
    await until("connections with the filter alone", async () => {
      for (let time = 0; time < 10; time++) if ((await ask(KEY)) !== "reviews-pr-42") return false;
      return true;
    });
    expect(await ask({})).toBe("reviews-v1");
    expect(await ask({ "x-routing-key": "pr-43" })).toBe("reviews-v1");
    expect(await ask(KEY)).toBe("reviews-pr-42");
  });

  test("no other proxy's configuration has changed", async () => {
    expect(await Promise.all(unselected().map((pod) => pod.configuration()))).toEqual(others);
  });

  const ask = async (headers: Record<string, string>) => (await caller.request({ host: "reviews:9080", headers })).app;
});

const strict: Resource = {
  apiVersion: "security.istio.io/v1",
  kind: "PeerAuthentication",
  metadata: { name: "default", namespace },
  spec: { mtls: { mode: "STRICT" } },
};

const entry: Resource[] = [
  gatewayObject(namespace, "edge"),
  virtualServiceObject(namespace, {
    name: "books",
    host: "books.example.com",
    gateways: ["edge"],
    http: [{ route: [destinationOf(namespace, "reviews")] }],
  }),
];

const selected = { app: "reviews", version: "v1" };

const plugin = (url: string): Resource => ({
  apiVersion: "extensions.istio.io/v1alpha1",
  kind: "WasmPlugin",
  metadata: { name: "wasm-plugin", namespace },
  spec: {
    selector: { matchLabels: selected },
    url,
    pluginName: "keyway",
    failStrategy: "FAIL_OPEN",
    match: [{ mode: "SERVER" }],
    pluginConfig: {
      routes: [
        {
          from: "inbound|9080||",
          key: "pr-42",
          to: `outbound|9080||reviews-pr-42.${namespace}.svc.cluster.local`,
        },
      ],
    },
  },
});

const filter: Resource = {
  apiVersion: "networking.istio.io/v1alpha3",
  kind: "EnvoyFilter",
  metadata: { name: "routes", namespace },
  spec: {
    workloadSelector: { labels: selected },
    configPatches: [
      {
        applyTo: "HTTP_ROUTE",
        match: { context: "SIDECAR_INBOUND" },
        patch: {
          operation: "INSERT_FIRST",
          value: {
            match: {
              prefix: "/",
              headers: [{ name: "x-keyway-cluster", present_match: true }],
              filter_state: [{ key: "wasm.keyway", string_match: { prefix: "routed" } }],
            },
            route: { cluster_header: "x-keyway-cluster", timeout: "0s" },
          },
        },
      },
    ],
  },
};
