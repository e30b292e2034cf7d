// What people get wrong, and what they may not do: told before anything is applied.
import { beforeAll, expect, test } from "vitest";
import { rbacManifests } from "../../installer/manifests/rights.ts";
import { runCli } from "../cli/run.ts";
import { ECHO_PORTS } from "./bed/mesh.ts";
import { serviceObject } from "./bed/objects.ts";
import { mesh } from "./bed/shared.ts";
import { keyway, keywayDone, publishModule, quiet, routeFile } from "./keyway.ts";

const NAMESPACE = "input";
const HERE = ["-n", NAMESPACE, "--insecure"];

let module: string;
let routes: string;

beforeAll(async () => {
  const one = (name: string) => mesh.pod({ name, namespace: NAMESPACE, service: name });
  await quiet(await Promise.all([one("reviews"), one("reviews-pr-42")]));
  module = await publishModule();
  routes = await routeFile("{service: reviews:http, key: pr-42, to: reviews-pr-42}");
});

async function refused(...args: string[]): Promise<string> {
  const before = await mesh.dump();
  const { code, err } = await keyway(...args);
  expect(code, err).not.toBe(0);
  expect(await mesh.dump()).toEqual(before);
  return err;
}

test("a kubeconfig that can't be read is named", async () => {
  expect(await refused("status", "--kubeconfig", "/nowhere/config")).toContain("where: /nowhere/config");
  expect(await refused("status", "--kubeconfig", "package.json")).toContain("package.json");
  expect(await refused("status", "--context", "bet")).toContain("did you mean --context bed?");
});

test("a selector that matches nothing is refused unless --allow-empty", async () => {
  const nobody = ["install", ...HERE, "--module", module, "-f", routes, "-l", "app=nobody"];
  expect(await refused(...nobody)).toContain("no pod in input for app=nobody");
  await keywayDone(...nobody, "--allow-empty");
  await keywayDone("uninstall", "-n", NAMESPACE);
});

test("a service that does not exist is answered with the nearest names", async () => {
  const misspelt = await routeFile("{service: reviws:http, key: pr-42, to: reviews-pr-42}");
  expect(await refused("install", ...HERE, "--module", module, "-f", misspelt)).toMatch(/reviws.*did you mean reviews/);
});

test("a mistake in the route file is told with file, line, column and what was expected", async () => {
  const wrong = await routeFile("{service: reviews:http, key: pr-42}");
  expect(await refused("install", ...HERE, "--module", module, "-f", wrong)).toMatch(
    /routes-\d+\.yaml:2:\d+: routes\[0\]/,
  );
});

test("an object of that name that keyway did not make is left alone", async () => {
  const foreign = {
    apiVersion: "extensions.istio.io/v1alpha1",
    kind: "WasmPlugin",
    metadata: { name: "taken", namespace: NAMESPACE },
    spec: { url: "oci://example.com/other:1", selector: { matchLabels: { app: "nobody" } } },
  };
  await mesh.apply(foreign);
  const err = await refused("install", ...HERE, "--name", "taken", "--module", module, "-f", routes);
  expect(err).toContain("WasmPlugin input/taken exists and keyway did not make it");
  await mesh.delete(foreign);
});

test("a target that the proxies can't see is refused", async () => {
  const sidecar = {
    apiVersion: "networking.istio.io/v1",
    kind: "Sidecar",
    metadata: { name: "narrow", namespace: NAMESPACE },
    spec: { egress: [{ hosts: ["istio-system/*"] }] },
  };
  await mesh.apply(sidecar);
  const seen = async () => (await keyway("check", ...HERE, "--module", module, "-f", routes, "-l", "app=reviews")).out;
  await expect.poll(seen).toContain("reviews does not know outbound|9080||reviews-pr-42.input");
  await mesh.delete(sidecar);
  await expect.poll(seen).not.toContain("does not know");
});

test("a headless Service is refused as a target", async () => {
  const { spec, ...service } = serviceObject(NAMESPACE, "headless", { app: "reviews-pr-42" }, ECHO_PORTS);
  await mesh.apply({ ...service, spec: { ...(spec as object), clusterIP: "None" } });
  const headless = await routeFile("{service: reviews:http, key: pr-42, to: headless}");
  const err = await refused("install", ...HERE, "--module", module, "-f", headless, "-l", "app=reviews");
  expect(err).toMatch(/headless\.input is headless \(clusterIP: None\)[\s\S]*a Service of its own with a cluster IP/);
});

test("--dry-run and --diff show what would be and change nothing", async () => {
  const install = ["install", ...HERE, "--module", module, "-f", routes, "-l", "app=reviews"];
  const before = await mesh.dump();
  const client = await keywayDone(...install, "--dry-run", "client", "-o", "yaml");
  expect(client.out).toContain("kind: WasmPlugin");
  const server = await keywayDone(...install, "--dry-run", "server");
  expect(server.out).toContain("created (dry run)");
  expect((await keywayDone(...install, "--diff")).out).toContain("+ kind: EnvoyFilter");
  expect(await mesh.dump()).toEqual(before);
});

test("without rights the command names what is missing, and with just the rights that are rendered it works", async () => {
  const kubeconfig = await mesh.kubeconfigFor(NAMESPACE, "installer");
  const asInstaller = (...args: string[]) => runCli(args, { env: { KUBECONFIG: kubeconfig } });
  const check = await asInstaller("check", "-n", NAMESPACE);
  expect(check.code).toBe(1);
  expect(check.out).toContain("may not create wasmplugins.extensions.istio.io in input");
  const status = await asInstaller("status", "-n", NAMESPACE);
  expect(status.err).toMatch(/cannot list resource .* in the namespace "input"[\s\S]*keyway render rbac/);

  const subject = { kind: "ServiceAccount", name: "installer", namespace: NAMESPACE } as const;
  const roles = rbacManifests({ namespace: NAMESPACE, istioNamespace: "istio-system" }, subject);
  await mesh.apply(...(roles as Parameters<typeof mesh.apply>));
  const command = [...HERE, "--module", module, "-f", routes, "-l", "app=reviews"];
  const runs = [
    await asInstaller("check", ...command),
    await asInstaller("install", ...command),
    await asInstaller("upgrade", ...HERE, "--priority", "3"),
    await asInstaller("upgrade", ...HERE, "--rollback"),
    await asInstaller("status", "-n", NAMESPACE),
    await asInstaller("uninstall", "-n", NAMESPACE),
  ];
  expect(runs.map(({ code, err }) => (code === 0 ? 0 : err))).toEqual([0, 0, 0, 0, 0, 0]);
});
