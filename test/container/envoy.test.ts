// Envoy in a container, with the module and this project's envoy.yaml, and upstreams in containers of their own.
import "./engine/connect.ts";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { GenericContainer, Network, type StartedNetwork, type StartedTestContainer, Wait } from "testcontainers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { envoy } from "../../scripts/parts/envoy.ts";
import { buildImage } from "./engine/image.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const IMAGE = "keyway-test/envoy:1";
const CONFIG = "/etc/envoy.yaml";
const PORT = 10000;
const UPSTREAMS = ["reviews", "reviews-pr-42", "ratings"];

let network: StartedNetwork;
let proxy: StartedTestContainer;
const started: StartedTestContainer[] = [];

beforeAll(async () => {
  const modules = ["build/keyway.wasm", "build/keyway-watch.wasm"].map((path) => [`/${path}`, join(ROOT, path)]);
  await buildImage({ name: IMAGE, program: await envoy(), files: Object.fromEntries(modules) });
  network = await new Network().start();
  await Promise.all(UPSTREAMS.map((name) => run(name, upstream(name))));
  proxy = await run("proxy", await shop());
});

afterAll(async () => {
  await Promise.all(started.map((container) => container.stop()));
  await network?.stop();
});

test("a keyed request reaches the sandbox's container, others the baseline's", async () => {
  expect(await ask({ "x-routing-key": "pr-42" })).toEqual([200, "reviews-pr-42"]);
  expect(await ask({ baggage: "sd-routing-key=pr-42" })).toEqual([200, "reviews-pr-42"]);
  expect(await ask({ "x-routing-key": "pr-43" })).toEqual([200, "reviews"]);
  expect(await ask({ "x-keyway-cluster": "reviews-pr-42" })).toEqual([200, "reviews"]);
  expect(await ask({})).toEqual([200, "reviews"]);
});

test("a request for a cluster that is not there is served by the baseline", async () => {
  expect(await ask({ cookie: "user=alice" })).toEqual([200, "reviews"]);
});

async function ask(headers: Record<string, string>): Promise<[number, string]> {
  const answer = await fetch(`http://${proxy.getHost()}:${proxy.getMappedPort(PORT)}/`, { headers });
  return [answer.status, await answer.text()];
}

async function run(name: string, config: object): Promise<StartedTestContainer> {
  const container = await new GenericContainer(IMAGE)
    .withCommand(["-c", CONFIG, "--disable-hot-restart", "--concurrency", "1", "--service-node", name])
    .withCopyContentToContainer([{ content: stringify(config), target: CONFIG }])
    .withNetwork(network)
    .withNetworkAliases(name)
    .withExposedPorts(PORT)
    .withWaitStrategy(Wait.forHttp("/", PORT, { abortOnContainerExit: true }))
    .start();
  started.push(container);
  return container;
}

/** The project's envoy.yaml, reachable from outside its container, with the clusters that have one. */
async function shop(): Promise<object> {
  const config = parse(await readFile(join(ROOT, "envoy.yaml"), "utf8"));
  const { listeners } = config.static_resources;
  listeners[0].address.socket_address.address = "0.0.0.0";
  const endpoint = (name: string) => ({
    endpoint: { address: { socket_address: { address: name, port_value: PORT } } },
  });
  config.static_resources.clusters = UPSTREAMS.map((name) => ({
    name,
    type: "STRICT_DNS",
    dns_lookup_family: "V4_ONLY",
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [endpoint(name)] }] },
  }));
  return config;
}

/** An upstream that tells its name. */
function upstream(name: string): object {
  const typed = (type: string, fields: object = {}) => ({ "@type": `type.googleapis.com/envoy.${type}`, ...fields });
  const route = { match: { prefix: "/" }, direct_response: { status: 200, body: { inline_string: name } } };
  const manager = typed("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
    stat_prefix: name,
    route_config: { virtual_hosts: [{ name, domains: ["*"], routes: [route] }] },
    http_filters: [{ name: "router", typed_config: typed("extensions.filters.http.router.v3.Router") }],
  });
  const address = { socket_address: { address: "0.0.0.0", port_value: PORT } };
  const filters = [{ name: "http", typed_config: manager }];
  return { static_resources: { listeners: [{ name, address, filter_chains: [{ filters }] }] } };
}
