// What proxies and registries refuse, on the real parts: nothing is left half-done, and what is broken is mended by one command.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Pod } from "./bed/pod.ts";
import { mesh } from "./bed/shared.ts";
import { until } from "./bed/until.ts";
import { isDraining, keyway, keywayDone, publishModule, quiet, routeFile, strictMutualTls } from "./keyway.ts";

const NAMESPACE = "refused";
const KEYED = { "x-routing-key": "pr-42" };
/** A module of WebAssembly that has nothing that Envoy asks for. */
const EMPTY_MODULE = "\0asm\x01\0\0\0";

let caller: Pod;
let reviews: Pod;
let install: string[];
const scratch = mkdtemp(join(tmpdir(), "keyway-test-"));

beforeAll(async () => {
  await strictMutualTls(NAMESPACE);
  const one = (name: string, service?: string) =>
    mesh.pod({ name, namespace: NAMESPACE, ...(service !== undefined && { service }) });
  [reviews, , caller] = await Promise.all([one("reviews-1", "reviews"), one("sandbox", "sandbox"), one("caller")]);
  await quiet([reviews, caller]);
  const routes = await routeFile("{service: reviews:http, key: pr-42, to: sandbox}");
  const selected = ["-n", NAMESPACE, "--insecure", "-l", "app=reviews"];
  install = ["install", ...selected, "--module", await publishModule(), "-f", routes];
});

afterEach(() => keyway("uninstall", "-n", NAMESPACE, "--all", "--include-edited"));
afterAll(async () => rm(await scratch, { recursive: true }));

test("a watcher that Envoy refuses is taken off again, and no listener stays refused", async () => {
  const watcher = join(await scratch, "watch.wasm");
  await writeFile(watcher, EMPTY_MODULE, "latin1");
  const before = await mesh.dump();
  const { code, err } = await keyway(...install, "--watch-module", watcher);
  expect(code, err).toBe(1);
  expect(err).toMatch(/refuses listener \S+ with the watcher in it/);
  expect(err).toContain("EnvoyFilter refused/keyway taken back");
  expect(await mesh.dump()).toEqual(before);
  await until("the listeners to be as before", async () => {
    return !JSON.stringify(await reviews.admin("/config_dump?resource=dynamic_listeners")).includes("error_state");
  });
  expect((await caller.request({ host: "reviews:9080", headers: KEYED })).app).toBe("reviews-1");
});

test("a pod that started while the registry was down is named by status, and mended by an upgrade without settings", async () => {
  await keywayDone(...install);
  await mesh.registry.stop();
  const late = await mesh.pod({ name: "reviews-2", namespace: NAMESPACE, service: "reviews" });
  await mesh.registry.start();
  const status = await keyway("status", "-n", NAMESPACE);
  expect(status.code).toBe(1);
  expect(status.err).toMatch(/pod reviews-2: its agent could not pull the module.*keyway upgrade -n refused/);
  await keywayDone("upgrade", "-n", NAMESPACE, "--insecure");
  expect((await keyway("status", "-n", NAMESPACE)).code).toBe(0);
  await mesh.stopPod(late);
});

test("a sandbox that is gone does not stop other changes, though its route stays in the file", async () => {
  await mesh.service({ name: "dead", namespace: NAMESPACE, selector: { app: "sandbox" } });
  await quiet([reviews, caller]);
  const dead = "{service: reviews:http, key: dead, to: dead}";
  await keywayDone(...install, "-f", await routeFile(dead));
  await mesh.delete({ apiVersion: "v1", kind: "Service", metadata: { name: "dead", namespace: NAMESPACE } });
  await quiet([reviews, caller]);
  const more = await routeFile(dead, "{service: reviews:http, key: pr-42, to: sandbox}");
  const { err } = await keywayDone("upgrade", "-n", NAMESPACE, "--insecure", "-f", more);
  expect(err).toContain("missing already");
  await becomes("sandbox");
});

const FORGED = { ...KEYED, "x-keyway-cluster": `outbound|9080||sandbox.${NAMESPACE}.svc.cluster.local` };
const filter = { apiVersion: "networking.istio.io/v1alpha3", kind: "EnvoyFilter" };
const plugin = { apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin" };

/** Who has answered, and which of Keyway's headers the application saw. */
async function served(headers: Record<string, string>): Promise<[app: string | undefined, own: string[]]> {
  const { app, body } = await caller.request({ host: "reviews:9080", headers });
  return [app, Object.keys(JSON.parse(body).headers).filter((name) => name.startsWith("x-keyway-"))];
}

/** Connections that the caller's proxy opened before a change are served as before until they are drained. */
async function becomes(app: string): Promise<void> {
  await until("old connections to be drained", async () => !(await isDraining(reviews)));
  await until(`${app} to serve`, async () => (await served(KEYED))[0] === app);
}

test("what somebody deleted is told and mended, and the baseline serves meanwhile", async () => {
  const here = ["-n", NAMESPACE, "--insecure"];
  const flags = [
    ...install.filter((flag) => !["-l", "app=reviews"].includes(flag)),
    "-l",
    "app=caller",
    "--mode",
    "outbound",
  ];
  const told = async (...command: string[]) => {
    const { code, out, err } = await keyway(...command);
    return `${code} ${out}${err}`;
  };
  await keywayDone(...flags);
  await becomes("sandbox");

  await mesh.delete({ ...filter, metadata: { name: "keyway", namespace: NAMESPACE } });
  await becomes("reviews-1");
  // Nothing but the EnvoyFilter could take the selection header off; the hop mark, which the next proxy would heed, comes with its routes alone.
  for (const headers of [KEYED, FORGED]) expect(await served(headers)).toEqual(["reviews-1", ["x-keyway-cluster"]]);
  expect(await served({})).toEqual(["reviews-1", []]);
  expect(await told("status", "-n", NAMESPACE)).toMatch(/^1 [\s\S]*its EnvoyFilter is missing[\s\S]*keyway upgrade/);
  expect(await told("check", ...here)).toMatch(/^1 [\s\S]*checks fail: guard/);
  await keywayDone("upgrade", ...here);
  await becomes("sandbox");
  await keywayDone("check", ...here);

  await mesh.delete({ ...plugin, metadata: { name: "keyway", namespace: NAMESPACE } });
  await becomes("reviews-1");
  for (const headers of [KEYED, FORGED]) expect(await served(headers)).toEqual(["reviews-1", []]);
  const missing = /^1 [\s\S]*WasmPlugin is missing[\s\S]*keyway install/;
  expect(await told("status", "-n", NAMESPACE)).toMatch(missing);
  expect(await told("check", ...here)).toMatch(missing);
  expect(await told("upgrade", ...here)).toMatch(missing);
  await keywayDone(...flags);
  await becomes("sandbox");
});
