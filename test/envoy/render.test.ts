// What `keyway render envoy` prints is what a real Envoy runs.
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import type { Bootstrap } from "../../scripts/proxy/bootstrap.ts";
import { type Envoy, run, validate } from "../../scripts/proxy/run.ts";
import { serve, type Upstream } from "../../scripts/proxy/upstream.ts";
import { runCli } from "../cli/run.ts";
import { ask } from "./bed/client.ts";
import { until } from "./bed/until.ts";

const ROUTES = `
routes:
  - {service: reviews, key: pr-42, to: reviews-pr-42}
  - {service: ratings, key: pr-42, to: ratings-pr-42}
  - {service: reviews, key: gone, to: {cluster: gone}}
  - {service: reviews, when: [{cookie: answer, exact: "yes"}], to: {cluster: reviews-pr-42}}
`;

let upstreams: Upstream[];
let envoy: Envoy;
let rendered: string;

beforeAll(async () => {
  upstreams = await Promise.all(["reviews", "reviews-pr-42", "ratings", "ratings-pr-42"].map((name) => serve(name)));
  const clusters = upstreams.flatMap(({ name, port }) => ["--cluster", `${name}=127.0.0.1:${port}`]);
  const baselines = ["--baseline", "/ratings=ratings", "--baseline", "reviews"];
  const nobody = ["--cluster", "gone=127.0.0.1:1"];
  const args = ["render", "envoy", "-f", "-", "--admin", "127.0.0.1:9901", ...clusters, ...baselines, ...nobody];
  rendered = (await runCli(args, { input: ROUTES })).out;
  envoy = await run(anyPorts(parse(rendered) as Bootstrap));
});
afterAll(async () => {
  await envoy?.stop();
  await Promise.all(upstreams.map((upstream) => upstream.stop()));
});

/** The same at ports that are free. Nobody listens at the port of the cluster `gone`. */
function anyPorts(bootstrap: Bootstrap): Bootstrap {
  const { listeners, clusters } = bootstrap.static_resources;
  for (const { address } of [...listeners, bootstrap.admin]) address.socket_address.port_value = 0;
  return { ...bootstrap, static_resources: { listeners, clusters } };
}

const where = async (path: string, headers: [string, string][] = []) =>
  (await ask(envoy.ports.keyway as number, { path, headers })).service;

test("Envoy finds nothing wrong with it", async () => {
  expect(await validate(parse(rendered) as Bootstrap)).toMatchObject({ status: 0 });
});

test("requests go where the route file says", async () => {
  expect(await where("/")).toBe("reviews");
  expect(await where("/ratings/1")).toBe("ratings");
  expect(await where("/", [["x-routing-key", "pr-42"]])).toBe("reviews-pr-42");
  expect(await where("/ratings/1", [["x-routing-key", "pr-42"]])).toBe("ratings-pr-42");
  expect(await where("/", [["cookie", "answer=yes"]])).toBe("reviews-pr-42");
});

test("a client can't choose a cluster itself", async () => {
  expect(await where("/", [["x-keyway-cluster", "reviews-pr-42"]])).toBe("reviews");
});

test("the watcher is wired: after the first failure a target's requests go to the baseline", async () => {
  const gone = () => where("/", [["x-routing-key", "gone"]]);
  expect(await gone()).toBe("");
  await until("the baseline", gone, (service) => service === "reviews");
});

test("the access log ends with outcome, key and target", async () => {
  await where("/logged", [["x-routing-key", "pr-42"]]);
  expect(await envoy.accessLog.find(/\/logged .* keyway: routed pr-42 reviews-pr-42$/)).toBeTruthy();
});
