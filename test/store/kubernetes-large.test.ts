// What a cluster can't take in one transaction, and what may be written of one that fails.
import { expect, test } from "vitest";
import { MOST_OBJECTS } from "../../shared/cluster/write-together.ts";
import { sent, startServer } from "../api/serve.ts";
import { fileWith, server } from "../cluster/connect.ts";
import { neverAnswer, unavailable } from "../double/faults.ts";
import { kubeconfig } from "../double/kubeconfig.ts";

const routes = (count: number, to = "t") =>
  Array.from({ length: count }, (_, n) => ({ id: `r-${n}`, service: "reviews", key: `k-${n}`, to }));

// The statuses of Routes are not written, so that only what the test asks for is.
const SETTINGS = { store: "kubernetes", anonymous: "read,write,proxy", controller: "false" };

async function serve(flags: Record<string, string> = {}) {
  const api = await server();
  api.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "demo", uid: "a-namespace" } });
  const env = { KUBECONFIG: await fileWith(kubeconfig(api)) };
  const { ask } = await startServer({ ...SETTINGS, ...flags }, undefined, env);
  const apply = (transaction: object) => ask("/v1/routes:apply", sent("POST", transaction));
  const writes = () => api.requests.filter((one) => /^(?:POST|PUT|DELETE) .*routes/.test(one)).length;
  return { api, ask, apply, writes };
}

test("100,000 routes in one apply are refused at once, with the limit and the way, and nothing of them is written", async () => {
  const { ask, apply, writes } = await serve();
  const refused = await apply({ set: routes(100_000) });
  expect(refused).toMatchObject({ status: 413, body: { error: { code: "too_large" } } });
  expect(refused.body.error.message).toContain(
    `100000 objects can't be written to Kubernetes in one transaction, which has no transactions and takes them one by one; ${MOST_OBJECTS} can; send them in parts of at most ${MOST_OBJECTS}`,
  );
  expect(writes()).toBe(0);
  const deleted = routes(MOST_OBJECTS - 1).map(({ id }) => id);
  await apply({ set: routes(3) });
  const before = writes();
  // Ids of no route are nothing to write.
  expect((await apply({ set: routes(1, "u"), delete: deleted.slice(1) })).status).toBe(200);
  expect(writes() - before).toBe(6);
  const over = Array.from({ length: MOST_OBJECTS + 1 }, (_, n) => ({
    id: `s-${n}`,
    service: "ratings",
    key: `s-${n}`,
    to: "t",
  }));
  expect((await apply({ set: over })).status).toBe(413);
  expect((await ask("/v1/routes")).body.routes).toMatchObject([{ id: "r-0", to: "u" }]);
});

test("of a transaction that is late it is said that some of it may be written, and of one route that it is whole", async () => {
  const { api, ask, apply } = await serve({ writeTimeout: "1" });
  api.faults.add(/^POST .*routes/, neverAnswer, 1000);
  const several = await apply({ set: routes(2) });
  expect(several).toMatchObject({ status: 503, body: { error: { code: "undecided" } } });
  expect(several.headers.get("retry-after")).toBeNull();
  expect(several.body.error.message).toMatch(
    /all of it, some of its routes, or nothing, as they are written one by one\. GET \/v1\/routes\/ID says which are there/,
  );
  const one = await ask("/v1/routes/single", sent("PUT", { service: "reviews", key: "single", to: "t" }));
  expect(one.body.error.message).toMatch(/may still happen, all of it or nothing/);
  api.faults.clear();
  api.cut();
});

test("what can't be taken back is named in the answer, which nobody should repeat by himself", async () => {
  const { api, apply } = await serve();
  await apply({ set: routes(2) });
  const written = { apiVersion: "keyway.dev/v1alpha1", kind: "Route", metadata: { name: "r-0", namespace: "demo" } };
  api.faults.add(/^PUT .*routes\/r-1\?fieldManager=[\w-]+$/, unavailable, 1000);
  api.faults.add(/^PUT .*routes\/r-0\?fieldManager=[\w-]+$/, (_, response) => {
    api.put({ ...written, spec: { service: "reviews", key: "k-0", to: "u" } });
    api.faults.add(/^PUT .*routes\//, unavailable, 1000);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(api.find(written)));
  });
  const { status, body, headers } = await apply({ set: routes(2, "u") });
  expect([status, body.error.code, headers.get("retry-after")]).toEqual([503, "undecided", null]);
  expect(body.error.message).toMatch(/may be written all the same: Route demo\/r-0/);
});
