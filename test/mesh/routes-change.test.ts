// Routes that a VirtualService or an EnvoyFilter of somebody else brings: after the installation, for one of two proxies, for CONNECT.
import { afterEach, beforeAll, expect, test } from "vitest";
import type { Resource } from "./bed/api.ts";
import { http, tunnel } from "./bed/client.ts";
import type { Echo } from "./bed/echo.ts";
import { destinationOf, gatewayObject, virtualServiceObject } from "./bed/objects.ts";
import type { Pod } from "./bed/pod.ts";
import { GATEWAY_HTTP_PORT } from "./bed/ports.ts";
import { serviceAddress } from "./bed/services.ts";
import { mesh } from "./bed/shared.ts";
import { until } from "./bed/until.ts";
import { keyway, keywayDone, publishModule, quiet, routeFile, strictMutualTls } from "./keyway.ts";

const NAMESPACE = "change";
const HERE = ["-n", NAMESPACE, "--insecure"];
const KEYED = { "x-routing-key": "pr-42" };
const SHOP = "shop.example.com";
const LATE = "late.example.com";
const TO_REVIEWS = { route: [destinationOf(NAMESPACE, "reviews")] };

let pods: Record<"caller" | "other" | "gateway", Pod>;
let install: string[];

beforeAll(async () => {
  await strictMutualTls(NAMESPACE);
  const one = (name: string, labels = {}, service?: string) =>
    mesh.pod({ name, namespace: NAMESPACE, labels, ...(service !== undefined && { service }) });
  const team = { team: "callers" };
  const [caller, other, gateway, ...rest] = await Promise.all([
    one("caller", team),
    one("other", team),
    mesh.gateway({ name: "front", namespace: NAMESPACE, labels: { istio: "front" } }),
    one("reviews", {}, "reviews"),
    one("reviews-pr-42", {}, "reviews-pr-42"),
  ]);
  pods = { caller, other, gateway };
  await mesh.apply(gatewayObject(NAMESPACE, "front"), atGateway("shop", SHOP, TO_REVIEWS), ...connects);
  await quiet([caller, other, gateway, ...rest]);
  const routes = await routeFile("{service: reviews:http, key: pr-42, to: reviews-pr-42}");
  install = ["install", ...HERE, "--module", await publishModule(), "-f", routes];
});

afterEach(() => keywayDone("uninstall", "-n", NAMESPACE, "--all"));

const atGateway = (name: string, host: string, http: object): Resource =>
  virtualServiceObject(NAMESPACE, { name, host, gateways: ["front"], http: [{ ...http }] });

const through = (host: string, headers: object) =>
  pods.caller.request({ host: `${pods.gateway.address}:${GATEWAY_HTTP_PORT}`, headers: { ...headers, host } });

test("at a gateway a route that came later leads to the baseline until an upgrade, and a key never brings a header past what it removes", async () => {
  await keywayDone(...install, "--mode", "gateway", "-l", "istio=front");
  expect((await through(SHOP, KEYED)).app).toBe("reviews-pr-42");
  await mesh.apply(atGateway("late", LATE, { headers: { request: { remove: ["x-internal"] } }, ...TO_REVIEWS }));
  const smuggled = { ...KEYED, "x-internal": "1" };
  const seen = async () => {
    const { app, body } = await through(LATE, smuggled);
    return [app, "x-internal" in (JSON.parse(body) as Echo).headers];
  };
  await until("the gateway to have the new route", async () => (await through(LATE, {})).app === "reviews");
  for (let time = 0; time < 10; time++) expect(await seen()).toEqual(["reviews", false]);

  const told = `virtual host ${LATE}:80 of http.8080 has come`;
  const status = await keyway("status", "-n", NAMESPACE);
  expect([status.code, status.err]).toEqual([1, expect.stringContaining(told)]);
  const check = await keyway("check", ...HERE);
  expect([check.code, check.out]).toEqual([1, expect.stringContaining(told)]);
  expect((await through(SHOP, KEYED)).app).toBe("reviews-pr-42");

  await keywayDone("upgrade", ...HERE);
  for (let time = 0; time < 10; time++) expect(await seen()).toEqual(["reviews-pr-42", false]);
  await keywayDone("status", "-n", NAMESPACE);
  expect((await keywayDone("check", ...HERE)).out).not.toContain("has come");
});

test("where two selected proxies have different routes for one host, it is named, and the guard takes its requests", async () => {
  await mesh.service({ name: "labelled", namespace: NAMESPACE, selector: { app: "nobody" } });
  const http = [
    { match: [{ sourceLabels: { app: "caller" } }], rewrite: { uri: "/caller" }, ...TO_REVIEWS },
    { rewrite: { uri: "/other" }, ...TO_REVIEWS },
  ];
  await mesh.apply(virtualServiceObject(NAMESPACE, { name: "labelled", host: "labelled", gateways: ["mesh"], http }));
  const ask = async (from: Pod, headers: Record<string, string>) => {
    const { app, headers: answer } = await from.request({ host: "labelled:9080", headers });
    return `${app} ${answer["x-path"]}`;
  };
  for (const from of [pods.caller, pods.other])
    await until("the route by its caller", async () => (await ask(from, {})) === `reviews /${from.name}`);

  const { err } = await keywayDone(...install, "--mode", "outbound", "-l", "team=callers");
  const host = `labelled.${NAMESPACE}.svc.cluster.local:9080`;
  expect(err).toContain(
    `routes not kept: virtual host ${host} of 9080: ${NAMESPACE}/caller and ${NAMESPACE}/other have different routes, so there is no twin that fits both`,
  );
  for (const from of [pods.caller, pods.other]) {
    expect(await ask(from, KEYED)).toBe("reviews-pr-42 /");
    expect(await ask(from, {})).toBe(`reviews /${from.name}`);
  }
  await keywayDone("status", "-n", NAMESPACE);
});

test("CONNECT is answered alike with a key and without: through a gateway's tunnel to the target, and by a sidecar", async () => {
  await keywayDone(...install, "--mode", "gateway");
  // A listener that is replaced ends the tunnels of the one before it.
  await quiet([pods.caller, pods.gateway]);
  const behindGateway = async (headers: Record<string, string>) => {
    const dialled = pods.caller.dial(GATEWAY_HTTP_PORT, pods.gateway.address);
    const { status, socket } = await tunnel(dialled, { host: `${SHOP}:80`, headers });
    return [status, (await http(socket, { host: "reviews" })).app];
  };
  expect(await behindGateway({})).toEqual([200, "reviews"]);
  expect(await behindGateway(KEYED)).toEqual([200, "reviews-pr-42"]);
  const { address, port } = await serviceAddress(mesh.api, "reviews:9080", pods.caller);
  const bySidecar = async (headers: Record<string, string>) =>
    (await tunnel(pods.caller.dial(port, address), { host: "reviews:9080", headers })).status;
  expect(await bySidecar(KEYED)).toBe(await bySidecar({}));
});

/** Tunnels through the gateway to the reviews, which Istio has no words of its own for. */
const connects: Resource[] = [
  {
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "EnvoyFilter",
    metadata: { name: "connect", namespace: NAMESPACE },
    spec: {
      workloadSelector: { labels: { istio: "front" } },
      configPatches: [
        {
          applyTo: "NETWORK_FILTER",
          match: {
            context: "GATEWAY",
            listener: { filterChain: { filter: { name: "envoy.filters.network.http_connection_manager" } } },
          },
          patch: {
            operation: "MERGE",
            value: {
              typed_config: {
                "@type":
                  "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                upgrade_configs: [{ upgrade_type: "CONNECT" }],
              },
            },
          },
        },
        {
          applyTo: "HTTP_ROUTE",
          match: { context: "GATEWAY", routeConfiguration: { vhost: { name: `${SHOP}:80` } } },
          patch: {
            operation: "INSERT_FIRST",
            value: {
              match: { connect_matcher: {} },
              route: {
                cluster: `outbound|9080||reviews.${NAMESPACE}.svc.cluster.local`,
                upgrade_configs: [{ upgrade_type: "CONNECT", connect_config: {} }],
              },
            },
          },
        },
      ],
    },
  },
];
