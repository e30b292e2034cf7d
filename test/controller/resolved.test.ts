// What the services of a route come to, whatever namespaces it says.
import { expect, test } from "vitest";
import { findingsOf, routeStatusOf, servicesOf } from "../../controller/plan/resolved.ts";
import type { Services } from "../../controller/plan/services.ts";
import type { LiveRoute } from "../../routes/model/live-route.ts";

const known = ["demo/reviews", "demo/reviews-a", "shop/reviews-a"];
const services: Services = {
  find: (name, namespace) =>
    known.includes(`${namespace}/${name}`) ? { name, namespace, ports: [{ port: 9080 }] } : undefined,
  isReady: (name, namespace) => `${namespace}/${name}` !== "shop/reviews-a",
  endpoints: (_, namespace) => (namespace === "demo" ? 2 : 0),
};
const route = (service: string, to: string) => ({ id: "r", key: "k", service, to }) as LiveRoute;

test.each([
  ["reviews.demo", "reviews-a", { ready: true, endpoints: 2 }, [], ["demo/reviews", "demo/reviews-a"]],
  ["reviews.demo", "reviews-a.demo", { ready: true, endpoints: 2 }, [], ["demo/reviews", "demo/reviews-a"]],
  ["reviews.demo", "reviews-a.shop", { ready: false, endpoints: 0 }, ["NotReady"], ["demo/reviews", "shop/reviews-a"]],
  ["reviews", "reviews-a.shop", { ready: false, endpoints: 0 }, ["NotReady"], ["reviews", "shop/reviews-a"]],
])(
  "%s to %s: its status, its findings and whom it follows are of the same services",
  (service, to, status, reasons, followed) => {
    const one = route(service, to);
    expect(routeStatusOf(one, "spec", services, "cluster.local")).toEqual({ service, to, from: "spec", ...status });
    expect(findingsOf(one, services, "cluster.local").map(({ reason }) => reason)).toEqual(reasons);
    expect(servicesOf(one)).toEqual(followed);
  },
);
