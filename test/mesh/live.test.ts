// Live routes on the mesh: a route server in a pod of its own, which the proxies of workloads and callers follow.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { runCli } from "../cli/run.ts";
import type { Pod } from "./bed/pod.ts";
import { mesh } from "./bed/shared.ts";
import { startUnit } from "./bed/unit.ts";
import { until } from "./bed/until.ts";
import { keyway, keywayDone, publishModule } from "./keyway.ts";

const NAMESPACE = "live";
const MAIN = fileURLToPath(new URL("../../installer/main.ts", import.meta.url));
const PORT = 8700;
const TOKEN = "writer-token-0123456789";
const KEYED = { host: "reviews:9080", headers: { "x-routing-key": "pr-42" } };
const IN = ["-n", NAMESPACE, "--insecure"];

let pods: Record<"caller" | "reviews" | "sandbox" | "server", Pod>;
let module: string;

beforeAll(async () => {
  const one = (name: string, service?: string) => mesh.pod({ name, namespace: NAMESPACE, ...(service && { service }) });
  const [caller, reviews, sandbox, server] = await Promise.all([
    one("caller"),
    one("reviews", "reviews"),
    one("sandbox", "reviews-pr-42"),
    one("routes"),
  ]);
  pods = { caller, reviews, sandbox, server };
  const ports = [{ name: "http", port: PORT }];
  await mesh.service({ name: "routes", namespace: NAMESPACE, selector: { app: "routes" }, ports });
  await serve(server);
  await mesh.waitForProxies();
  module = await publishModule();
});

/** Runs the route server as the pod's application. */
async function serve({ directory, network }: Pod): Promise<void> {
  const folder = join(directory, "routes");
  await mkdir(folder);
  const tokens = { tokens: [{ name: "writer", token: TOKEN, roles: ["read", "write"] }], anonymous: ["proxy"] };
  await writeFile(join(folder, "tokens.json"), JSON.stringify(tokens), { mode: 0o600 });
  const flags = ["--listen", `0.0.0.0:${PORT}`, "--store", `sqlite:${folder}/routes.db`];
  const command = [process.execPath, MAIN, "serve", ...flags, "--tokens", join(folder, "tokens.json")];
  await startUnit({ name: "routes", directory, namespace: network, command });
}

async function route(...args: string[]): Promise<void> {
  const env = { KEYWAY_SERVER: `http://${pods.server.address}:${PORT}`, KEYWAY_TOKEN: TOKEN };
  expect(await runCli(["route", ...args], { env })).toMatchObject({ code: 0 });
}

const answeredBy = async () => (await pods.caller.request(KEYED)).app;
const goesTo = (app: string) => until(`a request at ${app}`, async () => (await answeredBy()) === app);

test.each([
  ["inbound", ["-l", "app=reviews"], /^inbound:live\/reviews:9080=9080,live\/reviews:9090=9090$/],
  ["outbound", ["-l", "app=caller"], /^outbound:live$/],
  ["both", ["-l", "app=caller"], /^both:live$/],
  ["both", ["-l", "app=reviews"], /^both:live,live\/reviews:9080=9080,live\/reviews:9090=9090$/],
])("%s, proxies follow what the route server is told", async (mode, selected, scope) => {
  const server = ["--server", `routes.${NAMESPACE}:${PORT}`];
  await keywayDone("install", ...IN, "--mode", mode, ...selected, "--module", module, ...server);
  const [status] = JSON.parse((await keyway("status", "-n", NAMESPACE, "-o", "json")).out);
  expect(status.table).toEqual({
    cluster: `outbound|${PORT}||routes.${NAMESPACE}.svc.cluster.local`,
    scope: expect.stringMatching(scope),
  });
  for (let round = 0; round < 3; round++) {
    await route("set", `reviews.${NAMESPACE}:9080`, "--key", "pr-42", "--to", "reviews-pr-42");
    await goesTo("sandbox");
    await route("delete", "--key", "pr-42");
    await goesTo("reviews");
  }
  expect(await keyway("status", "-n", NAMESPACE)).toMatchObject({ code: 0 });
  expect(await keyway("check", "-n", NAMESPACE, "--insecure")).toMatchObject({ code: 0 });
  await keywayDone("uninstall", "-n", NAMESPACE);
});

test("a server that there is not, and one that a Sidecar resource hides, are found before anything is applied", async () => {
  const install = ["install", ...IN, "-l", "app=reviews", "--module", module];
  expect(await keyway(...install, "--server", `routs.${NAMESPACE}:${PORT}`)).toMatchObject({
    code: 1,
    err: expect.stringContaining(`routs.${NAMESPACE}:${PORT} does not exist`),
  });
  const sidecar = {
    apiVersion: "networking.istio.io/v1",
    kind: "Sidecar",
    metadata: { name: "narrow", namespace: NAMESPACE },
    spec: { workloadSelector: { labels: { app: "reviews" } }, egress: [{ hosts: ["istio-system/*"] }] },
  };
  await mesh.apply(sidecar);
  const hidden = () => keyway(...install, "--server", `routes.${NAMESPACE}:${PORT}`, "--dry-run");
  await until("the proxy to lose the server", async () =>
    (await hidden()).err.includes("does not know outbound|8700||routes.live.svc.cluster.local"),
  );
  await mesh.delete(sidecar);
});
