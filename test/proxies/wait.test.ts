import { expect, test } from "vitest";
import { deadline } from "../../installer/cli/connect.ts";
import { selectPods } from "../../installer/proxies/selected-pods.ts";
import { FatalNotReady, type Probe, waitForProxies } from "../../installer/proxies/wait.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { connect, pod, server } from "../cluster/connect.ts";
import { unavailable } from "../double/faults.ts";
import { admin, stopped } from "../double/port-forward.ts";

const scope = { namespace: "demo", mode: "inbound", scope: { labels: { app: "reviews" } } } as const;
const READY = { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } };
const reviews = (name: string) => pod(name, undefined, READY);

/** Waits until every selected proxy is of this version. */
function wait(cluster: Cluster, signal: AbortSignal, probe: Probe = versionOne) {
  const listPods = async () => (await selectPods(cluster, scope, "istio-system")).proxies;
  const told: string[] = [];
  const steps = { update: (text: string) => void told.push(text), done: () => {}, warn: () => {}, next: () => {} };
  return { told, result: waitForProxies({ cluster, listPods, what: "version 1", probe, signal, steps }) };
}

const versionOne: Probe = async (proxy) =>
  (await proxy.istioVersion()) === "1" ? undefined : "it runs another version";

function serverInfo(version: string) {
  return admin({ "/server_info": { node: { metadata: { ISTIO_VERSION: version } } } });
}

const names = (pods: { name: string }[]) => pods.map(({ name }) => name);
const never = () => new AbortController().signal;

test("a pod that goes leaves the list, and one that comes joins it", async () => {
  const api = await server();
  api.put(reviews("old"), reviews("stays"));
  api.pods.listen("demo/old", 15000, serverInfo("0"));
  api.pods.listen("demo/stays", 15000, serverInfo("1"));
  const { result, told } = wait(await connect(api), deadline(never(), 20));
  await expect.poll(() => told).toContain("version 1: 1 of 2 proxies");
  api.put(reviews("new"));
  api.pods.listen("demo/new", 15000, serverInfo("0"));
  await expect.poll(() => told).toContain("version 1: 1 of 3 proxies");
  api.delete(reviews("old"));
  await expect.poll(() => told.at(-1)).toBe("version 1: 1 of 2 proxies");
  api.pods.listen("demo/new", 15000, serverInfo("1"));
  const { pods, notReady } = await result;
  expect([names(pods), notReady]).toEqual([["new", "stays"], []]);
});

test("a pod that is made anew by the same name is asked anew", async () => {
  const api = await server();
  api.put(reviews("db-0"), reviews("db-1"));
  api.pods.listen("demo/db-0", 15000, serverInfo("1"));
  api.pods.listen("demo/db-1", 15000, serverInfo("0"));
  const { result, told } = wait(await connect(api), deadline(never(), 20));
  await expect.poll(() => told).toContain("version 1: 1 of 2 proxies");
  const again = reviews("db-0");
  api.put({ ...again, metadata: { ...again.metadata, uid: "another" } });
  api.pods.listen("demo/db-0", 15000, serverInfo("0"));
  await expect.poll(() => told).toContain("version 1: 0 of 2 proxies");
  for (const name of ["db-0", "db-1"]) api.pods.listen(`demo/${name}`, 15000, serverInfo("1"));
  expect((await result).notReady).toEqual([]);
});

test("when the time is up the late ones are named, those that never answered too", async () => {
  const api = await server();
  for (const name of ["fine", "late", "stopped"]) api.put(reviews(name));
  api.pods.listen("demo/fine", 15000, serverInfo("1"));
  api.pods.listen("demo/late", 15000, serverInfo("0"));
  api.pods.listen("demo/stopped", 15000, stopped);
  const { result } = wait(await connect(api), deadline(never(), 1));
  const { pods, notReady } = await result;
  expect(pods).toHaveLength(3);
  expect(notReady.map(({ pod, why }) => [pod.name, why])).toEqual([
    ["late", "it runs another version"],
    ["stopped", "it has not answered"],
  ]);
});

test("a list that fails once does not end the wait", async () => {
  const api = await server();
  api.put(reviews("a"));
  api.pods.listen("demo/a", 15000, serverInfo("0"));
  const { result, told } = wait(await connect(api), deadline(never(), 20));
  await expect.poll(() => told).toHaveLength(1);
  api.faults.add(/^GET .*\/pods\?/, unavailable, 6);
  await expect.poll(() => api.requests.filter((one) => one.includes("/pods?")).length).toBeGreaterThan(6);
  api.pods.listen("demo/a", 15000, serverInfo("1"));
  expect((await result).notReady).toEqual([]);
});

test("an interruption ends the wait at once, as does a proxy that waiting makes worse", async () => {
  const api = await server();
  api.put(reviews("a"));
  api.pods.listen("demo/a", 15000, stopped);
  const stop = new AbortController();
  const cluster = await connect(api, { signal: stop.signal });
  const { result } = wait(cluster, stop.signal);
  setTimeout(() => stop.abort(new Error("interrupted")), 300);
  await expect(result).rejects.toThrow("interrupted");
  const worse: Probe = async () => {
    throw new FatalNotReady("the guard is lost");
  };
  await expect(wait(await connect(api), never(), worse).result).rejects.toThrow("the guard is lost");
});

test("without pods there is nobody to wait for", async () => {
  const { result } = wait(await connect(await server()), never());
  expect(await result).toEqual({ pods: [], notReady: [] });
});
