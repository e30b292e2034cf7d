// Targets whose endpoints go and come, with a live table that follows a route server with its routes in Kubernetes.
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { ECHO_PORTS } from "./bed/mesh.ts";
import { type Endpoint, serviceObject, sliceObject } from "./bed/objects.ts";
import type { Pod } from "./bed/pod.ts";
import { mesh } from "./bed/shared.ts";
import { startUnit } from "./bed/unit.ts";
import { until } from "./bed/until.ts";
import { applyDefinitions } from "./definitions.ts";
import { keywayDone, publishModule } from "./keyway.ts";

const NAMESPACE = "readiness";
const MAIN = fileURLToPath(new URL("../../installer/main.ts", import.meta.url));
const PORT = 8700;
const TARGET = "reviews-pr-42";
const KEYED = { host: "reviews:9080", headers: { "x-routing-key": "pr-42" } };
/** Milliseconds under load before and after each change. */
const A_WHILE = 1500;

let pods: Record<"caller" | "reviews" | "sandbox" | "server", Pod>;

beforeAll(async () => {
  const one = (name: string, service?: string) => mesh.pod({ name, namespace: NAMESPACE, ...(service && { service }) });
  const [caller, reviews, sandbox, server] = await Promise.all([
    one("caller"),
    one("reviews", "reviews"),
    one("sandbox", TARGET),
    one("routes"),
  ]);
  pods = { caller, reviews, sandbox, server };
  await applyDefinitions();
  const ports = [{ name: "http", port: PORT }];
  await mesh.service({ name: "routes", namespace: NAMESPACE, selector: { app: "routes" }, ports });
  const flags = ["--listen", `0.0.0.0:${PORT}`, "--store", `kubernetes:${NAMESPACE}`, "--anonymous", "proxy"];
  const command = [process.execPath, MAIN, "serve", ...flags];
  const { directory, network } = server;
  const env = { KUBECONFIG: mesh.kubeconfig };
  await startUnit({ name: "serve", directory, namespace: network, command, env });
  await mesh.waitForProxies();
});

const endpoints = (...all: Endpoint[]) => mesh.api.apply(sliceObject(NAMESPACE, TARGET, ECHO_PORTS, all));
const endpoint = (ready: boolean) => ({ pod: pods.sandbox.name, address: pods.sandbox.address, ready });
const service = serviceObject(NAMESPACE, TARGET, { app: TARGET }, ECHO_PORTS);

const absences = {
  scaledToZero: () => endpoints(),
  notReady: () => endpoints(endpoint(false)),
  withoutService: () => mesh.delete(service),
};

test.each([
  ["inbound", "app=reviews"],
  ["outbound", "app=caller"],
])("%s, requests go to the baseline and back, and none fails", async (mode, selector) => {
  const module = await publishModule();
  const server = ["--server", `routes.${NAMESPACE}:${PORT}`];
  await keywayDone(
    "install",
    "-n",
    NAMESPACE,
    "--insecure",
    "--mode",
    mode,
    "-l",
    selector,
    "--module",
    module,
    ...server,
  );
  const route = {
    apiVersion: "keyway.dev/v1alpha1",
    kind: "Route",
    metadata: { name: "pr-42", namespace: NAMESPACE },
    spec: { service: "reviews", key: "pr-42", to: TARGET },
  };
  await mesh.apply(route);
  const goesTo = async (app: string) =>
    until(`a request at ${app}`, async () => (await pods.caller.request(KEYED)).app === app, 60, 20);
  await goesTo("sandbox");

  const streams = [KEYED, { ...KEYED, headers: {} as Record<string, string> }];
  const load = await mesh.load(
    streams.map((stream) => ({ from: pods.caller, ...stream })),
    { rate: 100 },
  );
  onTestFinished(() => void load.stop());
  await pause(A_WHILE);
  for (const leave of Object.values(absences)) {
    await leave();
    await goesTo("reviews");
    await pause(A_WHILE);
    await mesh.apply(service);
    await endpoints(endpoint(true));
    await goesTo("sandbox");
    await pause(A_WHILE);
  }
  const report = await load.stop();
  expect([report.failed, report.failures]).toEqual([0, []]);
  expect(Object.keys(report.answers).sort()).toEqual(["reviews:9080 -> reviews", "reviews:9080 -> sandbox"]);
  await keywayDone("uninstall", "-n", NAMESPACE);
});
