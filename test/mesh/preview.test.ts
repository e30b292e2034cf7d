// A preview as the README has it, word for word, and the same by the command.
import { readFile } from "node:fs/promises";
import { loadYaml } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Resource } from "./bed/api.ts";
import type { Deployments } from "./bed/deployments.ts";
import { namespaceObject } from "./bed/objects.ts";
import type { Pod } from "./bed/pod.ts";
import { mesh } from "./bed/shared.ts";
import { until } from "./bed/until.ts";
import { keyway, keywayDone, publishModule, quiet } from "./keyway.ts";
import { followServers, installServers, Sandboxes, SERVER_NAMESPACE, workloadObjects } from "./previews.ts";

/** In place of the README's own, in which other tests have left Deployments. */
const NAMESPACE = "demo-previews";
const KEYED = { headers: { "x-routing-key": "pr-42" } };

let demo: Deployments;
let caller: Pod;
let sandboxes: Sandboxes;

beforeAll(async () => {
  await mesh.api.apply(...[NAMESPACE, SERVER_NAMESPACE].map(namespaceObject));
  demo = mesh.manage(NAMESPACE);
  const names = ["reviews", "reviews-pr-42", "details"];
  await mesh.apply(
    ...workloadObjects(NAMESPACE, "caller", { service: false }),
    ...names.flatMap((name) => workloadObjects(NAMESPACE, name)),
  );
  await until("the pods", () => ["caller", ...names].every((name) => demo.pods(name).length === 1));
  caller = demo.pods("caller")[0] as Pod;
  await quiet([caller]);
  await installServers(mesh);
  await followServers(
    mesh,
    { namespace: NAMESPACE, module: await publishModule() },
    "--mode",
    "outbound",
    "-l",
    "app=caller",
  );
  sandboxes = await Sandboxes.follow(mesh, NAMESPACE);
});

afterAll(async () => {
  await sandboxes?.close();
  await keyway("uninstall", "-n", NAMESPACE, "--include-edited", "--no-wait");
  await keyway("server", "uninstall", "-n", SERVER_NAMESPACE, "--with-resources");
});

/** Where requests with the key go, and those without. */
async function places(...services: string[]): Promise<string[]> {
  const all = services.flatMap((service) => [{ host: `${service}:9080`, ...KEYED }, { host: `${service}:9080` }]);
  return (await Promise.all(all.map((call) => caller.request(call)))).map(({ app }) => `${app}`);
}

/** As `kubectl wait --for=condition=TYPE` does, which looks at nothing else. */
const condition = (name: string, type: string) =>
  sandboxes.until(`condition ${type} of ${name}`, () =>
    Boolean(sandboxes.get(name)?.status?.conditions?.some((one) => one.type === type && one.status === "True")),
  );

test("what the README applies is a preview once its command has waited, and all of it goes with the Sandbox", async () => {
  const readme = await readFile("README.md", "utf8");
  const [, yaml = ""] = /kubectl apply -f - <<END\n([\s\S]*?)\n {4}END\n/.exec(readme) ?? [];
  expect(readme).toContain("kubectl wait sandbox/pr-42 -n demo --for=condition=InForce");
  const sandbox = loadYaml(yaml.replaceAll(/^ {4}/gm, "").replace("namespace: demo", `namespace: ${NAMESPACE}`));
  await mesh.apply(sandbox as Resource);
  await condition("pr-42", "InForce");
  expect(await places("reviews", "details")).toEqual(["reviews-pr-42", "reviews", "details-pr-42", "details"]);
  await mesh.delete(sandbox as Resource);
  await sandboxes.gone("pr-42");
  expect(await places("reviews", "details")).toEqual(["reviews", "reviews", "details", "details"]);
  await until("the copy to be gone", () => demo.pods("details-pr-42").length === 0);
});

test("the command waits until the preview is there, and deletes it with all that it brought", async () => {
  const image = "registry.example/details:pr-42";
  const fork = ["--fork", "Deployment/details", "--container", "app", "--image", image];
  const create = ["sandbox", "create", "pr-42", "-n", NAMESPACE, "--ttl", "3d", ...fork];
  const route = ["--route", "reviews=reviews-pr-42"];
  const { out, err } = await keywayDone(...create, ...route, "--wait=60");
  expect(await places("reviews", "details")).toEqual(["reviews-pr-42", "reviews", "details-pr-42", "details"]);
  expect(out + err).toContain("in force");
  expect((await keywayDone("sandbox", "list", "-n", NAMESPACE)).out).toContain("pr-42");
  await keywayDone("sandbox", "delete", "pr-42", "-n", NAMESPACE, "--wait");
  expect(await places("reviews", "details")).toEqual(["reviews", "reviews", "details", "details"]);
});
