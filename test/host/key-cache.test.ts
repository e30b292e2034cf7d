import fc from "fast-check";
import { expect, test } from "vitest";
import { check } from "../property.ts";
import type { Slot } from "./emulator/slot.ts";
import { proxyWith } from "./module.ts";

// More keys than a worker keeps at hand, with texts of any length, so that they take each other's places over and over.
const keys = Array.from({ length: 400 }, (_, i) => `k${i}${"x".repeat((i * 37) % 250)}`);
const services = Array.from({ length: 30 }, (_, i) => `service-${i}-${"y".repeat(i)}`);

const goesTo = (filter: Slot, key: string, cluster: string) =>
  filter.request({ headers: { "x-routing-key": key }, cluster }).cluster;

test("keys that come again and again, in any order, each keep their own routes", () => {
  const routed = keys.filter((_, i) => i % 3 !== 0);
  const { envoy, filter } = proxyWith({ routes: routed.map((key, i) => ({ from: "reviews", key, to: `to-${i}` })) });
  for (const i of routed.keys()) envoy.process.clusters.set(`to-${i}`, true);
  const order = fc.array(fc.nat(keys.length - 1), { minLength: 200, maxLength: 200 });
  check(
    [order],
    (asked) => {
      for (const i of asked) {
        const key = keys[i] as string;
        const route = routed.indexOf(key);
        expect(goesTo(filter, key, "reviews")).toBe(route < 0 ? "reviews" : `to-${route}`);
      }
    },
    30,
  );
});

test.each([1, 2, 8, 30])("a key with routes from %i services has each of them, also when asked again", (count) => {
  const from = services.slice(0, count);
  const key = "k".repeat(200);
  const { envoy, filter } = proxyWith({
    routes: from.map((service) => ({ from: service, key, to: `${service}-new` })),
  });
  for (const service of from) envoy.process.clusters.set(`${service}-new`, true);
  for (let again = 0; again < 3; again++) {
    for (const service of services) {
      expect(goesTo(filter, key, service)).toBe(from.includes(service) ? `${service}-new` : service);
    }
  }
});

test("a key at hand follows every change of its route at once", () => {
  const { envoy, filter } = proxyWith({ routes: [] });
  envoy.process.clusters.set("a", true).set("b", true);
  const route = (to: string) => ({ from: "reviews", key: "k", to });
  for (const to of ["a", "b", "reviews", "a", "reviews", "b"]) {
    filter.configure({ routes: to === "reviews" ? [] : [route(to), { ...route(to), key: "other" }] });
    for (let i = 0; i < 3; i++) expect(goesTo(filter, "k", "reviews")).toBe(to);
  }
});
