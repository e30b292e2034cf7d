// One installation for one workload, from a cluster without Keyway back to a cluster without Keyway.
import { isDeepStrictEqual } from "node:util";
import { beforeAll, expect, test } from "vitest";
import type { Configuration } from "./bed/configuration.ts";
import type { Dump } from "./bed/dump.ts";
import type { Pod } from "./bed/pod.ts";
import { mesh } from "./bed/shared.ts";
import { until } from "./bed/until.ts";
import { expectTranscript, keyway, keywayDone, publishModule, quiet, routeFile, strictMutualTls } from "./keyway.ts";

const NAMESPACE = "one";
const KEYED = { "x-routing-key": "pr-42" };
const SELECTED = ["-n", NAMESPACE, "-l", "team=reviews"];

let pods: Record<"v1" | "v2" | "v3" | "sandbox" | "ratings" | "caller" | "gateway", Pod>;
let before: Dump;
let module: string;

beforeAll(async () => {
  await strictMutualTls(NAMESPACE);
  const one = (name: string, labels: Record<string, string> = {}, service?: string) =>
    mesh.pod({ name, namespace: NAMESPACE, labels, ...(service && { service }) });
  const team = { team: "reviews" };
  const [v1, v2, v3, sandbox, ratings, caller, gateway] = await Promise.all([
    one("reviews-v1", team, "reviews"),
    one("reviews-v2", { version: "v2" }, "reviews"),
    one("reviews-v3", { version: "v3" }, "reviews"),
    one("reviews-pr-42", team, "reviews-pr-42"),
    one("ratings", {}, "ratings"),
    one("caller"),
    mesh.gateway({ name: "one-gateway", namespace: NAMESPACE, labels: { istio: "one" } }),
  ]);
  pods = { v1, v2, v3, sandbox, ratings, caller, gateway };
  await mesh.service({ name: "reviews-v1", namespace: NAMESPACE, selector: { app: "reviews", version: "v1" } });
  await quiet(Object.values(pods));
  module = await publishModule();
  before = await mesh.dump();
  clean = await pods.v1.configuration();
});

let clean: Configuration;

const others = () => [pods.v2, pods.v3, pods.ratings, pods.caller, pods.gateway];

test("an installation reaches the selected proxies and changes nothing in any other", async () => {
  const untouched = await Promise.all(others().map((pod) => pod.configuration()));
  const routes = await routeFile("{service: reviews-v1:http, key: pr-42, to: reviews-pr-42}");
  const install = ["install", ...SELECTED, "--module", module, "--insecure", "-f", routes];
  await expectTranscript("check-before", await keyway("check", ...install.slice(1)));
  await expectTranscript("install-dry-run", await keyway(...install, "--dry-run", "server"));
  await expectTranscript("install-diff", await keyway(...install, "--diff"));
  await expectTranscript("install", await keyway(...install));
  await expectTranscript("status", await keyway("status", "-n", NAMESPACE));
  for (const pod of [pods.v1, pods.sandbox]) expect(JSON.stringify(await pod.configuration())).toContain("wasm.keyway");
  expect(await Promise.all(others().map((pod) => pod.configuration()))).toEqual(untouched);
});

test("the key takes HTTP and gRPC from the baseline's proxy to the sandbox, which does not loop", async () => {
  const http = { host: "reviews-v1:9080" };
  const routed = await pods.caller.request({ ...http, headers: KEYED });
  expect([routed.status, routed.app]).toEqual([200, "reviews-pr-42"]);
  const seen = JSON.parse(routed.body).headers;
  expect(seen["x-forwarded-client-cert"]).toMatch(/sa\/caller.*sa\/reviews-v1$/);
  expect(seen).not.toHaveProperty("x-keyway-cluster");

  const grpc = await routeFile(
    "{service: reviews-v1:http, key: pr-42, to: reviews-pr-42}",
    "{service: reviews-v1:grpc, key: pr-42, to: reviews-pr-42}",
  );
  await keywayDone("install", ...SELECTED, "--module", module, "--insecure", "-f", grpc);
  const said = await pods.caller.grpc({ host: "reviews-v1:9090", headers: KEYED }, ["one", "two"]);
  expect([said.grpcStatus, said.app, said.messages.length]).toEqual(["0", "reviews-pr-42", 2]);
  expect((await pods.caller.grpc({ host: "reviews-v1:9090" })).app).toBe("reviews-v1");
});

test("without the key, or with a forged selection, a request stays with the baseline", async () => {
  const forged = { "x-keyway-cluster": `outbound|9080||ratings.${NAMESPACE}.svc.cluster.local` };
  for (const headers of [{}, { "x-routing-key": "pr-7" }, forged]) {
    const answer = await pods.caller.request({ host: "reviews-v1:9080", headers });
    expect([answer.status, answer.app]).toEqual([200, "reviews-v1"]);
    expect(JSON.parse(answer.body).headers).not.toHaveProperty("x-keyway-cluster");
  }
});

test("the same command again changes nothing and says so", async () => {
  const routes = await routeFile(
    "{service: reviews-v1:http, key: pr-42, to: reviews-pr-42}",
    "{service: reviews-v1:grpc, key: pr-42, to: reviews-pr-42}",
  );
  const installed = await mesh.dump();
  const again = await keyway("install", ...SELECTED, "--module", module, "--insecure", "-f", routes);
  await expectTranscript("install-again", again);
  expect(await mesh.dump()).toEqual(installed);
});

test("status tells each proxy's version, routes and counts", async () => {
  const { out } = await keywayDone("status", "-n", NAMESPACE, "-o", "json");
  const [installation] = JSON.parse(out);
  expect(installation).toMatchObject({
    name: "keyway",
    mode: "inbound",
    scope: "team=reviews",
    module,
    routes: 2,
    errors: [],
  });
  expect(installation.pods.map(({ pod, ready, routes }: never) => ({ pod, ready, routes }))).toEqual([
    { pod: "reviews-pr-42", ready: true, routes: 2 },
    { pod: "reviews-v1", ready: true, routes: 2 },
  ]);
  expect(installation.pods[1].routed).toBeGreaterThanOrEqual(2);
});

test("check finds the installation sound", async () => {
  await expectTranscript("check-after", await keyway("check", "-n", NAMESPACE, "--insecure"));
  const { code, out } = await keyway("check", "-n", NAMESPACE, "--insecure", "-o", "json");
  const statuses = JSON.parse(out).map(({ id, status }: { id: string; status: string }) => `${id} ${status}`);
  expect(statuses).toContain("loaded ok");
  expect(statuses.filter((text: string) => !text.endsWith(" ok"))).toEqual([]);
  expect(code).toBe(0);
});

test("an upgrade keeps the version before, and a rollback returns to it", async () => {
  const second = await publishModule(2);
  const empty = await routeFile("{service: reviews-v1:http, key: pr-7, to: reviews-pr-42}");
  const upgrade = ["upgrade", "-n", NAMESPACE, "--module", second, "--insecure", "-f", empty];
  await expectTranscript("upgrade-diff", await keyway(...upgrade, "--diff"));
  await expectTranscript("upgrade", await keyway(...upgrade));
  expect((await pods.caller.request({ host: "reviews-v1:9080", headers: KEYED })).app).toBe("reviews-v1");
  const [upgraded] = JSON.parse((await keywayDone("status", "-n", NAMESPACE, "-o", "json")).out);
  expect(upgraded.module).toBe(second);

  await expectTranscript("upgrade-rollback", await keyway("upgrade", "-n", NAMESPACE, "--rollback", "--insecure"));
  const [back] = JSON.parse((await keywayDone("status", "-n", NAMESPACE, "-o", "json")).out);
  expect([back.module, back.previous]).toEqual([module, upgraded.version]);
  expect(back.version).toBeGreaterThan(upgraded.version);
  expect((await pods.caller.request({ host: "reviews-v1:9080", headers: KEYED })).app).toBe("reviews-pr-42");
});

test("what others have edited is told and not destroyed", async () => {
  const edited = (spec: object) => ({
    apiVersion: "extensions.istio.io/v1alpha1",
    kind: "WasmPlugin",
    metadata: { name: "keyway", namespace: NAMESPACE },
    spec,
  });
  await mesh.apply(edited({ priority: 77 }));
  await expectTranscript("uninstall-edited", await keyway("uninstall", "-n", NAMESPACE));
  expect((await pods.caller.request({ host: "reviews-v1:9080", headers: KEYED })).app).toBe("reviews-pr-42");

  const refused = await keyway("upgrade", "-n", NAMESPACE, "--insecure", "--priority", "5");
  expect(refused.code).toBe(1);
  expect(refused.err).toContain("spec.priority");
  await keywayDone("upgrade", "-n", NAMESPACE, "--insecure", "--priority", "5", "--force-conflicts");
});

test("uninstall leaves the cluster as it was, and the proxies too", async () => {
  await expectTranscript("uninstall", await keyway("uninstall", "-n", NAMESPACE));
  expect(await mesh.dump()).toEqual(before);
  await until("old connections to be drained", async () => isDeepStrictEqual(await pods.v1.configuration(), clean), 30);
  expect((await pods.caller.request({ host: "reviews-v1:9080", headers: KEYED })).app).toBe("reviews-v1");
});
