import { afterEach, beforeEach, expect, test } from "vitest";
import { targetsAddressable } from "../../installer/check/addresses.ts";
import { proxiesNew } from "../../installer/check/istio.ts";
import { guardThere } from "../../installer/check/loaded.ts";
import { portsUnshared } from "../../installer/check/shared-port.ts";
import { protocolsDeclared, targetsExist, targetsSeen } from "../../installer/check/targets.ts";
import { admin } from "../double/port-forward.ts";
import { addPod, desired, type Fleet, filterKey, put as install, SANDBOX, startFleet } from "../installation/fleet.ts";
import { installation, put, resultOf, service } from "./bed.ts";

let fleet: Fleet;
beforeEach(async () => {
  fleet = await startFleet();
});
afterEach(() => fleet.close());

test("a headless target is refused, with what to do, unless it is one already", async () => {
  service(fleet, "reviews-pr-42", { clusterIP: "None" });
  expect(await resultOf(fleet, targetsAddressable)).toMatchObject({
    status: "fatal",
    detail: "reviews-pr-42.demo is headless (clusterIP: None)",
    hint: expect.stringContaining("a Service of its own with a cluster IP"),
  });
  expect(await resultOf(fleet, targetsAddressable, installation(), installation())).toMatchObject({
    status: "warning",
  });
  service(fleet, "reviews-pr-42", { clusterIP: "10.0.0.1" });
  expect(await resultOf(fleet, targetsAddressable)).toMatchObject({ status: "ok" });
});

test("a cluster that the proxies send to the original destination is refused, whatever it is", async () => {
  const target = "outbound|80||legacy.example.com";
  fleet.server.pods.listen(
    "demo/caller-1",
    15000,
    admin({
      "/config_dump?resource=dynamic_active_clusters&mask=cluster.name,cluster.type": {
        configs: [{ cluster: { name: target, type: "ORIGINAL_DST" } }, { cluster: { name: SANDBOX, type: "EDS" } }],
      },
    }),
  );
  const to = (cluster: string) => installation({ config: { routes: [{ from: "*", key: "pr-42", to: cluster }] } });
  expect(await resultOf(fleet, targetsAddressable, to(target))).toMatchObject({
    status: "fatal",
    detail: `${target} is of type ORIGINAL_DST in the proxies`,
  });
  expect(await resultOf(fleet, targetsAddressable, to(SANDBOX))).toMatchObject({ status: "ok" });
});

test("an ExternalName gets a hint of its own, and only that", async () => {
  service(fleet, "reviews-pr-42", { type: "ExternalName", externalName: "reviews.example.com" });
  expect(await resultOf(fleet, targetsAddressable)).toMatchObject({
    status: "fatal",
    detail: "reviews-pr-42.demo is an ExternalName for reviews.example.com",
    hint: expect.stringContaining("ServiceEntry"),
  });
  fleet.clusters.clear();
  expect(await resultOf(fleet, targetsSeen)).toMatchObject({ status: "ok" });
});

test("a target that does not exist is told once, so that it takes one --ignore", async () => {
  fleet.clusters.clear();
  service(fleet, "reviews-pr-43");
  expect(await resultOf(fleet, targetsExist)).toMatchObject({ status: "fatal" });
  expect(await resultOf(fleet, targetsSeen)).toMatchObject({ status: "ok" });
  service(fleet, "reviews-pr-42");
  expect(await resultOf(fleet, targetsSeen)).toMatchObject({ status: "fatal" });
});

test("a target whose Service was made just now is waited for, until the proxies have been told of it", async () => {
  let asked = 0;
  fleet.server.pods.listen("demo/caller-1", 15000, (_, response) => {
    response.end(JSON.stringify({ configs: asked++ < 2 ? [] : [{ cluster: { name: SANDBOX } }] }));
  });
  const ports = { ports: [{ port: 9080, name: "http" }] };
  const made = (secondsAgo: number) => ({
    metadata: {
      name: "reviews-pr-42",
      namespace: "demo",
      creationTimestamp: new Date(Date.now() - secondsAgo * 1000).toISOString(),
    },
  });
  put(fleet, "v1", "Service", "reviews-pr-42", ports, made(3600));
  expect(await resultOf(fleet, targetsSeen)).toMatchObject({ status: "fatal" });
  put(fleet, "v1", "Service", "reviews-pr-42", ports, made(1));
  expect(await resultOf(fleet, targetsSeen)).toMatchObject({ status: "ok" });
  expect(asked).toBe(3);
});

test.each([
  [{ name: "http" }, true],
  [{ name: "http-web" }, true],
  [{ name: "grpc-api" }, true],
  [{ name: "web", appProtocol: "kubernetes.io/h2c" }, true],
  [{ name: "web", appProtocol: "kubernetes.io/ws" }, true],
  [{ name: "tcp", appProtocol: "http2" }, true],
  [{ name: "http", appProtocol: "tcp" }, false],
  [{ name: "web" }, false],
  [{ name: "https" }, false],
  [{ name: "web", appProtocol: "kubernetes.io/wss" }, false],
  [{}, false],
])("a port with %j is HTTP for Istio: %s", async (port, isHttp) => {
  service(fleet, "reviews-pr-42", { ports: [{ port: 9080, ...port }] });
  expect((await resultOf(fleet, protocolsDeclared)).status).toBe(isHttp ? "ok" : "warning");
});

test("services that send to one port of the same pods are named", async () => {
  const selector = { app: "caller" };
  service(fleet, "reviews", { selector });
  service(fleet, "other-port", { selector, ports: [{ port: 9080, targetPort: 8080 }] });
  service(fleet, "other-pods", { selector: { app: "other" } });
  service(fleet, "no-pods");
  expect(await resultOf(fleet, portsUnshared)).toMatchObject({ status: "ok" });
  service(fleet, "reviews-alias", { selector, ports: [{ port: 80, targetPort: 9080 }] });
  expect(await resultOf(fleet, portsUnshared)).toMatchObject({
    status: "warning",
    detail: "reviews and reviews-alias send to port 9080 of the same pods: a route for one is a route for all",
  });
  expect(await resultOf(fleet, portsUnshared, installation({ mode: "both" }))).toMatchObject({ status: "warning" });
  expect(await resultOf(fleet, portsUnshared, installation({ mode: "outbound" }))).toMatchObject({ status: "ok" });
});

test("a Service for a version of the baseline's pods is told, and no cause to warn", async () => {
  service(fleet, "reviews", { selector: { app: "caller" } });
  service(fleet, "reviews-v1", { selector: { app: "caller", version: "v1" } });
  addPod(fleet, "caller-2", { app: "caller", version: "v1" });
  expect(await resultOf(fleet, portsUnshared)).toMatchObject({
    status: "ok",
    detail: "reviews-v1 sends to port 9080 of the same pods as reviews: the routes are for it too",
  });
});

test("a target whose Service selects the same pods is no stranger there", async () => {
  service(fleet, "reviews", { selector: { app: "caller" } });
  service(fleet, "reviews-pr-42", { selector: { app: "caller" } });
  expect(await resultOf(fleet, portsUnshared)).toMatchObject({ status: "ok" });
});

test("a named target port is compared by its number", async () => {
  const pod = { containers: [{ name: "app", ports: [{ name: "web", containerPort: 9080 }] }, { name: "istio-proxy" }] };
  const status = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
  fleet.server.put({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "caller-1", namespace: "demo", labels: { app: "caller" } },
    spec: pod,
    status,
  });
  service(fleet, "reviews", { selector: { app: "caller" } });
  service(fleet, "reviews-alias", { selector: { app: "caller" }, ports: [{ port: 80, targetPort: "web" }] });
  expect(await resultOf(fleet, portsUnshared)).toMatchObject({ status: "warning" });
});

test("an EnvoyFilter that somebody took off is missed, in each proxy", async () => {
  await install(fleet);
  const live = { ...desired, version: 1 };
  expect(await resultOf(fleet, guardThere, live)).toMatchObject({ status: "ok" });
  fleet.server.delete(filterKey);
  expect(await resultOf(fleet, guardThere, live)).toMatchObject({
    status: "fatal",
    detail: expect.stringContaining("caller-1: it has not got the route"),
    hint: expect.stringContaining("keyway upgrade"),
  });
});

test("a ready pod whose proxy does not answer is named, with a hint of its own", async () => {
  fleet.server.pods.silence("demo/caller-1", 15000);
  expect(await resultOf(fleet, proxiesNew)).toMatchObject({
    status: "fatal",
    detail: expect.stringContaining("the proxy of pod demo/caller-1 does not answer"),
    hint: expect.stringContaining("kubectl describe pod -n demo caller-1"),
  });
});
