// Several route servers on one cluster, which find each other by the EndpointSlices of their Service.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Poller } from "../api/poller.ts";
import { reviews, sent, temporaryFolder } from "../api/serve.ts";
import { fileWith, server } from "../cluster/connect.ts";
import { kubeconfig } from "../double/kubeconfig.ts";
import { startChild } from "./child.ts";

const metadata = { name: "pr-42", namespace: "demo", uid: "a-sandbox", generation: 1 };
const sandbox = {
  apiVersion: "keyway.dev/v1alpha1",
  kind: "Sandbox",
  metadata,
  spec: { routes: [{ service: "reviews:9080", to: "reviews-pr-42:9080" }] },
};
const service = (name: string) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "demo", uid: name },
  spec: { type: "ExternalName", externalName: "elsewhere.example", ports: [{ name: "http", port: 9080 }] },
});
const sliceOf = (url: string, at: number) => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: `keyway-${at}`, namespace: "demo", labels: { "kubernetes.io/service-name": "keyway" } },
  addressType: "IPv4",
  ports: [{ name: "http", port: Number(new URL(url).port) }],
  endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
});

/** Two servers with the token of a service account that is for them alone. */
async function twoServers(token: string) {
  const api = await server();
  api.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "demo", uid: "a-namespace" } });
  api.put(service("reviews"), service("reviews-pr-42"));
  api.tokens.set("secret", "ci");
  api.tokensFor.set("keyway.dev", new Map([["narrow", "system:serviceaccount:demo:keyway-server"]]));
  for (const right of ["ci: create routes", "ci: get routes", "system:serviceaccount:demo:keyway-server: get routes"]) {
    api.grants.add(right);
  }
  const file = join(temporaryFolder(), "token");
  writeFileSync(file, token);
  const before = `export KUBECONFIG=${await fileWith(kubeconfig(api))}`;
  const flags = ["--store", "kubernetes", "--peers", "demo/keyway", "--peers-token-file", file, "--anonymous", "proxy"];
  const [a, b] = [await startChild("", { before, flags }), await startChild("", { before, flags })];
  api.put(sliceOf(a.url, 0), sliceOf(b.url, 1));
  return { api, a, b };
}

const authorization = "Bearer secret";
const status = (api: Awaited<ReturnType<typeof server>>) => {
  const { conditions = [], proxies } = (api.find(sandbox)?.status ?? {}) as {
    conditions?: { type: string; reason: string; message: string }[];
    proxies?: { summary: string };
  };
  const { reason, message } = conditions.find(({ type }) => type === "InForce") ?? {};
  return [reason, message, proxies?.summary];
};

test("the proxies of all of them count, for whoever asks and for the statuses of Sandboxes", async () => {
  const { api, a, b } = await twoServers("narrow");
  for (const { url } of [a, b]) {
    const poller = new Poller(url);
    await poller.settle();
    poller.follow();
  }
  for (const one of [a, b]) {
    const counts = async () => (await one.ask("/v1/proxies", { headers: { authorization } })).body;
    await expect.poll(counts).toMatchObject({ proxies: 2, inForce: 2, servers: 2, missing: [] });
  }
  api.put(sandbox);
  await expect.poll(() => status(api), { timeout: 15_000 }).toEqual(["InForce", "2 of 2 proxies", "2/2"]);
  // What happens comes to each in an order of its own, so their revisions differ.
  for (let n = 0; n < 5; n++) {
    const [one, other] = n % 2 ? [a, b] : [b, a];
    const { body } = await one.ask(
      "/v1/routes:apply",
      sent("POST", { set: [{ id: `r-${n}`, ...reviews, key: `k-${n}` }] }, { authorization }),
    );
    const counts = async () =>
      (await other.ask(`/v1/proxies?revision=${body.revision}`, { headers: { authorization } })).body;
    await expect.poll(counts).toMatchObject({ proxies: 2, inForce: 2 });
  }
});

test("where they do not know each other's token, a Sandbox's status says so", async () => {
  const { api, a } = await twoServers("forged");
  await new Poller(a.url).settle();
  api.put(sandbox);
  await expect.poll(() => status(api)[0], { timeout: 15_000 }).toBe("ServersNotAsked");
  expect(status(api)[1]).toMatch(
    /^server 127\.0\.0\.1:\d+ refuses to say which proxies it has \(401: .*\), so its proxies are not counted/,
  );
});
