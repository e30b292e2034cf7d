import { expect, test } from "vitest";
import { proxyWith } from "./module.ts";

test("a route ends at its moment, without a new configuration, and what stands behind it takes over", () => {
  const { envoy, filter } = proxyWith({
    routes: [
      { from: "reviews", key: "k", to: "first", expires: "2030-01-01T00:00:10Z" },
      { from: "*", key: "k", to: "second", expires: "2030-01-01T00:00:20.9+00:00" },
      { from: "reviews", when: [{ header: "h", present: true }], to: "third", expires: "2030-01-01T02:00:30+02:00" },
      { from: "reviews", split: [{ to: "fourth", weight: 100 }], expires: "2030-01-01T00:00:40Z" },
    ],
  });
  for (const name of ["first", "second", "third", "fourth"]) envoy.process.clusters.set(name, true);
  const start = Date.UTC(2030, 0, 1);
  const at = (seconds: number) => {
    envoy.process.clock = BigInt(start + seconds * 1000) * 1_000_000n;
    return filter.request({ headers: { "x-routing-key": "k", h: "1" } }).cluster;
  };
  const moments = [0, 9.999, 10, 19.999, 20, 29.999, 30, 39.999, 40, 1e6, 5];
  const wanted = "first first second second third third fourth fourth reviews reviews first".split(" ");
  expect(moments.map(at)).toEqual(wanted);
});
