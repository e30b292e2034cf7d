// Where the choice is made: in the caller's proxy, in a gateway, and twice in one proxy.
import { afterEach, beforeAll, expect, test } from "vitest";
import { ecdsa, signed } from "../host/edge-keys.ts";
import { destinationOf, gatewayObject, virtualServiceObject } from "./bed/objects.ts";
import type { Pod } from "./bed/pod.ts";
import { GATEWAY_HTTP_PORT } from "./bed/ports.ts";
import { mesh } from "./bed/shared.ts";
import { keyway, keywayDone, publishModule, quiet, routeFile, routeFileWith, strictMutualTls } from "./keyway.ts";

const NAMESPACE = "modes";
const KEYED = { "x-routing-key": "pr-42" };

let pods: Record<"reviews" | "ratings" | "sandbox" | "ratingsSandbox" | "caller" | "gateway", Pod>;
let install: string[];

beforeAll(async () => {
  await strictMutualTls(NAMESPACE);
  const one = (name: string, labels = {}) => mesh.pod({ name, namespace: NAMESPACE, service: name, labels });
  const [reviews, ratings, sandbox, ratingsSandbox, caller, gateway] = await Promise.all([
    one("reviews", { team: "reviews" }),
    one("ratings"),
    one("reviews-pr-42", { team: "reviews" }),
    one("ratings-pr-42"),
    mesh.pod({ name: "caller", namespace: NAMESPACE }),
    mesh.gateway({ name: "front", namespace: NAMESPACE, labels: { istio: "front" } }),
  ]);
  pods = { reviews, ratings, sandbox, ratingsSandbox, caller, gateway };
  await mesh.apply(
    gatewayObject(NAMESPACE, "front"),
    virtualService("shop.example.com", "/reviews", "reviews"),
    virtualService("ratings.example.com", "/", "ratings"),
  );
  await quiet(Object.values(pods));
  install = ["install", "-n", NAMESPACE, "--insecure", "--module", await publishModule()];
});

afterEach(async () => {
  await keywayDone("uninstall", "-n", NAMESPACE, "--all");
});

function virtualService(host: string, prefix: string, service: string) {
  const http = [{ match: [{ uri: { prefix } }], route: [destinationOf(NAMESPACE, service)] }];
  return virtualServiceObject(NAMESPACE, { name: service, host, gateways: ["front"], http });
}

/** Connections that callers have opened before keep what they met until they are drained, and the next answer closes them. */
const becomes = (host: string, headers: object, app: string) => expect.poll(() => call(host, headers)).toBe(app);

const call = async (host: string, headers = {}) => (await pods.caller.request({ host, headers })).app;

test("outbound, the caller's proxy chooses, and the called one has no filter", async () => {
  const routes = await routeFile("{service: reviews:http, key: pr-42, to: reviews-pr-42}");
  const { err } = await keywayDone(...install, "--mode", "outbound", "-l", "app=caller", "-f", routes);
  expect(err).toContain("runs in 1 proxy");
  expect(await call("reviews:9080", KEYED)).toBe("reviews-pr-42");
  expect(await call("reviews:9080")).toBe("reviews");
  expect(await call("ratings:9080", KEYED)).toBe("ratings");
  expect(JSON.stringify(await pods.reviews.configuration())).not.toContain("wasm.keyway");
});

test("both ways, callers choose, and the called one for callers without the filter, where the selector names its service", async () => {
  const routes = await routeFile("{service: reviews:http, key: pr-42, to: reviews-pr-42}");
  const before = await pods.reviews.configuration();
  await keywayDone(...install, "--mode", "both", "-l", "app=reviews", "-f", routes);
  await becomes("reviews:9080", KEYED, "reviews-pr-42");
  expect(await call("reviews:9080")).toBe("reviews");
  await keywayDone("uninstall", "-n", NAMESPACE);
  await quiet([pods.reviews]);
  expect(await pods.reviews.configuration()).toEqual(before);

  // Every service of the namespace listens on one port, so none of them may choose for the others on the way in.
  const { err } = await keywayDone(...install, "--mode", "both", "-f", routes);
  expect(err).toContain("runs in 6 proxies");
  await becomes("reviews:9080", KEYED, "reviews-pr-42");
  expect(await call("reviews:9080")).toBe("reviews");
  expect(await call("ratings:9080", KEYED)).toBe("ratings");
  const [status] = JSON.parse((await keywayDone("status", "-n", NAMESPACE, "-o", "json")).out);
  expect([status.mode, status.pods.length]).toEqual(["both", 6]);
});

test("both ways, what a caller has routed arrives, and is not sent on once more", async () => {
  await mesh.service({ name: "team", namespace: NAMESPACE, selector: { team: "reviews" } });
  const routes = await routeFile("{service: team:http, key: pr-42, to: reviews-pr-42}");
  await keywayDone(...install, "--mode", "both", "-l", "team=reviews", "-f", routes);
  await keywayDone(...install, "--mode", "outbound", "--name", "caller", "-l", "app=caller", "-f", routes);
  await becomes("team:9080", KEYED, "reviews-pr-42");
  const before = await Promise.all([counted("already_routed"), counted("routed")]);
  for (let n = 0; n < 10; n++) expect(await call("team:9080", KEYED)).toBe("reviews-pr-42");
  const after = await Promise.all([counted("already_routed"), counted("routed")]);
  expect(after.map((count, i) => count - (before[i] ?? 0))).toEqual([10, 0]);
});

/** Of the proxy of reviews' preview. */
async function counted(outcome: string): Promise<number> {
  const text = await pods.sandbox.admin(`/stats?filter=keyway_requests_${outcome}$`);
  return Number(text.trim().split(": ")[1] ?? 0);
}

test("a gateway chooses by host and path among several services", async () => {
  const routes = await routeFile(
    "{service: reviews:http, key: pr-42, to: reviews-pr-42}",
    "{service: ratings:http, key: pr-42, to: ratings-pr-42}",
  );
  await keywayDone(...install, "--mode", "gateway", "-l", "istio=front", "-f", routes);
  const front = { host: `${pods.gateway.address}:${GATEWAY_HTTP_PORT}` };
  const through = async (host: string, path: string, headers = {}) =>
    (await pods.caller.request({ ...front, path, headers: { ...headers, host } })).app;
  expect(await through("shop.example.com", "/reviews/1", KEYED)).toBe("reviews-pr-42");
  expect(await through("ratings.example.com", "/", KEYED)).toBe("ratings-pr-42");
  expect(await through("shop.example.com", "/reviews/1")).toBe("reviews");
  expect(await through("ratings.example.com", "/", { "x-routing-key": "pr-7" })).toBe("ratings");
});

test("a link through a gateway opens a preview and sticks by a cookie, until another link takes it off", async () => {
  const routes = await routeFileWith("link: true\n", "{service: reviews:http, key: pr-42, to: reviews-pr-42}");
  await keywayDone(...install, "--mode", "gateway", "-l", "istio=front", "-f", routes);
  const front = { host: `${pods.gateway.address}:${GATEWAY_HTTP_PORT}` };
  const visit = async (path: string, cookie?: string) => {
    const headers = { host: "shop.example.com", ...(cookie && { cookie }) };
    const { app, headers: told } = await pods.caller.request({ ...front, path, headers });
    return [app, told["set-cookie"]?.join(), told["cache-control"]];
  };
  const cookie = (pair: string, seconds = 604_800) => `${pair}; Max-Age=${seconds}; Path=/; SameSite=Lax; HttpOnly`;
  expect(await visit("/reviews/1")).toEqual(["reviews", undefined, undefined]);
  expect(await visit("/reviews/1?keyway=pr-42")).toEqual(["reviews-pr-42", cookie("keyway=pr-42"), "no-store"]);
  expect(await visit("/reviews/1", "keyway=pr-42")).toEqual(["reviews-pr-42", undefined, "no-store"]);
  expect(await visit("/reviews/1?keyway=pr-7")).toEqual(["reviews", cookie("keyway=pr-7"), "no-store"]);
  expect(await visit("/reviews/1?keyway=", "keyway=pr-42")).toEqual(["reviews", cookie("keyway=", 0), "no-store"]);
});

test("a gateway takes signed keys alone, and no trace id, and the proxies behind it ask for whom they are", async () => {
  const ours = ecdsa("2026-11");
  const keys = `keys: [{id: "2026-11", publicKey: ${ours.entry.publicKey}}]`;
  const route = "{service: reviews:http, key: pr-42, to: reviews-pr-42}";
  const edge = await routeFileWith(`edge: {accept: signed, ${keys}}\n`, route);
  await keywayDone(...install, "--mode", "gateway", "-l", "istio=front", "-f", edge);
  const front = { host: `${pods.gateway.address}:${GATEWAY_HTTP_PORT}`, path: "/reviews/1" };
  const through = async (key: string, headers = {}) => {
    const own = { host: "shop.example.com", "x-routing-key": key, ...headers };
    const { app, body } = await pods.caller.request({ ...front, headers: own });
    return { app, headers: JSON.parse(body).headers };
  };
  const token = (services: string) => signed(ours, "pr-42", { services });
  const id = "1234567890abcdef".repeat(2);
  const ids = { traceparent: `00-${id}-${"1".repeat(16)}-01`, "x-b3-traceid": id, "x-request-id": id };
  const routed = await through(token("reviews"), ids);
  expect([routed.app, routed.headers["x-routing-key"]]).toEqual([
    "reviews-pr-42",
    expect.stringMatching(/^pr-42~.*~2026-11~/),
  ]);
  expect(JSON.stringify(routed.headers)).not.toContain(id);
  expect(routed.headers["x-request-id"]).toMatch(/^[-0-9a-f]{36}$/);
  const plain = await through("pr-42");
  expect([plain.app, plain.headers["x-routing-key"]]).toEqual(["reviews", undefined]);

  await keywayDone("uninstall", "-n", NAMESPACE);
  const inside = await routeFileWith(`edge: {accept: any, ${keys}}\n`, route);
  await keywayDone(...install, "--mode", "inbound", "-l", "app=reviews", "-f", inside);
  const reviews = (key: string) => call("reviews:9080", { "x-routing-key": key });
  await becomes("reviews:9080", { "x-routing-key": token("reviews") }, "reviews-pr-42");
  expect(await reviews(token("ratings+reviews.modes"))).toBe("reviews-pr-42");
  expect(await reviews(token("ratings"))).toBe("reviews");
  expect(await reviews("pr-42")).toBe("reviews-pr-42");
});

test("a gateway of the Gateway API is chosen by its name", async () => {
  const parent = { group: "gateway.networking.k8s.io", kind: "Gateway", name: "public" };
  const labels = { "gateway.networking.k8s.io/gateway-name": "public" };
  const pod = await mesh.gateway({ name: "public", namespace: NAMESPACE, labels });
  await mesh.apply(
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "Gateway",
      metadata: { name: "public", namespace: NAMESPACE },
      spec: {
        gatewayClassName: "istio",
        // Names the Service that is there already, so that istiod does not deploy one.
        addresses: [{ type: "Hostname", value: `public.${NAMESPACE}.svc.cluster.local` }],
        listeners: [{ name: "http", port: 80, protocol: "HTTP" }],
      },
    },
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: { name: "reviews", namespace: NAMESPACE },
      spec: { parentRefs: [parent], rules: [{ backendRefs: [{ name: "reviews", port: 9080 }] }] },
    },
  );
  const through = async (headers: object) => {
    const to = { host: `${pod.address}:${GATEWAY_HTTP_PORT}`, headers: { ...headers, host: "shop.example.com" } };
    return (await pods.caller.request(to)).app;
  };
  await expect.poll(() => through({})).toBe("reviews");
  const routes = await routeFile("{service: reviews:http, key: pr-42, to: reviews-pr-42}");
  const { err } = await keywayDone(...install, "--target-ref", "gateway/public", "-f", routes);
  expect(err).toContain("runs in 1 proxy");
  expect(await through(KEYED)).toBe("reviews-pr-42");
  expect(await through({})).toBe("reviews");
});

test("an installation for the namespace and one for a workload live side by side", async () => {
  const wide = await routeFile(
    "{service: ratings:http, key: pr-42, to: ratings-pr-42}",
    "{service: reviews:http, key: both, to: ratings}",
  );
  const narrow = await routeFile(
    "{service: reviews:http, key: pr-42, to: reviews-pr-42}",
    "{service: reviews:http, key: both, to: reviews-pr-42}",
  );
  const outbound = ["--mode", "outbound"];
  await keywayDone(...install, ...outbound, "-f", wide);
  await keywayDone(...install, ...outbound, "--name", "caller-only", "-l", "app=caller", "-f", narrow);
  await becomes("ratings:9080", KEYED, "ratings-pr-42");
  await becomes("reviews:9080", KEYED, "reviews-pr-42");
  expect(await call("reviews:9080", { "x-routing-key": "both" })).toBe("reviews-pr-42");
  expect(await call("reviews:9080")).toBe("reviews");

  const found = JSON.parse((await keywayDone("status", "-n", NAMESPACE, "-o", "json")).out);
  expect(found.flatMap(({ pods }: { pods: { ready: boolean }[] }) => pods).every(({ ready }: never) => ready)).toBe(
    true,
  );

  await keywayDone("uninstall", "-n", NAMESPACE, "--name", "caller-only");
  await becomes("reviews:9080", KEYED, "reviews");
  expect(await call("ratings:9080", KEYED)).toBe("ratings-pr-42");
});

test("a second installation of another shape needs a name, and may not repeat the first one's routes", async () => {
  const routes = await routeFile("{service: reviews:http, key: pr-42, to: reviews-pr-42}");
  await keywayDone(...install, "--mode", "outbound", "-f", routes);
  const moved = await keyway(...install, "--mode", "outbound", "-l", "app=caller", "-f", routes);
  expect([moved.code, moved.err]).toEqual([1, expect.stringContaining("--name")]);
  const again = ["--mode", "outbound", "--name", "again", "-l", "app=caller"];
  const repeated = await keyway(...install, ...again, "-f", routes);
  expect([repeated.code, repeated.err]).toEqual([1, expect.stringContaining("also in modes/keyway")]);
});

test("inbound, a proxy is not given the routes of another service on the same port", async () => {
  const routes = await routeFile("{service: reviews:http, key: pr-42, to: reviews-pr-42}");
  const { code, err } = await keyway(...install, "-f", routes);
  expect(code).toBe(1);
  expect(err).toContain("ratings is not behind reviews, but listens on 9080 too");
  expect(err).not.toContain("reviews-pr-42 is not behind");
  await keywayDone(...install, "-l", "app=reviews", "-f", routes);
});
