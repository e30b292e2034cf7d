// `"missing": "fail"`: a route whose target is missing has its requests refused, instead of leaving them to the baseline.
import { describe, expect, test } from "vitest";
import { Result } from "./emulator/abi.ts";
import { proxyWith } from "./module.ts";

const keyed = { from: "reviews", key: "k", to: "gone", missing: "fail" };
const HEADERS = { "x-routing-key": "k" };

describe("a request whose route says to fail", () => {
  test("is answered with 424 and a JSON body that says why, where the target does not exist or is not healthy", () => {
    for (const healthy of [undefined, false]) {
      const { envoy, filter } = proxyWith({ routes: [keyed] });
      if (healthy === false) envoy.process.clusters.set("gone", healthy);
      for (let again = 0; again < 3; again++) {
        const { status, cluster, local, state } = filter.request({ headers: HEADERS });
        expect([status, cluster, state]).toEqual([424, undefined, "missing_target k gone"]);
        expect(local?.headers).toEqual([["content-type", "application/json"]]);
        expect(JSON.parse(local?.body ?? "")).toEqual({
          error: { code: "missing_target", message: expect.stringMatching(/does not exist or has no healthy host/) },
          key: "k",
          from: "reviews",
          to: "gone",
        });
      }
      expect(envoy.process.counter("keyway_requests_missing_target")).toBe(3);
    }
  });

  test("goes to the target where that is there", () => {
    const { envoy, filter } = proxyWith({ routes: [keyed] });
    envoy.process.clusters.set("gone", true);
    expect(filter.request({ headers: HEADERS })).toMatchObject({ status: 200, cluster: "gone" });
  });

  test("stays at the baseline where it is there already", () => {
    const { filter } = proxyWith({ routes: [keyed] });
    const headers = { ...HEADERS, "x-keyway-routed": "gone" };
    expect(filter.request({ headers })).toMatchObject({ status: 200, cluster: "reviews" });
  });

  test("goes to the baseline where the host does not let the filter answer", () => {
    const { envoy, filter } = proxyWith({ routes: [keyed] });
    envoy.process.fault = ({ name }) => (name === "proxy_send_local_response" ? Result.InternalFailure : undefined);
    expect(filter.request({ headers: HEADERS })).toMatchObject({ status: 200, cluster: "reviews", local: undefined });
  });
});

test.each([
  ["conditions", { from: "reviews", when: [{ request: "path", exact: "/" }], to: "gone", missing: "fail" }],
  ["shares", { from: "reviews", split: [{ to: "gone", weight: 100 }], missing: "fail" }],
])("routes with %s can say so, too; nobody's key is named then", (_, route) => {
  const { filter } = proxyWith({ routes: [route] });
  const { status, local } = filter.request();
  expect([status, JSON.parse(local?.body ?? "").key]).toEqual([424, null]);
});

test.each(["baseline", undefined])("a route that says %s leaves the request to the baseline", (missing) => {
  const { filter } = proxyWith({ routes: [{ ...keyed, missing }] });
  expect(filter.request({ headers: HEADERS })).toMatchObject({ status: 200, cluster: "reviews" });
});

test("the other routes of the same key are not concerned", () => {
  const { filter } = proxyWith({
    routes: [
      { ...keyed, when: [{ header: "x", present: true }] },
      { from: "reviews", key: "k", to: "elsewhere" },
    ],
  });
  expect(filter.request({ headers: HEADERS })).toMatchObject({ status: 200, cluster: "reviews" });
  expect(filter.request({ headers: { ...HEADERS, x: "1" } })).toMatchObject({ status: 424 });
});

test("a route may have as many and as long conditions as there may be, also after an update", () => {
  const text = (i: number) => `${i}-`.padEnd(4096, "x");
  const when = Array.from({ length: 32 }, (_, i) => ({ header: `h-${i}`, exact: text(i) }));
  const routes = [
    { from: "reviews", key: "k", when, to: "t" },
    ...Array.from({ length: 2000 }, (_, i) => ({ from: "reviews", key: `k-${i}`, to: "u" })),
    { from: "ratings", key: "k", when, to: "t" },
  ];
  const { envoy, filter } = proxyWith({ routes });
  envoy.process.clusters.set("t", true).set("u", true);
  const headers = { ...HEADERS, ...Object.fromEntries(when.map(({ header, exact }) => [header, exact])) };
  const bytes = () => envoy.wasmBytes;
  for (let update = 0, before = 0; update < 4; update++) {
    filter.configure({ routes, explain: update % 2 === 1 });
    for (const cluster of ["reviews", "ratings"]) {
      expect(filter.request({ headers, cluster }).cluster).toBe("t");
      expect(filter.request({ headers: { ...headers, "h-31": "no" }, cluster }).cluster).toBe(cluster);
    }
    expect(filter.request({ headers: { "x-routing-key": "k-1999" } }).cluster).toBe("u");
    if (update > 1) expect(bytes()).toBe(before);
    before = bytes();
  }
});
