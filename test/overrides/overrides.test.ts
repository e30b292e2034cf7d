// Pods come and go, and so do the routes to their versions: a whole controller against the double of the API server.
import { describe, expect, test } from "vitest";
import { eventually, startBed } from "../controller/bed.ts";
import type { Stored } from "../double/store.ts";

const LINGER = { overrides: ["demo"], overridesLingerMs: 300 };

async function bed() {
  const started = await startBed();
  for (const name of ["reviews", "ratings"]) started.addService(name);
  const { api } = started;
  const service = (name = "reviews", metadata: object = {}, namespace = "demo") =>
    ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace, ...metadata },
      spec: { selector: { app: name } },
    }) as Stored;
  const pod = (name: string, version?: string, more: object = {}, namespace = "demo") =>
    ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace, labels: { app: "reviews", ...(version && { version }) }, ...more },
      status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
    }) as Stored;
  const all = (kind: string) => api.store.all().filter((one) => one.kind === kind);
  return {
    ...started,
    service,
    pod,
    /** `KEY -> SUBSET`, and `-> SUBSET` for the rest. */
    routes: () =>
      all("Route")
        .map(({ spec }) => spec as { key?: string; to?: { subset: string }; split?: { to: { subset: string } }[] })
        .map(({ key = "", to, split }) => `${key} -> ${to?.subset ?? split?.[0]?.to.subset}`.trim())
        .sort(),
    subsets: () =>
      all("DestinationRule").flatMap(({ spec }) =>
        ((spec as { subsets: { name: string }[] }).subsets ?? []).map(({ name }) => name),
      ),
    /** The kinds of writes from now on, statuses aside, as `VERB KIND` in their order; one may be made twice before its watch tells of it. */
    writes() {
      const from = api.requests.length;
      return () => {
        const found = api.requests.slice(from).flatMap((request) => {
          const [, verb, kind] =
            /^(PATCH|DELETE|POST|PUT) .*\/(routes|destinationrules)\b(?!.*\/status)/.exec(request) ?? [];
          return kind === undefined ? [] : [`${verb} ${kind}`];
        });
        return [...new Set(found)];
      };
    },
  };
}

describe("live overrides", () => {
  test("a version has its subset first and its route then, within a second of its pod; the route goes first and the subset last", async () => {
    const { api, service, pod, routes, subsets, start, writes } = await bed();
    api.put(service(), pod("a", "v1"));
    await start("one", LINGER);
    await eventually(routes).toEqual(["-> v1", "v1 -> v1"]);
    expect(subsets()).toEqual(["v1"]);
    const made = writes();
    const at = performance.now();
    api.put(pod("b", "v2"));
    await eventually(routes).toEqual(["-> v1", "v1 -> v1", "v2 -> v2"]);
    expect(performance.now() - at).toBeLessThan(5000);
    expect(made()).toEqual(["PATCH destinationrules", "PATCH routes"]);
    const taken = writes();
    api.put(pod("b", "v2", { deletionTimestamp: "2026-01-01T00:00:00Z" }));
    await eventually(routes).toEqual(["-> v1", "v1 -> v1"]);
    expect(subsets()).toEqual(["v1", "v2"]);
    await eventually(subsets).toEqual(["v1"]);
    expect(taken()).toEqual(["DELETE routes", "PATCH destinationrules"]);
  });

  test("a version has its subset as soon as it has a pod, and its route only while one is ready, some time after the subset", async () => {
    const { api, service, pod, routes, subsets, start } = await bed();
    const starting = { status: { phase: "Running", conditions: [{ type: "Ready", status: "False" }] } };
    api.put(service(), pod("a", "v1"));
    await start("one", LINGER);
    await eventually(routes).toEqual(["-> v1", "v1 -> v1"]);
    api.put({ ...pod("b", "v2"), ...starting });
    await eventually(subsets).toEqual(["v1", "v2"]);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(routes()).toEqual(["-> v1", "v1 -> v1"]);
    const at = performance.now();
    api.put(pod("b", "v2"));
    await eventually(routes).toEqual(["-> v1", "v1 -> v1", "v2 -> v2"]);
    expect(performance.now() - at).toBeGreaterThan(450);
    api.put({ ...pod("b", "v2"), ...starting });
    await eventually(routes).toEqual(["-> v1", "v1 -> v1"]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(subsets()).toEqual(["v1", "v2"]);
  });

  test("nothing is written while nothing changes, nor in other namespaces", async () => {
    const { api, service, pod, routes, start, writes } = await bed();
    api.put(service(), pod("a", "v1"), service("reviews", {}, "shop"), pod("a", "v1", {}, "shop"));
    await start("one", LINGER);
    await eventually(routes).toEqual(["-> v1", "v1 -> v1"]);
    const written = writes();
    for (let at = 0; at < 20; at++)
      api.put({ ...pod("a", "v1"), status: { ...(pod("a", "v1").status as object), at } } as Stored);
    api.put(pod("c", "v1"), pod("d"));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(written()).toEqual([]);
  });

  test("with its Service all of it goes, and somebody's rule stays untouched and is told", async () => {
    const { api, service, pod, routes, subsets, start, logged, events } = await bed();
    const theirs = {
      apiVersion: "networking.istio.io/v1",
      kind: "DestinationRule",
      metadata: { name: "theirs", namespace: "demo" },
      spec: { host: "ratings", subsets: [{ name: "one", labels: { version: "v1" } }] },
    } as Stored;
    const rated = {
      ...pod("r", "v1"),
      metadata: { name: "r", namespace: "demo", labels: { app: "ratings", version: "v1" } },
    } as Stored;
    const second = {
      ...rated,
      metadata: { ...rated.metadata, name: "r2", labels: { app: "ratings", version: "v2" } },
    } as Stored;
    api.put(service(), pod("a", "v1"), theirs, service("ratings"), rated, second);
    await start("one", LINGER);
    await eventually(routes).toEqual(["-> one", "-> v1", "v1 -> one", "v1 -> v1"]);
    expect(subsets()).toEqual(["v1", "one"].sort());
    expect(logged.filter((line) => line.includes("somebody else's"))).toHaveLength(1);
    await eventually(() => events().map(({ note }) => note)).toEqual([
      expect.stringContaining("has no subset of the labels {version: v2}"),
    ]);
    api.delete(service());
    await eventually(routes).toEqual(["-> one", "v1 -> one"]);
    await eventually(subsets).toEqual(["one"]);
    expect(api.find(theirs)).toMatchObject({ spec: theirs.spec });
  });

  test("what was made before a controller ended is looked after by the next", async () => {
    const { api, service, pod, routes, subsets, start } = await bed();
    api.put(service(), pod("a", "v1"), pod("b", "v2"));
    const first = await start("one", LINGER);
    await eventually(routes).toEqual(["-> v1", "v1 -> v1", "v2 -> v2"]);
    await first.end();
    api.delete(pod("b", "v2"));
    api.put(pod("c", "v3"));
    await start("two", LINGER);
    await eventually(routes).toEqual(["-> v1", "v1 -> v1", "v3 -> v3"]);
    await eventually(subsets).toEqual(["v1", "v3"]);
  });
});
