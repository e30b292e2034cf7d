// What the tests of the bed lean on: that its parts can be asked, stopped and restarted, and what that does to requests.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { PassThrough } from "node:stream";
import { CoreV1Api, KubeConfig, PortForward } from "@kubernetes/client-node";
import { beforeAll, expect, test } from "vitest";
import type { Pod } from "./bed/pod.ts";
import { REGISTRY_USER } from "./bed/registry.ts";
import { mesh } from "./bed/shared.ts";
import { until } from "./bed/until.ts";
import { publishModule } from "./keyway.ts";

const namespace = "parts";

let server: Pod;
let caller: Pod;

beforeAll(async () => {
  [server, caller] = await Promise.all([
    mesh.pod({ name: "server-v1", namespace, service: "server" }),
    mesh.pod({ name: "caller", namespace }),
  ]);
  await mesh.waitForProxies();
});

test("no request fails while istiod, the API server and the registry are restarted", async () => {
  const load = await mesh.load([{ from: caller, host: "server:9080" }], { rate: 50, seconds: 200 });
  await mesh.restartIstiod();
  await mesh.restartApiServer();
  await mesh.registry.stop();
  await mesh.registry.start();
  const { requests, failed, failures, answers } = await load.stop();
  expect(failures).toEqual([]);
  expect(failed).toBe(0);
  expect(answers).toEqual({ "server:9080 -> server-v1": requests });
});

test("a load counts what fails and says how", async () => {
  const load = await mesh.load([{ from: caller, host: "server:9080" }], { rate: 50 });
  await mesh.stopPod(server);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const { failed, failures } = await load.stop();
  expect(failed).toBeGreaterThan(0);
  expect(failures[0]).toContain("server:9080 -> ");
  server = await mesh.pod({ name: "server-v1", namespace, service: "server" });
  await mesh.waitForProxies();
  expect((await caller.request({ host: "server:9080" })).app).toBe("server-v1");
});

test("a dump shows what changed and nothing else", async () => {
  const before = await mesh.dump();
  const metadata = { name: "added", namespace };
  const added = [
    { apiVersion: "v1", kind: "ConfigMap", metadata, data: { a: "1" } },
    // Served in another version than the one that its group prefers.
    { apiVersion: "networking.istio.io/v1alpha3", kind: "EnvoyFilter", metadata, spec: {} },
  ];
  await mesh.apply(...added);
  expect(Object.keys(await mesh.dump()).filter((name) => !(name in before))).toEqual([
    `networking.istio.io/v1alpha3/envoyfilters ${namespace}/added`,
    `v1/configmaps ${namespace}/added`,
  ]);
  await mesh.delete(...added);
  expect(await mesh.dump()).toEqual(before);
});

test("an Envoy's admin interface is reached by port-forward through the API server", async () => {
  const config = new KubeConfig();
  config.loadFromFile(mesh.kubeconfig);
  const [out, err, input] = [new PassThrough(), new PassThrough(), new PassThrough()];
  await new PortForward(config).portForward(namespace, "caller", [15000], out, err, input);
  input.write("GET /ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
  const [answer] = await once(out, "data");
  expect(`${answer}`).toMatch(/^HTTP\/1.1 200 OK/);
});

test("an account without rights is refused", async () => {
  const config = new KubeConfig();
  config.loadFromFile(await mesh.kubeconfigFor(namespace, "nobody"));
  const listing = config.makeApiClient(CoreV1Api).listNamespacedPod({ namespace });
  await expect(listing).rejects.toMatchObject({ code: 403 });
});

test("istiod's web hook refuses an EnvoyFilter that makes no sense", async () => {
  const broken = {
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "EnvoyFilter",
    metadata: { name: "broken", namespace },
    spec: { configPatches: [{ applyTo: "HTTP_ROUTE", match: { context: "GATEWAY" } }] },
  };
  await expect(mesh.apply(broken)).rejects.toThrow(/denied the request/);
});

test("the secure registry wants the password", async () => {
  const ca = await readFile(mesh.certificate);
  const ask = async (auth?: string) => {
    const sent = httpsRequest(`https://${mesh.secureRegistry.host}/v2/`, { ca, ...(auth && { auth }) }).end();
    const [{ statusCode }] = await once(sent, "response");
    return statusCode;
  };
  expect(await ask()).toBe(401);
  expect(await ask(`${REGISTRY_USER.name}:${REGISTRY_USER.password}`)).toBe(200);
});

test("a proxy fetches a module from the registry that wants the password, with the pull secret", async () => {
  const module = await publishModule();
  const auth = Buffer.from(`${REGISTRY_USER.name}:${REGISTRY_USER.password}`).toString("base64");
  const plugin = (url: string, secret: object) => ({
    apiVersion: "extensions.istio.io/v1alpha1",
    kind: "WasmPlugin",
    metadata: { name: "secret", namespace },
    spec: {
      selector: { matchLabels: { app: "server" } },
      url,
      pluginName: "keyway",
      pluginConfig: { explain: true },
      failStrategy: "FAIL_CLOSE",
      ...secret,
    },
  });
  await mesh.apply({
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/dockerconfigjson",
    metadata: { name: "pull", namespace },
    stringData: { ".dockerconfigjson": JSON.stringify({ auths: { [mesh.secureRegistry.host]: { auth } } }) },
  });
  const url = module.replace(mesh.registry.host, mesh.secureRegistry.host);
  const ask = (headers = {}) => caller.request({ host: "server:9080", headers });

  await mesh.apply(plugin(url, {}));
  await until("requests to be refused for want of the module", async () => (await ask()).status === 403);
  await mesh.apply(plugin(url, { imagePullSecret: "pull" }));
  // A 200 alone is no sign of the module: connections from before the plugin meet neither the refusal nor the module.
  await until("the module itself to answer", async () => {
    const { status, headers } = await ask({ "x-keyway-explain": "1" });
    return status === 200 && "x-keyway-decision" in headers;
  });
  expect(JSON.stringify(await server.configuration())).toContain("envoy.wasm.runtime.v8");
  await until("the application to answer", async () => (await ask()).app === "server-v1");
  await mesh.delete(plugin(url, {}));
});

test("a gateway of the Gateway API serves its routes, under the names that Istio gives its pods", async () => {
  const labels = { "gateway.networking.k8s.io/gateway-name": "public" };
  const [gateway] = await Promise.all([
    mesh.gateway({ name: "public-istio", namespace, labels }),
    mesh.apply(
      {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "Gateway",
        metadata: { name: "public", namespace },
        spec: { gatewayClassName: "istio", listeners: [{ name: "http", port: 80, protocol: "HTTP" }] },
      },
      {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        metadata: { name: "server", namespace },
        spec: { parentRefs: [{ name: "public" }], rules: [{ backendRefs: [{ name: "server", port: 9080 }] }] },
      },
    ),
  ]);
  await mesh.waitForProxies();
  // Nobody tells when istiod has turned the HTTPRoute into a route of the gateway.
  await until("the gateway to serve the route", async () => {
    const { status, app } = await mesh.requestFromOutside({ host: `${gateway.address}:8080` });
    return status === 200 && app === "server-v1";
  });
});
