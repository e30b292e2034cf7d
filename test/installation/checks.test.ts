// What is broken already is told and skipped; only what a change would break refuses it.
import { afterEach, beforeEach, expect, test } from "vitest";
import { runChecks } from "../../installer/check/check.ts";
import { CheckContext } from "../../installer/check/context.ts";
import { istiodNew, proxiesNew } from "../../installer/check/istio.ts";
import { routesKept } from "../../installer/check/routes-kept.ts";
import { objectsFit } from "../../installer/check/size.ts";
import { targetsExist, targetsSeen } from "../../installer/check/targets.ts";
import type { Installation } from "../../installer/manifests/installation.ts";
import type { Io } from "../../shared/io.ts";
import { unavailable } from "../double/faults.ts";
import { addPod, desired, type Fleet, put, SANDBOX, startFleet } from "./fleet.ts";

let fleet: Fleet;
beforeEach(async () => {
  fleet = await startFleet();
});
afterEach(() => fleet.close());

const silent = { write: () => {} };
const io: Io = { out: silent, err: silent, in: [], env: {}, signal: new AbortController().signal };
const OTHER = "outbound|9080||reviews-pr-7.demo.svc.cluster.local";

const withTargets = (...targets: string[]): Installation => ({
  ...desired,
  version: 1,
  config: { routes: targets.map((to, index) => ({ from: "*", key: `key-${index}`, to })) },
});

async function resultOf(
  check: typeof istiodNew,
  installation: Installation = withTargets(SANDBOX),
  live?: Installation,
) {
  const given = { cluster: fleet.cluster, istioNamespace: "istio-system", allowEmpty: false, registry: {}, io };
  const context = new CheckContext({ ...given, installation, live });
  const [result] = await runChecks([{ ...check, needs: [] }], context);
  return result;
}

function service(namespace: string, name: string, labels: Record<string, string> = {}): void {
  const spec = { ports: [{ port: 9080, name: "http" }] };
  fleet.server.put({ apiVersion: "v1", kind: "Service", metadata: { name, namespace, labels }, spec });
}

test("a target whose Service is gone already does not refuse another change", async () => {
  service("demo", "reviews-pr-42");
  const result = await resultOf(targetsExist, withTargets(SANDBOX, OTHER), withTargets(OTHER));
  expect(result).toMatchObject({ status: "warning", detail: expect.stringContaining("(missing already)") });
  expect(await resultOf(targetsExist, withTargets(SANDBOX, OTHER), withTargets(SANDBOX))).toMatchObject({
    status: "fatal",
  });
});

test("a target that a proxy could not see before is told, one that the change brings is refused", async () => {
  service("demo", "reviews-pr-42");
  service("demo", "reviews-pr-7");
  const change = withTargets(SANDBOX, OTHER);
  expect(await resultOf(targetsSeen, change, withTargets(OTHER))).toMatchObject({ status: "warning" });
  expect(await resultOf(targetsSeen, change, withTargets(SANDBOX))).toMatchObject({ status: "fatal" });
});

test("a pod whose node is lost is named and left out, one that is ready must answer", async () => {
  addPod(fleet, "caller-lost", { app: "caller" }, false);
  expect(await resultOf(proxiesNew)).toMatchObject({
    status: "ok",
    detail: expect.stringContaining("caller-lost is not ready, and its proxy does not answer"),
  });
  await put(fleet);
  expect(fleet.told.join("\n")).toContain("caller-lost is not ready");
  expect(fleet.told.join("\n")).toContain("runs in 1 proxy");
});

test("an istiod Service without endpoints is told and skipped, unless no other answers", async () => {
  service("istio-system", "istiod", { app: "istiod" });
  service("istio-system", "istiod-canary", { app: "istiod" });
  fleet.server.services.set("istio-system/istiod:15014/version", "1.29.1-abc");
  fleet.server.faults.add(/istiod-canary/, unavailable, 99);
  expect(await resultOf(istiodNew)).toMatchObject({
    status: "ok",
    detail: expect.stringMatching(/istiod 1\.29\.1\nistiod-canary: nobody answers/),
  });
  fleet.server.faults.add(/services\/istiod(:|%3A)15014/, unavailable, 99);
  expect(await resultOf(istiodNew)).toMatchObject({ status: "fatal" });
});

test("an installation that the cluster's store does not take is refused, with the sizes and the way out", async () => {
  const targets = Array.from({ length: 20_000 }, (_, index) => SANDBOX.replace("42", String(index)));
  expect(await resultOf(objectsFit, withTargets(...targets))).toMatchObject({
    status: "fatal",
    detail: expect.stringMatching(/WasmPlugin demo\/keyway would have \d{7} bytes.*\n.*20000 routes/),
    hint: expect.stringMatching(/several installations.*live table/),
  });
  expect(await resultOf(objectsFit, withTargets(...targets.slice(0, 8_000)))).toMatchObject({ status: "ok" });
});

test("of several ready pods whose proxies do not answer all are named once, and the other checks go on without them", async () => {
  for (const name of ["caller-2", "caller-3"]) {
    addPod(fleet, name, { app: "caller" });
    fleet.server.pods.silence(`demo/${name}`, 15000);
  }
  service("demo", "reviews-pr-42");
  const given = { cluster: fleet.cluster, istioNamespace: "istio-system", allowEmpty: false, registry: {}, io };
  const context = new CheckContext({ ...given, installation: withTargets(SANDBOX) });
  const checks = [proxiesNew, targetsSeen].map((check) => ({ ...check, needs: [] }));
  const [versions, seen] = await runChecks(checks, context);
  expect(versions).toMatchObject({ status: "fatal", hint: expect.stringContaining("kubectl describe pod -n demo") });
  expect(versions?.detail).toMatch(/demo\/caller-2 does not answer.*\n.*demo\/caller-3 does not answer/);
  expect(seen).toMatchObject({ status: "ok", detail: expect.stringContaining("caller-2 does not answer: left out") });
});

test("routes of the mesh that have changed since their twins were made are told by their virtual host", async () => {
  await put(fleet);
  expect(await resultOf(routesKept)).toMatchObject({ status: "ok" });
  const route = { match: { prefix: "/" }, route: { cluster: "outbound|9080||reviews.demo.svc.cluster.local" } };
  fleet.routeConfigurations = [
    { name: "9080", virtual_hosts: [{ name: "reviews", domains: ["reviews"], routes: [route] }] },
  ];
  expect(await resultOf(routesKept)).toMatchObject({
    status: "fatal",
    detail: "virtual host reviews of 9080 has come",
    hint: expect.stringContaining("`keyway upgrade`"),
  });
});
