// Amalgam8's clients at servers whose routes are in Kubernetes.
import { expect, test } from "vitest";
import { amalgam8Manifests } from "../../installer/manifests/rights.ts";
import { accessObjects } from "../../installer/manifests/server/objects.ts";
import { ask, sent, startServer, temporaryFolder } from "../api/serve.ts";
import { fileWith, server } from "../cluster/connect.ts";
import type { ApiServer } from "../double/api-server.ts";
import { noRights } from "../double/faults.ts";
import { kubeconfig } from "../double/kubeconfig.ts";
import { amalgam8Of, instance, rule } from "./a8.ts";

const namespace = "keyway";

async function cluster(): Promise<ApiServer> {
  const api = await server();
  api.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, uid: "home" } });
  return api;
}

async function startOn(api: ApiServer) {
  const flags = { store: `kubernetes:${namespace}`, amalgam8: "127.0.0.1:0", controller: "false", anonymous: "write" };
  const served = await startServer(flags, temporaryFolder(), { KUBECONFIG: await fileWith(kubeconfig(api)) });
  const routes = async (): Promise<string[]> =>
    (await served.ask("/v1/routes")).body.routes.map(({ id }: { id: string }) => id);
  const a8 = (method: string, path: string, body?: unknown) => ask(amalgam8Of(served) + path, sent(method, body));
  return { served, routes, a8 };
}

test("rules become Routes, and what clients have said is there for other servers and later ones", async () => {
  const api = await cluster();
  const one = await startOn(api);
  const two = await startOn(api);
  const rules = [rule("reviews", "v2", { match: { headers: { a: "b" } } }), rule("reviews", "v1")];
  expect((await one.a8("POST", "/v1/rules", { rules })).status).toBe(201);
  const both = ["a8.default.reviews.0001", "a8.default.reviews.0002"];
  await expect.poll(two.routes).toEqual(both);
  const { body } = await ask(`${api.url}/apis/keyway.dev/v1alpha1/namespaces/${namespace}/routes/${both[0]}`);
  expect(body).toMatchObject({
    metadata: { labels: { "keyway.dev/amalgam8": "default", "app.kubernetes.io/managed-by": "keyway" } },
    spec: { service: "reviews", to: { service: "reviews", subset: "v2" } },
  });
  await expect.poll(async () => (await two.a8("GET", "/v1/rules")).body.rules).toHaveLength(2);

  const own = instance("reviews", "10.0.0.1:80", { tags: ["v2"] });
  const { id } = (await two.a8("POST", "/api/v1/instances", own)).body;
  await expect.poll(async () => (await one.a8("PUT", `/api/v1/instances/${id}/heartbeat`)).status).toBe(200);
  expect((await two.a8("PUT", `/api/v1/instances/${id}/heartbeat`)).status).toBe(200);
  expect((await one.a8("DELETE", `/api/v1/instances/${id}`)).status).toBe(200);
  await expect.poll(async () => [await one.routes(), await two.routes()]).toEqual([both.slice(1), both.slice(1)]);
  await one.served.end();
  await two.served.end();
  const before = api.requests.length;
  const later = await startOn(api);
  expect(await later.routes()).toEqual(both.slice(1));
  expect((await later.a8("GET", "/v1/rules")).body).toMatchObject({ rules: [{}, {}], revision: 1 });
  await later.a8("DELETE", "/v1/rules?id=nobody");
  // What is there as it is to be is not written again.
  const writes = api.requests.slice(before).filter((one) => /^(?:POST|PUT|PATCH|DELETE) .*\/routes/.test(one));
  expect(writes).toEqual([]);
});

test("without the rights to keep what clients say, the server says so and ends", async () => {
  const api = await cluster();
  api.faults.add(/configmaps/, noRights('configmaps is forbidden: User "s" cannot list resource "configmaps"'), 1000);
  await expect(startOn(api)).rejects.toThrow(/cannot list resource "configmaps"/);
});

test("who asks for the listener gets its rights, and nobody else", () => {
  const choice = { namespace, image: "i", replicas: 2, anonymous: [], arguments: [] as string[] };
  const named = (more: string[]) => {
    const objects = accessObjects({ ...choice, arguments: more });
    return objects.filter(({ metadata }) => metadata?.name === "keyway-amalgam8").map(({ kind }) => kind);
  };
  expect([named([]), named(["--amalgam8=:7779"])]).toEqual([[], ["Role", "RoleBinding"]]);
  const subject = { kind: "ServiceAccount", name: "s", namespace } as const;
  expect(amalgam8Manifests(namespace, subject)).toMatchObject([
    { kind: "Role", metadata: { namespace }, rules: [{ resources: ["configmaps"] }] },
    { kind: "RoleBinding", subjects: [subject] },
  ]);
});
