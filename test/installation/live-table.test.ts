// Installations whose proxies get their routes from a route server.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { serverAdmits, serverExists, serverSeen } from "../../installer/check/server.ts";
import { desiredState } from "../../installer/lifecycle/desired.ts";
import type { Installation } from "../../installer/manifests/installation.ts";
import { installation, quietIo, resultOf } from "../check/bed.ts";
import { runCli } from "../cli/run.ts";
import { addPod, desired, type Fleet, put, startFleet } from "./fleet.ts";

const CLUSTER = "outbound|8700||keyway.keyway-system.svc.cluster.local";
const TABLE = { cluster: CLUSTER, authority: "keyway.keyway-system", scope: "outbound:demo" };

let fleet: Fleet;
let folder: string;
beforeEach(async () => {
  fleet = await startFleet();
  folder = await mkdtemp(join(tmpdir(), "keyway-live-"));
  await writeFile(join(folder, "token"), "s3cret-token\n");
});
afterEach(async () => {
  await fleet.close();
  await rm(folder, { recursive: true });
});

function service(name: string, namespace: string, spec: object): void {
  fleet.server.put({ apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec });
}
const server = (port: object = { port: 8700, name: "http" }) =>
  service("keyway", "keyway-system", { selector: { app: "keyway" }, ports: [port] });

const wanted = (flags: object, live?: Installation) =>
  desiredState(flags, { cluster: fleet.cluster, namespace: "demo", name: "keyway" }, live, quietIo);
const { module } = desired;
const mode = "outbound";

test("a server alone makes an installation, whose only routes are the live ones", async () => {
  expect((await wanted({ module, mode, server: "keyway.keyway-system:8700" })).config).toEqual({ table: TABLE });
});

test("what is not said of the server stays, and the scope is that of the services there are now", async () => {
  service("reviews", "demo", { selector: { app: "caller" }, ports: [{ port: 9080, targetPort: 8080 }] });
  const inbound = { module, mode: "inbound", server: "keyway.keyway-system:8700", selector: { app: "caller" } };
  const first = await wanted({ ...inbound, serverTokenFile: join(folder, "token") });
  expect(first.config.table).toEqual({ ...TABLE, scope: "inbound:demo/reviews:9080=8080", token: "s3cret-token" });
  service("reviews", "demo", { selector: { app: "caller" }, ports: [{ port: 80, targetPort: 8081 }] });
  const live = { ...first, version: 1 };
  await writeFile(join(folder, "routes.yaml"), "keys: [cookie:preview]\n");
  const later = await wanted({ routes: join(folder, "routes.yaml") }, live);
  expect(later.config).toMatchObject({
    keys: ["cookie:preview"],
    table: { cluster: CLUSTER, scope: "inbound:demo/reviews:80=8081", token: "s3cret-token" },
  });
  const elsewhere = await wanted({ server: "other.keyway-system:8700" }, live);
  expect(elsewhere.config.table).not.toHaveProperty("token");
  expect((await wanted({ server: false }, live)).config).not.toHaveProperty("table");
});

test("both ways, a workload's own services are those that its selector names, and in Istio's root namespace none", async () => {
  const ports = [{ port: 9080, targetPort: 8080 }];
  for (const namespace of ["demo", "istio-system"])
    service("reviews", namespace, { selector: { app: "caller" }, ports });
  await writeFile(join(folder, "routes.yaml"), "routes: [{service: reviews, key: k, to: reviews:9080}]\n");
  const flags = { module, mode: "both", selector: { app: "caller" }, server: "keyway.keyway-system:8700" };
  const at = async (namespace: string, labels = flags.selector) => {
    const place = { cluster: fleet.cluster, namespace, name: "keyway" };
    const all = { ...flags, selector: labels, routes: join(folder, "routes.yaml") };
    const { config } = await desiredState(all as object, place, undefined, quietIo);
    const { routes, table } = config as { routes: { from: string }[]; table: { scope: string } };
    return [table.scope, ...routes.map(({ from }) => from)];
  };
  const outbound = (namespace: string) => `outbound|9080||reviews.${namespace}.svc.cluster.local`;
  expect(await at("demo")).toEqual(["both:demo,demo/reviews:9080=8080", outbound("demo"), "inbound|8080||"]);
  expect(await at("demo", {} as never)).toEqual(["both:demo", outbound("demo")]);
  expect(await at("istio-system")).toEqual(["both:istio-system", outbound("istio-system")]);
});

test("a token for no server, and a file without one, are refused", async () => {
  await expect(wanted({ module, mode, serverTokenFile: join(folder, "token") })).rejects.toThrow(/--server is missing/);
  await writeFile(join(folder, "token"), "two words");
  const refused = wanted({ module, mode, server: "keyway.demo:1", serverTokenFile: join(folder, "token") });
  await expect(refused).rejects.toMatchObject({ message: expect.stringMatching(/token holds no token$/) });
});

test("status shows where the table comes from, and a proxy that hears nothing any more", async () => {
  await put(fleet, { ...desired, config: { table: TABLE } });
  const status = () => runCli(["status", "-n", "demo", "--kubeconfig", fleet.kubeconfig]);
  fleet.metrics = { keyway_table_routes: 12, keyway_table_age_seconds: 19 };
  expect(await status()).toMatchObject({
    code: 0,
    out: expect.stringContaining(`table     live from ${CLUSTER}, scope outbound:demo`),
  });
  fleet.metrics = { keyway_table_routes: 12, keyway_table_age_seconds: 75 };
  expect(await status()).toMatchObject({
    code: 1,
    out: expect.stringMatching(/caller-1 +ready +12/),
    err: expect.stringContaining("pod caller-1: it has not heard from the route server for 75 s"),
  });
});

test("a difference shows that there is a token, and never which one", async () => {
  await put(fleet);
  const args = ["upgrade", "-n", "demo", "--kubeconfig", fleet.kubeconfig, "--server", "keyway.keyway-system:8700"];
  const { code, out, err } = await runCli([...args, "--server-token-file", join(folder, "token"), "--diff"]);
  expect([code, out, err].join("\n")).not.toContain("s3cret");
  expect(out).toContain(`+       cluster: ${CLUSTER}`);
  expect(out).toMatch(/^\+ {7}token: \*\*\*/m);
});

const withTable = (more: Partial<Installation> = {}) =>
  installation({ mode, config: { table: TABLE }, scope: { labels: { app: "caller" } }, ...more });

test("a server that is not there, or whose port says nothing, is found before anything is applied", async () => {
  expect(await resultOf(fleet, serverExists, installation())).toMatchObject({ status: "ok" });
  expect(await resultOf(fleet, serverExists, withTable())).toMatchObject({
    status: "fatal",
    detail: "keyway.keyway-system:8700 does not exist",
  });
  server({ port: 8700 });
  expect(await resultOf(fleet, serverExists, withTable())).toMatchObject({
    status: "warning",
    detail: "keyway.keyway-system:8700 has no name",
  });
  server({ port: 8700, appProtocol: "http" });
  expect(await resultOf(fleet, serverExists, withTable())).toMatchObject({ status: "ok" });
});

test("proxies that do not know the server are named", async () => {
  server();
  expect(await resultOf(fleet, serverSeen, withTable())).toMatchObject({
    status: "fatal",
    detail: `caller-1 does not know ${CLUSTER}`,
    hint: expect.stringContaining("Sidecar"),
  });
  fleet.clusters.set(CLUSTER, 1);
  expect(await resultOf(fleet, serverSeen, withTable())).toMatchObject({ status: "ok" });
});

test("a policy before the server that does not admit the proxies is told", async () => {
  server();
  addPod(fleet, "caller-2", { app: "caller" });
  const policy = (principals: string[]) =>
    fleet.server.put({
      apiVersion: "security.istio.io/v1",
      kind: "AuthorizationPolicy",
      metadata: { name: "proxies", namespace: "keyway-system" },
      spec: { selector: { matchLabels: { app: "keyway" } }, rules: [{ from: [{ source: { principals } }] }] },
    });
  policy(["cluster.local/ns/shop/*"]);
  expect(await resultOf(fleet, serverAdmits, withTable())).toMatchObject({
    status: "warning",
    detail: "AuthorizationPolicy keyway-system/proxies: it allows other callers, so demo/default gets no table",
  });
  policy(["cluster.local/ns/demo/*"]);
  expect(await resultOf(fleet, serverAdmits, withTable())).toMatchObject({ status: "ok" });
});
