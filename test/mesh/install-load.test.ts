// Everything that can be done to an installation, and much that can go wrong, under a steady load on all proxies: no request
// may fail.
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Load } from "./bed/load.ts";
import type { Pod } from "./bed/pod.ts";
import { mesh } from "./bed/shared.ts";
import { keyway, keywayDone, publishModule, quiet, routeFile, strictMutualTls } from "./keyway.ts";

const NAMESPACE = "busy";
const ROUTES = "{service: reviews:http, key: pr-42, to: reviews-pr-42}";
const HERE = ["-n", NAMESPACE, "--insecure"];

let caller: Pod;
let modules: string[];
let load: Load;

beforeAll(async () => {
  await strictMutualTls(NAMESPACE);
  const one = (name: string, service?: string) =>
    mesh.pod({ name, namespace: NAMESPACE, labels: { team: "reviews" }, ...(service && { service }) });
  const pods = await Promise.all([
    one("reviews-v1", "reviews"),
    one("reviews-v2", "reviews"),
    one("reviews-pr-42", "reviews-pr-42"),
    mesh.pod({ name: "caller", namespace: NAMESPACE }),
  ]);
  caller = pods[3];
  await quiet(pods);
  modules = [await publishModule(), await publishModule(2)];
});

beforeEach(async () => {
  const host = "reviews:9080";
  const streams = [{}, { "x-routing-key": "pr-42" }, { "x-routing-key": "none" }];
  load = await mesh.load(
    streams.map((headers) => ({ from: caller, host, headers })),
    { rate: 40, seconds: 280 },
  );
});

// What the command left behind must serve too, and a command that is refused at once must not end the load with it.
afterEach(async () => {
  await pause(2000);
  const { requests, failed, failures } = await load.stop();
  expect({ failed, failures }).toEqual({ failed: 0, failures: [] });
  expect(requests).toBeGreaterThan(100);
});

async function installFirst(): Promise<void> {
  const routes = await routeFile(ROUTES);
  await keywayDone("install", ...HERE, "-l", "team=reviews", "--module", modules[0] ?? "", "-f", routes);
}

afterAll(() => keyway("uninstall", "-n", NAMESPACE, "--include-edited", "--no-wait"));

test("install, ten edits, upgrade, rollback and uninstall lose no request", async () => {
  const [first = "", second = ""] = modules;
  const routes = await routeFile(ROUTES);
  await keywayDone("install", ...HERE, "-l", "team=reviews", "--module", first, "-f", routes);
  for (let edit = 0; edit < 10; edit++) {
    const edited = await routeFile(ROUTES, `{service: reviews:http, key: edit-${edit}, to: reviews-pr-42}`);
    await keywayDone("upgrade", ...HERE, "-f", edited);
  }
  await keywayDone("upgrade", ...HERE, "--module", second);
  await keywayDone("upgrade", ...HERE, "--rollback");
  expect((await caller.request({ host: "reviews:9080", headers: { "x-routing-key": "pr-42" } })).app).toBe(
    "reviews-pr-42",
  );
  await keywayDone("uninstall", "-n", NAMESPACE);
});

test("with the registry down nothing is installed", async () => {
  await mesh.registry.stop();
  try {
    const { code, err } = await keyway("install", ...HERE, "--module", modules[0] ?? "", "-f", await routeFile(ROUTES));
    expect(code).toBe(1);
    expect(err).toContain("the module can be pulled by its digest");
    expect(err).toContain(mesh.registry.host);
  } finally {
    await mesh.registry.start();
  }
  expect(await installed()).toEqual([]);
});

test("an image that does not exist, a wrong sha256 and a bad configuration are refused before anything changes", async () => {
  const routes = await routeFile(ROUTES);
  const missing = `oci://${mesh.registry.host}/nothing@sha256:${"0".repeat(64)}`;
  const wrong = (modules[0] ?? "").replace(/[0-9a-f]{64}$/, "1".repeat(64));
  for (const module of [missing, wrong]) {
    const { code, err } = await keyway("install", ...HERE, "--module", module, "-f", routes);
    expect(code).toBe(1);
    expect(err).toContain("nothing was changed");
  }
  const bad = await routeFile("{service: reviews:http, key: 'two words', to: reviews-pr-42}");
  const { code, err } = await keyway("install", ...HERE, "--module", modules[0] ?? "", "-f", bad);
  expect(code).toBe(1);
  expect(err).toMatch(/routes-\d+\.yaml:2:\d+: routes\[0\]\.key/);
  expect(await installed()).toEqual([]);
});

test("a module that the agents can't pull is told by its proxies, and the baseline serves", async () => {
  const routes = await routeFile(ROUTES);
  const missing = `oci://${mesh.registry.host}/nothing@sha256:${"0".repeat(64)}`;
  const ignored = ["--ignore", "module-pull", "--timeout", "15"];
  const { code, err } = await keyway(
    "install",
    ...HERE,
    "-l",
    "team=reviews",
    "--module",
    missing,
    "-f",
    routes,
    ...ignored,
  );
  expect(code).toBe(1);
  expect(err).toContain("could not pull the module");
  expect(err).toContain("busy/reviews-v1");
  await keywayDone("upgrade", ...HERE, "--module", modules[0] ?? "");
  await keywayDone("uninstall", "-n", NAMESPACE);
});

test("a configuration that others have broken leaves the last good one serving, and is told", async () => {
  await installFirst();
  await mesh.apply({
    apiVersion: "extensions.istio.io/v1alpha1",
    kind: "WasmPlugin",
    metadata: { name: "keyway", namespace: NAMESPACE },
    spec: { pluginConfig: { routes: [{ from: "*", key: "pr-42" }] } },
  });
  await expect.poll(async () => (await keyway("status", "-n", NAMESPACE)).err).toContain("refuses its configuration");
  expect((await caller.request({ host: "reviews:9080", headers: { "x-routing-key": "pr-42" } })).app).toBe(
    "reviews-pr-42",
  );
  await keywayDone("uninstall", "-n", NAMESPACE, "--include-edited");
});

test("istiod and the API server may be restarted meanwhile", async () => {
  await installFirst();
  await mesh.control.stopIstiod();
  const edit = await routeFile(ROUTES, "{service: reviews:http, key: away, to: reviews-pr-42}");
  const without = await keyway("upgrade", ...HERE, "-f", edit, "--timeout", "5");
  expect(without.code).toBe(1);
  expect(without.err).toContain("istiod");
  await mesh.control.startIstiod();
  await keywayDone("upgrade", ...HERE, "-f", edit);

  const restarted = mesh.restartApiServer();
  const during = await keyway("status", "-n", NAMESPACE);
  if (during.code !== 0) expect(during.err).toContain("the API server");
  await restarted;
  await keywayDone("uninstall", "-n", NAMESPACE);
});

async function installed(): Promise<unknown[]> {
  return JSON.parse((await keywayDone("status", "-n", NAMESPACE, "-o", "json")).out);
}
