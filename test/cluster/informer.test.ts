import { expect, onTestFinished, test } from "vitest";
import { type Informed, Informer } from "../../shared/cluster/informer.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import type { ApiServer } from "../double/api-server.ts";
import { expired, neverAnswer, noRights, noSuchPath, unavailable } from "../double/faults.ts";
import { connect, server } from "./connect.ts";

type Map = KubeObject & { data?: { is: string } };

const map = (name: string, is: string, namespace = "demo", labels: Record<string, string> = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace, labels },
  data: { is },
});

/** An informer that keeps `name=content`, and what it has told. */
async function inform(api: ApiServer, more: Partial<Informed<Map, string>> = {}) {
  const told: string[] = [];
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  const informer = new Informer<Map, string>(await connect(api, { signal: ending.signal }), {
    apiVersion: "v1",
    kind: "ConfigMap",
    keep: ({ metadata, data }) => `${metadata?.name}=${data?.is}`,
    onChange: (before, after) => told.push(`${before ?? ""}>${after ?? ""}`),
    onTrouble: (thrown) => told.push(`trouble: ${(thrown as Error).message}`),
    onOlder: () => told.push("older"),
    retryMs: 5,
    mostRetryMs: 50,
    ...more,
  });
  await informer.start();
  if (informer.trouble === undefined) await expect.poll(() => watches(api)).toBeGreaterThan(0);
  return { informer, told, ending, contents: () => [...informer.values()].sort() };
}

const lists = (api: ApiServer) => api.requests.filter((one) => one.includes("configmaps?limit")).length;
const watches = (api: ApiServer) => api.requests.filter((one) => one.includes("watch=1")).length;

test("objects are known after the start, and told as they come, change and go, in all namespaces", async () => {
  const api = await server();
  api.put(map("a", "1"));
  const { informer, told, contents } = await inform(api);
  await informer.synced;
  expect(informer.get("demo", "a")).toBe("a=1");
  api.put(map("b", "1", "other"), map("a", "2"));
  api.delete(map("b", "", "other"));
  await expect.poll(() => told).toEqual([">a=1", ">b=1", "a=1>a=2", "b=1>"]);
  expect(contents()).toEqual(["a=2"]);
  expect(informer.size).toBe(1);
});

test("all pages of a list are told before the version that they are of, and then each event before its own", async () => {
  const api = await server();
  for (let at = 0; at < 1100; at++) api.put(map(`m-${at}`, "1"));
  const listed = Number(api.store.version);
  let changes = 0;
  const versions: [version: number, changes: number][] = [];
  await inform(api, { onChange: () => changes++, onVersion: (version) => versions.push([version, changes]) });
  api.put(map("m-7", "2"));
  const expected = [
    [listed, 1100],
    [listed + 1, 1101],
  ];
  await expect.poll(() => versions).toEqual(expected);
});

test("a namespace and a selector narrow what is followed; what is selected no more is gone", async () => {
  const api = await server();
  api.put(map("a", "1", "demo", { is: "mine" }), map("b", "1"), map("c", "1", "other", { is: "mine" }));
  const { told } = await inform(api, { namespace: "demo", labelSelector: "is=mine" });
  api.put(map("b", "2", "demo", { is: "mine" }), map("a", "2"), map("c", "2", "other", { is: "mine" }));
  await expect.poll(() => told).toEqual([">a=1", ">b=2", "a=1>"]);
});

test("where the API server has forgotten the version, what has changed alone is told", async () => {
  const api = await server();
  api.put(map("a", "1"), map("b", "1"), map("c", "1"));
  const { told } = await inform(api);
  api.faults.add(/watch=1/, expired);
  api.cut();
  api.put(map("b", "2"), map("d", "1"));
  api.delete(map("c", ""));
  await expect.poll(() => told.slice(3)).toEqual(["c=1>", "b=1>b=2", ">d=1"]);
  expect(lists(api)).toBe(2);
});

test("one that was deleted and made anew while nobody watched is told as changed", async () => {
  const api = await server();
  api.put({ ...map("a", "1"), metadata: { ...map("a", "1").metadata, uid: "first" } });
  const { told } = await inform(api);
  api.faults.add(/watch=1/, expired);
  api.cut();
  api.delete(map("a", ""));
  api.put({ ...map("a", "1"), metadata: { ...map("a", "1").metadata, uid: "second" } });
  await expect.poll(() => told).toEqual([">a=1", "a=1>a=1"]);
});

test("a watch that was cut goes on where it was, and nobody is troubled by that", async () => {
  const api = await server();
  api.put(map("a", "1"));
  const { told, informer } = await inform(api);
  api.put(map("a", "2"));
  await expect.poll(() => told).toEqual([">a=1", "a=1>a=2"]);
  api.cut();
  api.put(map("a", "3"));
  await expect.poll(() => told).toEqual([">a=1", "a=1>a=2", "a=2>a=3"]);
  expect(informer.trouble).toBeUndefined();
  expect(lists(api)).toBe(1);
});

test("a watch that ends without a word is no proof: all is read anew, and not in a hot loop", async () => {
  const api = await server();
  api.faults.add(/watch=1/, (_, response) => response.writeHead(200).end(), Number.POSITIVE_INFINITY);
  const { told } = await inform(api, { mostRetryMs: 400 });
  api.put(map("a", "1"));
  await expect.poll(() => told).toEqual([">a=1"]);
  const before = lists(api);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(lists(api) - before).toBeLessThan(10);
});

test("while the API server is away what is known stays, one complaint is made, and all goes on by itself", async () => {
  const api = await server();
  api.put(map("a", "1"));
  const { informer, told } = await inform(api);
  const away = async (is: string) => {
    const asked = api.requests.length;
    api.faults.add(/configmaps/, unavailable, Number.POSITIVE_INFINITY);
    api.cut();
    await expect.poll(() => api.requests.length - asked).toBeGreaterThan(3);
    expect(informer.trouble).toBeInstanceOf(Error);
    expect(informer.get("demo", "a")).toBeDefined();
    api.put(map("a", is));
    api.faults.clear();
    await expect.poll(() => informer.get("demo", "a")).toBe(`a=${is}`);
    expect(informer.trouble).toBeUndefined();
  };
  await away("2");
  await away("3");
  const trouble = expect.stringMatching(/^trouble: .*unable/);
  expect(told).toEqual([">a=1", trouble, "a=1>a=2", trouble, "a=2>a=3"]);
});

test("an API server with older data is told once, and what it has is what is known from then on", async () => {
  const api = await server();
  api.put(map("a", "1"), map("b", "1"), map("c", "1"));
  const { told, contents } = await inform(api);
  api.store.rewind(900);
  api.delete(map("b", ""));
  api.put(map("a", "0"));
  await expect.poll(contents).toEqual(["a=0", "c=1"]);
  expect(told.slice(3)).toEqual(["older", "b=1>", "a=1>a=0", "c=1>c=1"]);
  api.put(map("d", "1"));
  await expect.poll(contents).toEqual(["a=0", "c=1", "d=1"]);
});

test("a kind or a right that is missing is told, and found once it is there", async () => {
  const api = await server();
  api.put(map("a", "1"));
  api.faults.add(/^GET \/api\/v1$/, noSuchPath);
  api.faults.add(/configmaps\?limit/, noRights('User "x" cannot list resource "configmaps"'));
  const { informer, told } = await inform(api);
  expect(informer.trouble).toMatchObject({ code: 404 });
  expect(informer.size).toBe(0);
  await informer.synced;
  expect(told).toEqual([expect.stringContaining("the cluster has no ConfigMap of v1"), ">a=1"]);
});

test.for(["lists", "watches", "waits"])("nothing is asked or told after the end, while it %s", async (moment) => {
  const api = await server();
  if (moment === "lists") api.faults.add(/configmaps/, neverAnswer);
  if (moment === "waits") api.faults.add(/configmaps/, noRights("no"));
  const ending = new AbortController();
  const told: unknown[] = [];
  const informer = new Informer<Map>(await connect(api, { signal: ending.signal }), {
    apiVersion: "v1",
    kind: "ConfigMap",
    onChange: (...change) => told.push(change),
    onTrouble: (thrown) => told.push(thrown),
    retryMs: 60_000,
    mostRetryMs: 60_000,
  });
  const started = informer.start();
  await expect.poll(() => (moment === "watches" ? watches(api) : lists(api))).toBe(1);
  if (moment !== "lists") await started;
  const before = told.length;
  ending.abort();
  await informer.ended();
  await started;
  const asked = api.requests.length;
  api.put(map("a", "1"));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect([told.length, api.requests.length]).toEqual([before, asked]);
});
