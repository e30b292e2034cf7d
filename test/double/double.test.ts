// What the double promises to those who test against it.
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ApiServer, startApiServer } from "./api-server.ts";
import { cutConnection, tooManyRequests } from "./faults.ts";

const PLUGIN = "/apis/extensions.istio.io/v1alpha1/namespaces/demo/wasmplugins/keyway";

let server: ApiServer;
beforeEach(async () => {
  server = await startApiServer();
});
afterEach(() => server.close());

function plugin(spec: object, metadata: object = {}) {
  return {
    apiVersion: "extensions.istio.io/v1alpha1",
    kind: "WasmPlugin",
    metadata: { name: "keyway", namespace: "demo", ...metadata },
    spec,
  };
}

async function apply(manager: string, object: object, query = "") {
  const response = await fetch(`${server.url}${PLUGIN}?fieldManager=${manager}${query}`, {
    method: "PATCH",
    body: JSON.stringify(object),
  });
  // biome-ignore lint/suspicious/noExplicitAny: the answer is looked at field by field.
  return { code: response.status, body: (await response.json()) as any };
}

test("an applied field that is left out later goes, and fields of others stay", async () => {
  expect((await apply("a", plugin({ priority: 1, phase: "AUTHN" }))).code).toBe(201);
  expect((await apply("b", plugin({ url: "oci://h/r" }))).body.spec).toEqual({
    priority: 1,
    phase: "AUTHN",
    url: "oci://h/r",
  });
  expect((await apply("a", plugin({ priority: 2 }))).body.spec).toEqual({ priority: 2, url: "oci://h/r" });
});

test("two managers conflict over one field, unless one of them forces it", async () => {
  await apply("a", plugin({ priority: 1 }));
  const refused = await apply("b", plugin({ priority: 2 }));
  expect(refused).toMatchObject({ code: 409, body: { reason: "Conflict" } });
  expect(refused.body.message).toContain('conflict with "a" using extensions.istio.io/v1alpha1: .spec.priority');
  expect((await apply("b", plugin({ priority: 2 }), "&force=true")).body.spec).toEqual({ priority: 2 });
  expect((await apply("a", plugin({ priority: 1 }))).code).toBe(409);
});

test("an old resource version is refused, and a dry run changes nothing", async () => {
  const { body } = await apply("a", plugin({ priority: 1 }));
  const { resourceVersion } = body.metadata;
  expect((await apply("a", plugin({ priority: 3 }), "&dryRun=All")).body.spec).toEqual({ priority: 3 });
  expect((await apply("a", plugin({ priority: 2 }, { resourceVersion }))).code).toBe(200);
  const late = await apply("a", plugin({ priority: 3 }, { resourceVersion }));
  expect(late).toMatchObject({ code: 409, body: { reason: "Conflict" } });
});

test("a list comes in pages, and a watch goes on where it ended", async () => {
  for (const name of ["a", "b", "c"])
    server.put({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "demo" } });
  const path = `${server.url}/api/v1/namespaces/demo/pods`;
  const first = (await (await fetch(`${path}?limit=2`)).json()) as { items: unknown[]; metadata: { continue: string } };
  expect(first.items).toHaveLength(2);
  const rest = await (await fetch(`${path}?limit=2&continue=${first.metadata.continue}`)).json();
  expect(rest).toMatchObject({ items: [{ metadata: { name: "c" } }], metadata: {} });

  const since = server.store.version;
  server.delete({ apiVersion: "v1", kind: "Pod", metadata: { name: "a", namespace: "demo" } });
  const { body } = await fetch(`${path}?watch=1&resourceVersion=${since}`);
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  expect(JSON.parse(`${(await reader?.read())?.value}`)).toMatchObject({
    type: "DELETED",
    object: { metadata: { name: "a" } },
  });
  server.put({ apiVersion: "v1", kind: "Pod", metadata: { name: "d", namespace: "demo" } });
  expect(JSON.parse(`${(await reader?.read())?.value}`)).toMatchObject({
    type: "ADDED",
    object: { metadata: { name: "d" } },
  });
  await reader?.cancel();
});

test("a fault is committed as often as it was ordered", async () => {
  server.faults.add(/^GET \/version/, tooManyRequests(3));
  server.faults.add(/^GET \/version/, cutConnection);
  const refused = await fetch(`${server.url}/version`);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "3"]);
  await expect(fetch(`${server.url}/version`)).rejects.toThrow();
  expect((await fetch(`${server.url}/version`)).status).toBe(200);
});
