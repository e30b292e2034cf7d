// The rights that are rendered suffice for what is done, and what is said about missing ones leads out.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { V1Role, V1RoleBinding } from "@kubernetes/client-node";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { runCli } from "../cli/run.ts";
import { type ApiServer, type Attributes, startApiServer } from "../double/api-server.ts";
import { noRights } from "../double/faults.ts";
import { kubeconfig } from "../double/kubeconfig.ts";

// The route of the README that leads into another namespace.
const ROUTES = `routes:
  - {service: ratings.shop:http, key: pr-42, to: ratings-pr-42.shop:9080}
`;

let folder: string;
let server: ApiServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyway-rights-"));
  await writeFile(join(folder, "routes.yaml"), ROUTES);
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  server = await startApiServer({ tls: true });
  await writeFile(join(folder, "kubeconfig"), kubeconfig(server));
});
afterEach(() => server.close());

const keyway = (...args: string[]) => runCli(args, { env: { HOME: folder } });

/** Whether these roles allow it, as RBAC has it. */
function allows(roles: V1Role[], { verb, group, resource, subresource, namespace, name }: Attributes): boolean {
  const thing = subresource === undefined ? resource : `${resource}/${subresource}`;
  return roles.some(
    ({ metadata, rules = [] }) =>
      metadata?.namespace === namespace &&
      rules.some(
        ({ apiGroups, resources, verbs, resourceNames }) =>
          apiGroups?.includes(group) &&
          resources?.includes(thing) &&
          verbs.includes(verb) &&
          (resourceNames === undefined || (name !== undefined && resourceNames.includes(name))),
      ),
  );
}

async function rolesOf(...args: string[]): Promise<V1Role[]> {
  const { out } = await keyway("render", "rbac", "-n", "demo", "--user", "jane", ...args);
  const objects = parseAllDocuments(out).map((one) => one.toJS() as V1Role | V1RoleBinding);
  return objects.filter((one): one is V1Role => one.kind === "Role");
}

const may = (namespace: string, resource: string, group = ""): Attributes => ({
  verb: "list",
  group,
  resource,
  namespace,
});

test("the roles for a route file let its user list the services of every namespace that it names", async () => {
  const named = [await rolesOf("-f", join(folder, "routes.yaml")), await rolesOf("--route-namespace", "shop")];
  for (const roles of named) {
    expect(roles.map(({ metadata }) => metadata?.namespace)).toEqual(["demo", "istio-system", "shop"]);
    expect(allows(roles, may("shop", "services"))).toBe(true);
    expect(allows(roles, may("shop", "pods"))).toBe(false);
    expect(allows(roles, may("shop", "authorizationpolicies", "security.istio.io"))).toBe(true);
  }
  expect(allows(await rolesOf(), may("shop", "services"))).toBe(false);
});

test("without rights in a route's namespace the advice is a command that grants just these", async () => {
  server.faults.add(/GET .*\/namespaces\/shop\/services/, noRights("services is forbidden"), 100);
  const { code, err } = await keyway(
    ...["check", "--kubeconfig", join(folder, "kubeconfig"), "-n", "demo", "-l", "app=reviews"],
    ...["--module", `oci://registry.example.com/keyway@sha256:${"a".repeat(64)}`, "-f", join(folder, "routes.yaml")],
  );
  expect(code).toBe(1);
  expect(err).toContain("a route names a service in namespace shop, whose services you may not list");
  const advice = /keyway (render rbac .*?) --user NAME \| kubectl/.exec(err)?.[1]?.split(" ") ?? [];
  expect(advice).toEqual(["render", "rbac", "-n", "demo", "--route-namespace", "shop"]);
  expect(allows(await rolesOf(...advice.slice(4)), may("shop", "services"))).toBe(true);
});
