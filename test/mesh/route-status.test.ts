// What a real API server has of a Route's status, and a route server with the rendered rights alone makes of that.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RouteObject } from "../../controller/surroundings.ts";
import { serverManifests } from "../../installer/manifests/rights.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { sent, startServer } from "../api/serve.ts";
import type { Resource } from "./bed/api.ts";
import { ADMIN_TOKEN } from "./bed/api.ts";
import { ECHO_PORTS } from "./bed/mesh.ts";
import { sliceObject } from "./bed/objects.ts";
import { mesh } from "./bed/shared.ts";
import { until } from "./bed/until.ts";
import { applyDefinitions, connect } from "./definitions.ts";

const namespace = "route-status";
const authorization = `Bearer ${ADMIN_TOKEN}`;

let admin: Cluster;
let kubeconfig: string;

beforeAll(async () => {
  admin = await connect("bed");
  await applyDefinitions();
  kubeconfig = await mesh.kubeconfigFor(namespace, "keyway");
  const subject = { kind: "ServiceAccount", name: "keyway", namespace } as const;
  await mesh.apply(...(serverManifests(namespace, subject) as unknown as Resource[]));
  for (const name of ["reviews", "reviews-pr-42"]) await mesh.service({ name, namespace, selector: { app: name } });
  await ready("reviews", true);
});

// Other tests wait until proxies know all endpoints.
afterAll(() => Promise.all(["reviews", "reviews-pr-42"].map((service) => ready(service, false))));

const ready = (service: string, isReady: boolean) =>
  mesh.api.apply(sliceObject(namespace, service, ECHO_PORTS, [{ pod: service, address: "10.9.9.9", ready: isReady }]));

const ref = (name: string) => ({ apiVersion: "keyway.dev/v1alpha1", kind: "Route", metadata: { name, namespace } });
const put = (name: string, spec: object) => mesh.apply({ ...ref(name), spec } as Resource);
const get = (name: string) => admin.get<RouteObject>(ref(name) as never);

/** `REASON` of a condition, with a `!` before it where it does not hold. */
async function reaches(name: string, type: string, reason: string): Promise<string> {
  return until(`${type} of ${name} to be ${reason}`, async () => {
    const status = (await get(name))?.status;
    const found = status?.conditions?.find((one) => one.type === type);
    if (found && `${found.status === "False" ? "!" : ""}${found.reason}` === reason) return found.message;
    throw new Error(`its status is ${JSON.stringify(status)}`);
  });
}

test("a Route's status tells what is wrong and is no new revision of the route, for no server", async () => {
  const env = { KUBECONFIG: kubeconfig };
  const { ask, log } = await startServer({ store: `kubernetes:${namespace}` }, undefined, env);
  const headers = { authorization };
  const revisionOf = async (from: typeof ask, id: string) =>
    (await from(`/v1/routes/${id}`, { headers })).body.revision;
  const service = `reviews.${namespace}:9080`;
  await put("good", { service, key: "pr-42", to: "reviews-pr-42" });
  await put("lost", { service: "reviws:9080", key: "k", to: "reviews-pr-42" });
  await put("port", { service: `reviews.${namespace}:9999`, key: "k", to: "reviews-pr-42" });
  await put("twin", { service, key: "pr-42", to: "reviews" });
  expect(await reaches("lost", "Resolved", "!ServiceNotFound")).toMatch(
    /no service reviws in any namespace; did you mean reviews/,
  );
  await reaches("port", "Resolved", "!PortNotFound");
  await reaches("good", "Resolved", "!NotReady");
  // In place of the first, which has no target that is ready.
  await reaches("twin", "Accepted", "Accepted");
  await ready("reviews-pr-42", true);
  expect(await reaches("twin", "Accepted", "!Twin")).toMatch(/^Route good has the same service and key/);
  await reaches("good", "Resolved", "Resolved");
  await reaches("good", "InForce", "!NoProxies");

  const before = await revisionOf(ask, "good");
  const good = await get("good");
  expect(good?.status?.revision).toBe(before);
  expect(Number(good?.metadata.resourceVersion)).toBeGreaterThan(before);
  const other = await startServer({ store: `kubernetes:${namespace}`, controller: "false" }, undefined, env);
  expect(await revisionOf(other.ask, "good")).toBe(before);
  await mesh.delete(ref("twin") as Resource);
  await until("the twin to be gone", async () => (await other.ask("/v1/routes/twin", { headers })).status === 404);
  const given = { ...headers, "if-match": `"${before}"` };
  const body = { service, key: "pr-42", to: "reviews-pr-42", labels: { team: "a" } };
  const written = await other.ask("/v1/routes/good", sent("PUT", body, given));
  expect([written.status, written.body.error]).toEqual([200, undefined]);
  await until("the status to be of the new revision", async () => {
    return (await get("good"))?.status?.revision === written.body.revision;
  });
  expect(log.filter((line) => /"level":[56]0/.test(line))).toEqual([]);
});

test("kubectl get shows how far a Route is", async () => {
  const table = (await mesh.api.get(
    `/apis/keyway.dev/v1alpha1/namespaces/${namespace}/routes`,
    "application/json;as=Table;g=meta.k8s.io;v=v1",
  )) as { columnDefinitions: { name: string }[]; rows: { cells: unknown[] }[] };
  const columns = table.columnDefinitions.map(({ name }) => name);
  const rows = table.rows.map(({ cells }) => Object.fromEntries(columns.map((name, at) => [name, cells[at]])));
  expect(rows.find(({ Name }) => Name === "lost")).toMatchObject({
    Accepted: "True",
    Resolved: "False",
    InForce: "False",
    "Resolved-Message": expect.stringContaining("did you mean reviews"),
  });
});
